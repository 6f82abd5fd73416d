import WireFormat
import Workers

/// The frames decoded last, up to a number of bytes. One thread's.
package struct FrameCache {
    package struct Key: Hashable, Sendable {
        package let pack: ObjectName
        package let segment: Int
        package let frame: Int

        package init(_ found: FoundChunk) {
            pack = found.directory.source.name
            segment = found.segment
            frame = found.frame
        }

        package init(pack: ObjectName, segment: Int, frame: Int) {
            self.pack = pack
            self.segment = segment
            self.frame = frame
        }
    }

    private var frames: [Key: (frame: DecodedFrame, used: Int)] = [:]
    private var bytes = 0
    private var clock = 0
    private let bytesMax: Int

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    package mutating func frame(_ key: Key) -> DecodedFrame? {
        guard let entry = frames[key] else { return nil }
        clock += 1
        frames[key]!.used = clock
        return entry.frame
    }

    package mutating func insert(_ key: Key, _ frame: DecodedFrame) {
        clock += 1
        if let old = frames.updateValue((frame, clock), forKey: key) {
            bytes -= old.frame.bytes.count
        }
        bytes += frame.bytes.count
        // Buffers are as large as the largest frame, whatever is in them.
        while frames.count > 1, frames.count * Limits.frameRawBytes > bytesMax,
            let oldest = frames.min(by: { $0.value.used < $1.value.used })
        {
            frames[oldest.key] = nil
            bytes -= oldest.value.frame.bytes.count
        }
    }
}

/// Reads single chunks, for lists and small things: one thread, frames cached.
package final class ChunkReader {
    private let finder: ChunkFinder
    private let decoder: FrameDecoder
    private var cache: FrameCache

    package init(_ context: DomainContext, _ finder: ChunkFinder, cacheBytes: Int = 8 << 20) throws
    {
        self.finder = finder
        decoder = try FrameDecoder(
            context, segments: finder, pool: BufferPool(capacity: Limits.frameRawBytes))
        cache = FrameCache(bytesMax: cacheBytes)
    }

    /// The bytes of a chunk, verified.
    package func chunk(_ id: ChunkID) throws -> Slice {
        let found = try finder.find(id)
        let key = FrameCache.Key(found)
        if let frame = cache.frame(key) { return frame.chunk(found.chunk) }
        let job = SegmentJob(
            directory: found.directory, segment: found.segment, frames: [found.frame])
        let frame = try decoder.run(job)[0]
        cache.insert(key, frame)
        return frame.chunk(found.chunk)
    }
}
