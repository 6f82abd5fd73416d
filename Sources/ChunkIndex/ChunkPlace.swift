import WireFormat

/// Where one copy of a chunk lies.
package struct ChunkPlace: Hashable, Sendable {
    package let pack: ObjectID
    /// Its frame's number, through the pack's directory.
    package let frame: Int

    package init(pack: ObjectID, frame: Int) {
        self.pack = pack
        self.frame = frame
    }
}

/// What the directory of one pack says, as far as the index keeps it.
package struct IndexedPack: Sendable {
    package let id: ObjectID
    package let contentClass: ContentClass
    /// The length of the pack's file; less than 2^32.
    package let byteCount: Int
    /// The chunks of each frame, in order; at most 2^24 frames.
    package let frames: [[ChunkID]]
    /// What its frames stand on.
    package let outline: PackOutline

    package init(
        id: ObjectID, contentClass: ContentClass, byteCount: Int, frames: [[ChunkID]],
        outline: PackOutline? = nil
    ) {
        self.id = id
        self.contentClass = contentClass
        self.byteCount = byteCount
        self.frames = frames
        self.outline = outline ?? PackOutline(frameCount: frames.count)
    }
}
