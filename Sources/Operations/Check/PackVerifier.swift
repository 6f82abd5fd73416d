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
            context, ChunkFinder(context, index), DecodedFrames(bytesMax: 32 << 20))
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
        for (number, frame) in open.frames.enumerated() {
            let plaintext = try decoder.frame(number, of: open)
            for chunk in frame.chunks {
                let found = FoundChunk(directory: open, frame: number, chunk: Int(chunk))
                try plaintext.withBytes {
                    try decoder.verify(UnsafeRawBufferPointer(rebasing: $0[found.range]), found)
                }
            }
        }
    }
}
