import ChunkIndex
import PackStore
import TestSupport
import WireFormat

/// Packs that there are not, full of chunks that nobody has: what their directories would say.
///
/// As a dump gives them: chunks of 16 KiB, 1 MiB a frame, a frame a segment, 16 MiB a pack.
struct MadeChunks {
    private var random: SeededRandom
    private static let chunkBytes = (8 << 10)...(24 << 10)

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func id() -> ChunkID { ChunkID(words: (random.next(), random.next(), random.next())) }

    /// The next pack, with at most so many chunks.
    mutating func pack(_ envelope: StoredEnvelope, atMost most: Int) -> StoredPack {
        var directory = PackDirectory(envelopes: [envelope])
        var (offset, count) = (ObjectHeader.byteCount, 0)
        while count < most, offset < Limits.packTargetBytes - Limits.frameRawBytes {
            let segment = segment(directory.segments.count, at: offset, atMost: most - count)
            offset += segment.sealedBytes
            count += segment.frames[0].chunks.count
            directory.segments.append(segment)
        }
        let id = ObjectID(random.bytes(ObjectID.byteCount))
        return StoredPack(
            IndexObject.Pack(
                id: id, contentClass: .data, fileBytes: Padding.padme(offset),
                directory: directory.bytes),
            directory)
    }

    private mutating func segment(_ number: Int, at offset: Int, atMost most: Int)
        -> PackDirectory.Segment
    {
        var chunks: [PackDirectory.Chunk] = []
        var raw = 0
        while chunks.count < most {
            let count = random.number(Self.chunkBytes)
            if raw + count > Limits.frameRawBytes { break }
            chunks.append(PackDirectory.Chunk(id: id(), byteCount: count))
            raw += count
        }
        // Text becomes two fifths of its length.
        let frame = PackDirectory.Frame(codec: .zstd, storedBytes: raw * 2 / 5, chunks: chunks)
        return PackDirectory.Segment(
            envelope: 0, number: UInt64(number), offset: offset, frames: [frame])
    }
}
