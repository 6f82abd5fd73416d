import WireFormat

/// Where one copy of a chunk lies.
package struct ChunkPlace: Hashable, Sendable {
    package let pack: ObjectID
    /// The number of the segment in the pack's directory.
    package let segment: Int

    package init(pack: ObjectID, segment: Int) {
        self.pack = pack
        self.segment = segment
    }
}

/// What the directory of one pack says, as far as the index keeps it.
package struct IndexedPack: Sendable {
    package let id: ObjectID
    package let contentClass: ContentClass
    /// The length of the pack's file; less than 2^32.
    package let byteCount: Int
    /// The chunks of each segment, in order; at most 2^24 segments.
    package let segments: [[ChunkID]]
    /// The envelopes it holds messages of.
    package let envelopes: [ObjectID]
    /// The envelopes its deltas stand on, each once.
    package let baseEnvelopes: [ObjectID]

    package init(
        id: ObjectID, contentClass: ContentClass, byteCount: Int, segments: [[ChunkID]],
        envelopes: [ObjectID] = [], baseEnvelopes: [ObjectID] = []
    ) {
        self.id = id
        self.contentClass = contentClass
        self.byteCount = byteCount
        self.segments = segments
        self.envelopes = envelopes
        self.baseEnvelopes = baseEnvelopes
    }
}
