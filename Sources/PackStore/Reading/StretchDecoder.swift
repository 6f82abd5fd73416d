import ObjectStorage
import WireFormat
import Workers

/// Some chunks that follow each other in a stream, to be put side by side.
package struct Stretch: Sendable {
    package private(set) var chunks: [FoundChunk] = []
    package private(set) var byteCount = 0

    package init() {}

    package mutating func append(_ chunk: FoundChunk) {
        chunks.append(chunk)
        byteCount += chunk.byteCount
    }
}

/// Makes plaintext of stretches: decodes the frames, verifies every chunk, puts all into one
/// buffer. One a thread.
package final class StretchDecoder: PipelineWorker {
    private let decoder: FrameDecoder
    private let pool: BufferPool

    /// - Parameter pool: blocks that hold the longest stretch.
    package init(
        _ context: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames, pool: BufferPool
    ) throws {
        self.pool = pool
        decoder = try FrameDecoder(context, finder, shared)
    }

    package func run(_ stretch: Stretch) throws -> Slice {
        let result = pool.take()
        var end = 0
        var frame: (directory: OpenDirectory, number: Int, plaintext: Slice)?
        for found in stretch.chunks {
            let room = result.room(end..<(end + found.byteCount))
            do {
                let plaintext: Slice
                if let frame, frame.directory === found.directory, frame.number == found.frame {
                    plaintext = frame.plaintext
                } else {
                    plaintext = try decoder.frame(found.frame, of: found.directory)
                    frame = (found.directory, found.frame, plaintext)
                }
                try plaintext.withBytes { plaintext in
                    let chunk = UnsafeRawBufferPointer(rebasing: plaintext[found.range])
                    // What is verified is what is given out: the copy.
                    room.copyMemory(from: chunk)
                    try decoder.verify(UnsafeRawBufferPointer(room), found)
                }
            } catch  where isDamage(error) {
                // Read again with all copies in view; the first failure is told if none is sound.
                guard let chunk = try? decoder.chunk(found.id) else { throw error }
                chunk.withBytes { room.copyMemory(from: $0) }
            }
            end += found.byteCount
        }
        return Slice(result, 0..<end)
    }
}
