import ObjectStorage
import WireFormat
import Workers

/// Reads single chunks, for lists and small things, on one thread.
package final class ChunkReader {
    private let decoder: FrameDecoder

    package init(_ context: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames) throws {
        decoder = try FrameDecoder(context, finder, shared)
    }

    /// The bytes of a chunk, verified. Of several copies it takes one that is sound.
    package func chunk(_ id: ChunkID) throws -> Slice {
        try decoder.chunk(id)
    }
}

extension FrameDecoder {
    /// The bytes of a chunk, verified: what one pack does not give another may hold as well.
    func chunk(_ id: ChunkID) throws -> Slice {
        var bad: Set<ObjectName> = []
        var failure: (any Error)?
        var generation = finder.generation
        while true {
            let found: FoundChunk
            do { found = try finder.find(id, notIn: bad) } catch {
                // What it stands on may have been moved since.
                guard try finder.reload(after: generation) else { throw failure ?? error }
                (generation, bad) = (finder.generation, [])
                continue
            }
            do { return try chunk(found) } catch  where isDamage(error) {
                failure = failure ?? error
                guard bad.insert(found.directory.source.name).inserted else { throw error }
            }
        }
    }
}
