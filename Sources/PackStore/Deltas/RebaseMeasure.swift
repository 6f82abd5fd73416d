import ChunkIndex
import Compression
import WireFormat
import Workers

/// Tells how long frames are if what they stand on is taken away. One a thread.
package final class RebaseMeasure: PipelineWorker {
    package struct Job: Sendable {
        let place: FramePlace
        /// What is taken away.
        let between: Set<ChunkPlace>

        package init(_ place: FramePlace, without between: [ChunkPlace]) {
            self.place = place
            self.between = Set(between)
        }
    }

    private let finder: ChunkFinder
    private let decoder: FrameDecoder
    private var compressor = Compressor()
    private let room = Buffer(capacity: Limits.frameRawBytes)
    private let base = Buffer(capacity: Limits.baseRawBytes)

    private static let levels = [3, 6]

    package init(
        _ context: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames
    ) throws {
        self.finder = finder
        decoder = try FrameDecoder(context, finder, shared)
    }

    /// Bytes, as a delta on what is further down or alone, whichever is less; nil for a frame that cannot be
    /// read.
    package func run(_ job: Job) throws -> Int? {
        do {
            let plaintext = try decoder.frame(job.place.frame, of: job.place.directory)
            let base = try gatherBase(of: job, plaintext.withBytes { Samples(of: $0) })
            return try plaintext.withBytes { source in
                var least = source.count
                let nothing = self.base.bytes(0..<0)
                for base in base.isEmpty ? [nothing] : [base, nothing] {
                    for level in Self.levels {
                        let count = try compressor.compress(
                            source, level: level, base: base, into: room.room(0..<least),
                            limit: least)
                        least = count ?? least
                    }
                }
                return least
            }
        } catch  where isDamage(error) {
            return nil
        }
    }

    /// What a maker of deltas would take of what is further down.
    private func gatherBase(of job: Job, _ samples: Samples) throws -> UnsafeRawBufferPointer {
        var end = 0
        var seen: Set<ChunkPlace> = []
        var ahead = try job.place.directory.basePieces(ofFrame: job.place.frame, finder)
        while let piece = ahead.popLast() {
            if let place = piece.place, job.between.contains(place) {
                guard seen.insert(place).inserted else { continue }
                ahead += try piece.directory.basePieces(ofFrame: piece.frame, finder)
                continue
            }
            let frame = try decoder.frame(piece.frame, of: piece.directory)
            for chunk in piece.chunks {
                let row = FoundChunk(directory: piece.directory, frame: piece.frame, chunk: chunk)
                guard end + row.byteCount <= base.capacity else { break }
                frame.withBytes { frame in
                    let bytes = UnsafeRawBufferPointer(rebasing: frame[row.range])
                    guard samples.common(with: bytes) != nil else { return }
                    base.room(end..<(end + bytes.count)).copyMemory(from: bytes)
                    end += bytes.count
                }
            }
        }
        return base.bytes(0..<end)
    }
}
