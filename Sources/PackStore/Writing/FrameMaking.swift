import ChunkIndex
import Compression
import WireFormat
import Workers

/// What a thread makes frames of.
package enum FrameJob: Sendable {
    case plain(PlainFrame)
    case deltas([DeltaRun])
}

/// New chunks on their way into one frame, in order.
package struct PlainFrame: Sendable {
    package var slices: [Slice] = []
    package var ids: [ChunkID] = []
    package var rawBytes = 0
    /// zstd's level; nil compresses at two and takes the smaller result.
    package var level: Int?
    /// Whether it holds rows of a dump.
    package var isRows = false
}

/// A frame ready to be sealed.
package struct MadeFrame: Sendable {
    /// Without its base: the pack's directory numbers base segments.
    let frame: PackDirectory.Frame
    let stored: Slice
    var base: MadeBase?
}

/// What a delta stands on, by names.
struct MadeBase: Sendable {
    let depth: Int
    let closureFrames: Int
    let closureBytes: Int
    let pieces: [(segment: PackDirectory.SegmentName, frame: Int, firstChunk: Int, chunkCount: Int)]
    /// The frames that it stands on, where they were found.
    let places: [ChunkPlace]
}

/// What became of a job.
package struct MadeFrames: Sendable {
    var frames: [MadeFrame]
    /// Runs for which no delta was smaller than plain compression.
    var declined: [DeltaRun] = []
    /// Bytes that the two levels of a trial gave.
    var trial: (fast: Int, thorough: Int)?
    /// Of the runs that asked for it.
    var alignments: [RunAlignment] = []
    /// What is wrong with a base that was found damaged.
    var damage: String?
}

/// Compresses frames and proves each before it leaves: what decompresses is compared with what went
/// in, because a fault of the encoder, or of memory, would otherwise be found when the data is
/// needed.
package final class FrameMaker: PipelineWorker {
    private var compressor = Compressor()
    private var decompressor = Decompressor()
    private let gathered: Buffer
    private let check: Buffer
    private let pool: BufferPool
    private let deltas: DeltaMaker?

    /// - Parameters:
    ///   - pool: blocks of `Limits.frameRawBytes` for what is stored of plain frames.
    ///   - bases: nil where no deltas are made.
    package init(pool: BufferPool, bases: Bases?) throws {
        self.pool = pool
        let rooms = (
            Buffer(capacity: Limits.frameRawBytes), Buffer(capacity: Limits.frameRawBytes)
        )
        (gathered, check) = rooms
        deltas = try bases.map { try DeltaMaker($0, rooms: rooms) }
    }

    package func run(_ job: FrameJob) throws -> MadeFrames {
        switch job {
        case .plain(let frame): return try make(frame)
        case .deltas(let runs):
            var made = MadeFrames(frames: [])
            for run in runs {
                guard let deltas else { preconditionFailure("runs are for makers of deltas") }
                try deltas.make(run, with: &compressor, into: &made)
            }
            return made
        }
    }

    private func make(_ job: PlainFrame) throws -> MadeFrames {
        let source = contiguous(job)
        let chunks = zip(job.ids, job.slices).map {
            PackDirectory.Chunk(id: $0, byteCount: $1.count)
        }
        var trial: (fast: Int, thorough: Int)?
        var compressed: Slice?
        if let level = job.level {
            compressed = try compress(source, level, isRows: job.isRows)
        } else {
            let fast = try compress(source, LevelTrial.fast, isRows: job.isRows)
            let thorough = try compress(
                source, LevelTrial.thorough, isRows: job.isRows)
            let counts = (
                fast: fast?.count ?? source.count, thorough: thorough?.count ?? source.count
            )
            compressed = counts.thorough < counts.fast ? thorough : fast
            trial = counts
        }
        if let stored = compressed {
            try decompressor.prove(stored, gives: source, in: check)
            let frame = PackDirectory.Frame(
                codec: .zstd, storedBytes: stored.count, chunks: chunks)
            return MadeFrames(frames: [MadeFrame(frame: frame, stored: stored)], trial: trial)
        }
        let result = pool.take()
        result.room(0..<source.count).copyMemory(from: source)
        let frame = PackDirectory.Frame(codec: .raw, storedBytes: source.count, chunks: chunks)
        return MadeFrames(
            frames: [MadeFrame(frame: frame, stored: Slice(result, 0..<source.count))],
            trial: trial)
    }

    /// Nil where the result would be no shorter.
    private func compress(
        _ source: UnsafeRawBufferPointer, _ level: Int, isRows: Bool
    ) throws(CompressionError) -> Slice? {
        let result = pool.take()
        let room = result.room(0..<source.count)
        return try compressor.compress(
            source, level: level, isRows: isRows, into: room, limit: source.count
        ).map { Slice(result, 0..<$0) }
    }

    /// The job's bytes in one piece: as they lie, where they lie side by side already.
    private func contiguous(_ job: PlainFrame) -> UnsafeRawBufferPointer {
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
