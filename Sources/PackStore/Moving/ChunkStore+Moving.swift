import WireFormat
import Workers

extension ChunkStore {
    /// Whether a frame of a segment is there, with all that it stands on; it is relied on from now on.
    package func relies(on name: PackDirectory.SegmentName, frame: Int) -> Bool {
        reliance.need(name, frame: frame)
    }

    /// Takes in a segment as it was sealed elsewhere under the same keys.
    /// - Parameter frames: those that are wanted: what they stand on is there, or is taken in as well. Of
    ///   others that may be missing.
    package func move(_ segment: SealedSegment, for frames: Set<Int>) throws {
        let contentClass = segment.envelope.header.contentClass
        try makeRoom(for: segment.chunks.count)
        var new = 0
        for (number, row) in segment.frames.enumerated() where frames.contains(number) {
            for chunk in row.frame.chunks
            where try claim(chunk.id, byteCount: chunk.byteCount, contentClass) {
                new += 1
            }
        }
        try writer(contentClass).add(segment, new: new)
    }

    /// Takes in a frame of other keys, as far as its chunks are new: as it was compressed where that
    /// can be, else compressed anew.
    /// - Parameter base: the chunks that the frame stands on, by their names here.
    package func move(_ opened: OpenedFrame, base: [ChunkID]) throws {
        // What it stands on is named by its place, which it has once it is stored.
        if opened.codec == .delta, base.contains(where: isPending) { try settle() }
        try makeRoom(for: opened.chunks.count)
        var new: [(chunk: PackDirectory.Chunk, slice: Slice)] = []
        var start = opened.plaintext.range.lowerBound
        for chunk in opened.chunks {
            let end = start + chunk.byteCount
            if try claim(chunk.id, byteCount: chunk.byteCount, .data) {
                new.append((chunk, Slice(opened.plaintext.buffer, start..<end)))
            }
            start = end
        }
        guard !new.isEmpty else { return }
        // Of a frame that is known for the greater part, only the rest is kept.
        let newBytes = new.reduce(0) { $0 + $1.chunk.byteCount }
        let isMostlyNew = 2 * newBytes >= opened.plaintext.count || opened.codec == .delta
        if isMostlyNew, let frame = try made(opened, base) {
            return try writer(.data).add(frame, new: new.count)
        }
        for (chunk, slice) in new { try writer(.data).add(chunk.id, slice) }
        try writer(.data).endOfBuffer()
    }

    /// The frame with what it stands on as it is named here; nil where that cannot be named, or would go
    /// beyond the limits.
    private func made(_ opened: OpenedFrame, _ base: [ChunkID]) throws -> MadeFrame? {
        let frame = PackDirectory.Frame(
            codec: opened.codec, storedBytes: opened.stored.count, chunks: opened.chunks)
        guard opened.codec == .delta else { return MadeFrame(frame: frame, stored: opened.stored) }
        var pieces: [BasePiece] = []
        var last: FoundChunk?
        for id in base {
            guard let found = try? finder.find(id, after: last),
                let place = found.directory.place(ofFrame: found.frame), reliance.isWhole(place)
            else { return nil }
            last = found
            BaseChoice.append(
                BasePiece(
                    directory: found.directory, frame: found.frame,
                    chunks: found.chunk..<(found.chunk + 1)), to: &pieces)
        }
        guard !pieces.isEmpty, pieces.count <= Limits.piecesPerBase,
            let closure = try Closure(of: pieces, within: .format, finder)
        else { return nil }
        return MadeFrame(
            frame: frame, stored: opened.stored,
            base: MadeBase(
                depth: closure.depth, closureFrames: closure.frames.count,
                closureBytes: closure.byteCount, pieces: pieces.map { $0.name },
                places: pieces.compactMap { $0.place }))
    }
}

extension DeltaLimits {
    /// All that the format allows.
    static let format = DeltaLimits(
        depth: Limits.depth, closureFrames: Limits.closureFrames, closureBytes: Limits.closureBytes)
}
