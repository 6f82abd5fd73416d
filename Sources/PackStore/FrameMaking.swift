import Compression
import WireFormat
import Workers

/// New chunks on their way into one frame, in order.
package struct FrameJob: Sendable {
    package var slices: [Slice] = []
    package var ids: [ChunkID] = []
    package var rawBytes = 0
    package var level = 1
}

/// A frame ready to be sealed.
package struct MadeFrame: Sendable {
    package let frame: PackDirectory.Frame
    package let stored: Slice
}

/// Compresses frames and proves each before it leaves: what decompresses is compared with what went in, because a fault
/// of the encoder, or of memory, would otherwise be found when the data is needed.
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
        if level != job.level {
            compressor = Compressor(level: job.level)
            level = job.level
        }
        let chunks = zip(job.ids, job.slices).map { PackDirectory.Chunk(id: $0, byteCount: $1.count) }
        let result = pool.take()
        let room = UnsafeMutableRawBufferPointer(start: result.base, count: min(result.capacity, source.count))
        if let count = try compressor.compress(source, into: room, limit: source.count) {
            let stored = Slice(result, 0..<count)
            let room = check.room(0..<source.count)
            try stored.withBytes { (frame) throws(CompressionError) in try decompressor.decompress(frame, into: room) }
            guard memoryEquals(check.bytes(0..<source.count), source) else {
                throw CompressionError.library("a compressed frame does not give back what went in")
            }
            return MadeFrame(
                frame: PackDirectory.Frame(codec: .zstd, storedBytes: count, chunks: chunks), stored: stored)
        }
        room.copyMemory(from: source)
        return MadeFrame(
            frame: PackDirectory.Frame(codec: .raw, storedBytes: source.count, chunks: chunks),
            stored: Slice(result, 0..<source.count))
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
