import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import WireFormat
import Workers

/// Reads a whole pack: its hash, then every segment, frame and chunk in it.
final class PackVerifier {
    private let context: DomainContext
    private let decoder: FrameDecoder

    /// - Parameter index: where the bases of deltas are looked for.
    init(_ context: DomainContext, _ index: ChunkIndex) throws {
        self.context = context
        decoder = try FrameDecoder(
            context, segments: ChunkFinder(context, index),
            pool: BufferPool(capacity: Limits.frameRawBytes))
    }

    func verify(_ id: ObjectID, byteCount: Int) throws {
        let name = ObjectName.pack(context.domain, id)
        let hash = SHA256()
        let hashed = byteCount - PackTrailer.hashBytes
        var offset = 0
        while offset < hashed {
            let end = min(offset + (1 << 20), hashed)
            hash.update(try context.store.read(name, offset..<end))
            offset = end
        }
        let stored = try context.store.read(name, hashed..<byteCount)
        guard hash.finish() == stored else {
            throw WireError.malformed("\(name) is damaged: its hash does not hold")
        }
        let (directory, _) = try PackDirectories.read(id, context)
        let open = OpenDirectory(.pack(name), directory, context)
        for (index, segment) in directory.segments.enumerated() {
            _ = try decoder.run(
                SegmentJob(directory: open, segment: index, frames: Array(segment.frames.indices)))
        }
    }
}
