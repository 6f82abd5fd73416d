import Compression
import WireFormat
import Workers

/// New chunks on their way into one frame, in order.
package struct FrameJob: Sendable {
    package var slices: [Slice] = []
    package var ids: [ChunkID] = []
    package var rawBytes = 0
    /// zstd's level; nil compresses at two and takes the smaller result.
    package var level: Int?
}

/// A frame ready to be sealed.
package struct MadeFrame: Sendable {
    package let frame: PackDirectory.Frame
    package let stored: Slice
    /// Bytes that the two levels of a trial gave.
    let trial: (fast: Int, thorough: Int)?
}

/// Compresses frames and proves each before it leaves: what decompresses is compared with what went
/// in, because a fault of the encoder, or of memory, would otherwise be found when the data is
/// needed.
package final class FrameMaker: PipelineWorker {
    private var compressor = Compressor(level: 1)
    private var level = 1
    private var decompressor = Decompressor()
    private let gathered = Buffer(capacity: Limits.frameRawBytes)
    private let check = Buffer(capacity: Limits.frameRawBytes)
    private let pool: BufferPool

    /// - Parameter pool: blocks of at least `Limits.frameRawBytes` for what is stored.
    package init(pool: BufferPool) { self.pool = pool }

    package func run(_ job: FrameJob) throws -> MadeFrame {
        let source = contiguous(job)
        let chunks = zip(job.ids, job.slices).map {
            PackDirectory.Chunk(id: $0, byteCount: $1.count)
        }
        var trial: (fast: Int, thorough: Int)?
        var compressed: Slice?
        if let level = job.level {
            compressed = try compress(source, level)
        } else {
            let fast = try compress(source, LevelTrial.fast)
            let thorough = try compress(source, LevelTrial.thorough)
            let counts = (
                fast: fast?.count ?? source.count, thorough: thorough?.count ?? source.count
            )
            compressed = counts.thorough < counts.fast ? thorough : fast
            trial = counts
        }
        if let stored = compressed {
            let room = check.room(0..<source.count)
            try stored.withBytes { (frame) throws(CompressionError) in
                try decompressor.decompress(frame, into: room)
            }
            guard memoryEquals(check.bytes(0..<source.count), source) else {
                throw CompressionError.library("a compressed frame does not give back what went in")
            }
            return MadeFrame(
                frame: PackDirectory.Frame(codec: .zstd, storedBytes: stored.count, chunks: chunks),
                stored: stored,
                trial: trial)
        }
        let result = pool.take()
        result.room(0..<source.count).copyMemory(from: source)
        return MadeFrame(
            frame: PackDirectory.Frame(codec: .raw, storedBytes: source.count, chunks: chunks),
            stored: Slice(result, 0..<source.count), trial: trial)
    }

    /// Nil where the result would be no shorter.
    private func compress(_ source: UnsafeRawBufferPointer, _ level: Int) throws(CompressionError)
        -> Slice?
    {
        if self.level != level {
            compressor = Compressor(level: level)
            self.level = level
        }
        let result = pool.take()
        let room = result.room(0..<min(result.capacity, source.count))
        return try compressor.compress(source, into: room, limit: source.count).map {
            Slice(result, 0..<$0)
        }
    }

    /// The job's bytes in one piece: as they lie, where they lie side by side already.
    private func contiguous(_ job: FrameJob) -> UnsafeRawBufferPointer {
        let first = job.slices[0]
        var end = first.range.upperBound
        let isOnePiece = job.slices.dropFirst().allSatisfy { slice in
            defer { end = slice.range.upperBound }
            return slice.buffer === first.buffer && slice.range.lowerBound == end
        }
        if isOnePiece { return first.buffer.bytes(first.range.lowerBound..<end) }
        var offset = 0
        for slice in job.slices {
            let room = gathered.room(offset..<(offset + slice.count))
            slice.withBytes { room.copyMemory(from: $0) }
            offset += slice.count
        }
        return gathered.bytes(0..<offset)
    }
}
