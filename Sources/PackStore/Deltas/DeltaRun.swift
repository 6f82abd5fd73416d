import WireFormat
import Workers

/// Some new chunks that follow each other in a stream, to become one frame, and what stood in their
/// place in the parent.
package struct DeltaRun: Sendable {
    package let chunks: [PackDirectory.Chunk]
    /// Their bytes, one chunk after the other.
    package let bytes: Slice
    /// Chunks of the parent, in the order of its stream.
    package let base: [ChunkID]
    /// Nil where chunks around the run tell for certain what stood in its place.
    package let reckoned: ReckonedPlace?

    package init(
        chunks: [PackDirectory.Chunk], bytes: Slice, base: [ChunkID],
        reckoned: ReckonedPlace? = nil
    ) {
        self.chunks = chunks
        self.bytes = bytes
        self.base = base
        self.reckoned = reckoned
    }

    /// The same with bytes in a buffer of its own: a short run that waits for others must not keep
    /// the large buffer that it came in.
    var alone: DeltaRun {
        DeltaRun(chunks: chunks, bytes: bytes.alone, base: [])
    }

    /// The bytes of each chunk.
    var slices: [Slice] {
        var start = bytes.range.lowerBound
        return chunks.map { chunk in
            defer { start += chunk.byteCount }
            return Slice(bytes.buffer, start..<(start + chunk.byteCount))
        }
    }
}

/// The place of a run of which no known chunk is near, and that is to be told where it is found.
package struct ReckonedPlace: Sendable {
    /// Where the run begins in its stream.
    package let own: Int
    /// Where its base begins in the parent's.
    package let base: Int
    /// Chunks around there, for a run that has little in common with its base, and where they begin.
    package let around: (ids: [ChunkID], start: Int)

    package init(own: Int, base: Int, around: (ids: [ChunkID], start: Int)) {
        self.own = own
        self.base = base
        self.around = around
    }
}

/// A place in a stream, and the same place in the parent's as a run has told it.
package struct RunAlignment: Sendable {
    package let own: Int
    package let parent: Int
}

/// How far a delta may reach. Less than the format allows: what a writer makes tonight others stand
/// on tomorrow.
package struct DeltaLimits: Sendable, Equatable {
    package var depth: Int
    package var closureFrames: Int
    package var closureBytes: Int

    package init(depth: Int, closureFrames: Int, closureBytes: Int) {
        precondition(
            depth <= Limits.depth && closureFrames <= Limits.closureFrames
                && closureBytes <= Limits.closureBytes, "a writer keeps to the format")
        self.depth = depth
        self.closureFrames = closureFrames
        self.closureBytes = closureBytes
    }

    package static let usual = DeltaLimits(
        depth: 16, closureFrames: 64, closureBytes: 12 << 20)
}
