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
    /// Where the run begins in its stream and the base in the parent's, if it is to be told where
    /// the one is found in the other.
    package let place: (own: Int, parent: Int)?

    package init(
        chunks: [PackDirectory.Chunk], bytes: Slice, base: [ChunkID],
        place: (own: Int, parent: Int)? = nil
    ) {
        self.chunks = chunks
        self.bytes = bytes
        self.base = base
        self.place = place
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

/// What became of a run whose place was only reckoned.
package struct RunAlignment: Sendable {
    /// Where the run began in its stream.
    package let run: Int
    /// A place in the stream and the same place in the parent's; nil where none was found.
    package let place: (own: Int, parent: Int)?
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
