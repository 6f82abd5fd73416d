import ChunkIndex
import Faults
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// Everything needed to read one snapshot.
final class SnapshotReader {
    let snapshot: Snapshot
    let manifest: Manifest
    let context: DomainContext
    let finder: ChunkFinder
    let lists: ChunkReader
    private let surroundings: Surroundings

    init(_ snapshot: Snapshot, _ vault: Vault) throws {
        self.snapshot = snapshot
        surroundings = vault.surroundings
        let context = try vault.requiredContext(snapshot.domain)
        let manifest = try SnapshotStore(context).manifest(snapshot.id, expecting: snapshot.head)
        self.context = context
        self.manifest = manifest
        let index = try vault.openIndex(snapshot.domain)
        try IndexKeeper(context, index).refresh(vault.surroundings.warn)
        let inline = manifest.inline.map {
            OpenDirectory(
                .inline($0.bytes, of: .snapshot(snapshot.domain, snapshot.id)), $0.directory,
                context)
        }
        finder = ChunkFinder(context, index, inline: inline)
        lists = try ChunkReader(context, finder)
    }

    /// Reads a stream from its beginning.
    func read(_ stream: Manifest.Stream) throws -> StreamReader {
        if stream.contentClass == .data && !context.keyring.opensData {
            throw SealingError.lacksKey("open stored data")
        }
        return try StreamReader(stream, self, surroundings)
    }

    /// The stream of a role, or an error that says what the snapshot holds instead.
    func stream(_ role: Manifest.Role) throws -> Manifest.Stream {
        if let stream = manifest.stream(role) { return stream }
        throw OperationError.notAStream(
            snapshot.id.short,
            what: role == .catalog ? "a stream, not files" : "files, not a stream")
    }

    func list(_ stream: Manifest.Stream, onNode: ((ChunkID) -> Void)? = nil) throws -> ListReader {
        try ListReader(
            stream, lists, what: "the list of snapshot \(snapshot.id.short)", onNode: onNode)
    }
}

/// A part of a stream, in order.
enum StreamPart {
    case bytes(Slice)
    case zeros(Int)

    var count: Int {
        switch self {
        case .bytes(let slice): slice.count
        case .zeros(let count): count
        }
    }

    /// Splits off the first `count` bytes.
    func split(at count: Int) -> (StreamPart, StreamPart) {
        switch self {
        case .bytes(let slice):
            let middle = slice.range.lowerBound + count
            return (
                .bytes(Slice(slice.buffer, slice.range.lowerBound..<middle)),
                .bytes(Slice(slice.buffer, middle..<slice.range.upperBound))
            )
        case .zeros(let all): return (.zeros(count), .zeros(all - count))
        }
    }
}

/// Gives a stream back, part by part, every chunk verified before it is given out, reading and
/// decoding ahead on other threads. At the end length and checksum of the whole are compared.
///
/// A class: it owns threads. Used by one thread.
final class StreamReader {
    private let snapshot: SnapshotReader
    private let stream: Manifest.Stream
    private let surroundings: Surroundings
    /// Nil where the manifest holds the content itself.
    private var entries: ListReader?
    private let decoders: Pipeline<FrameDecoder>

    /// What was planned and not yet given out, oldest first.
    private var planned: [Planned] = []
    private var next = 0
    private var plannedBytes = 0
    private var isPlanned = false
    private var lastPlanned: Planned?
    /// Frames gathered for one job: those of one segment that follow each other.
    private var open: SegmentJob?
    private var submitted: [SegmentJob] = []
    private var coming: Set<FrameCache.Key> = []
    /// Frames that could not be had, and why; another copy of their chunks may do.
    private var failed: [FrameCache.Key: any Error] = [:]
    private var cache: FrameCache

    private var checksum: StreamChecksum
    private(set) var byteCount = 0
    private static let zeros = Slice(copying: [UInt8](repeating: 0, count: 64 << 10))

    private static let aheadBytes = 8 << 20
    private static let aheadFramesMax = 8
    private static let cacheBytes = 32 << 20

    private enum Planned {
        case chunk(FoundChunk)
        case zeros(Int)
        case again(FoundChunk, times: Int)
        case content(Slice)
    }

    fileprivate init(
        _ stream: Manifest.Stream, _ snapshot: SnapshotReader, _ surroundings: Surroundings
    ) throws {
        self.stream = stream
        self.snapshot = snapshot
        self.surroundings = surroundings
        if case .content(let bytes) = stream.list {
            entries = nil
            planned = [.content(Slice(copying: bytes))]
            plannedBytes = bytes.count
            isPlanned = true
        } else {
            entries = try snapshot.list(stream)
        }
        checksum = StreamChecksum(key: stream.checksumKey)
        cache = FrameCache(bytesMax: Self.cacheBytes)
        let pool = BufferPool(capacity: Limits.frameRawBytes)
        let (context, finder) = (snapshot.context, snapshot.finder)
        let workers = surroundings.workers
        decoders = Pipeline(workers: workers, inFlight: workers + 2) {
            try FrameDecoder(context, segments: finder, pool: pool)
        }
    }

    deinit { decoders.stop() }

    /// What comes next; nil at the end, once the whole has been proven.
    func part() throws -> StreamPart? {
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
        if next == planned.count { try plan() }
        guard next < planned.count else {
            try finish()
            return nil
        }
        let item = planned[next]
        let part: StreamPart
        switch item {
        case .zeros(let count):
            part = .zeros(count)
            next += 1
        case .content(let slice):
            part = .bytes(slice)
            next += 1
        case .chunk(let found):
            part = .bytes(try bytes(found))
            next += 1
        case .again(let found, let times):
            part = .bytes(try bytes(found))
            if times > 1 { planned[next] = .again(found, times: times - 1) } else { next += 1 }
        }
        plannedBytes -= part.count
        byteCount += part.count
        guard byteCount <= stream.byteCount else {
            throw OperationError.checksumDiffers("snapshot \(snapshot.snapshot.id.short)")
        }
        add(part)
        if plannedBytes < Self.aheadBytes / 2 { try plan() }
        return part
    }

    // MARK: planning

    /// Looks ahead in the list and orders what will be needed.
    private func plan() throws {
        if next > 0 {
            planned.removeFirst(next)
            next = 0
        }
        while plannedBytes < Self.aheadBytes, coming.count < Self.aheadFramesMax, !isPlanned {
            guard let entry = try entries?.next() else {
                isPlanned = true
                break
            }
            switch entry {
            case .chunk(let id, let byteCount):
                let found = try snapshot.finder.find(id)
                guard found.byteCount == byteCount else {
                    throw WireError.malformed(
                        "a list of snapshot \(snapshot.snapshot.id.short) is malformed: a chunk has another length"
                    )
                }
                try order(found)
                append(.chunk(found), byteCount)
            case .zeros(let count): append(.zeros(count), min(count, Self.aheadBytes))
            case .again(let times):
                guard case .chunk(let found) = lastPlanned else {
                    throw WireError.malformed(
                        "a list of snapshot \(snapshot.snapshot.id.short) is malformed: it repeats nothing"
                    )
                }
                append(.again(found, times: times), min(found.byteCount * times, Self.aheadBytes))
            }
        }
        try submitOpen()
    }

    private func append(_ item: Planned, _ bytes: Int) {
        planned.append(item)
        lastPlanned = item
        plannedBytes += bytes
    }

    private func order(_ found: FoundChunk) throws {
        let key = FrameCache.Key(found)
        guard !coming.contains(key), cache.frame(key) == nil else { return }
        coming.insert(key)
        if let job = open, job.directory === found.directory, job.segment == found.segment,
            found.frame > job.frames.last!
        {
            open = SegmentJob(
                directory: job.directory, segment: job.segment, frames: job.frames + [found.frame])
        } else {
            try submitOpen()
            open = SegmentJob(
                directory: found.directory, segment: found.segment, frames: [found.frame])
        }
    }

    private func submitOpen() throws {
        guard let job = open else { return }
        open = nil
        while decoders.isFull { try takeDecoded() }
        decoders.submit(job)
        submitted.append(job)
    }

    private func takeDecoded() throws {
        guard !submitted.isEmpty else { return }
        let result = Result { try decoders.take() ?? [] }
        let job = submitted.removeFirst()
        let keys = job.frames.map {
            FrameCache.Key(pack: job.directory.source.name, segment: job.segment, frame: $0)
        }
        coming.subtract(keys)
        switch result {
        case .success(let frames):
            for (key, frame) in zip(keys, frames) { cache.insert(key, frame) }
        case .failure(let error):
            guard isDamage(error) else { throw error }
            for key in keys { failed[key] = error }
        }
    }

    private func bytes(_ wanted: FoundChunk) throws -> Slice {
        var found = wanted
        while true {
            let key = FrameCache.Key(found)
            if let frame = cache.frame(key) { return frame.chunk(found.chunk) }
            if let failure = failed[key] {
                // What one pack does not give another may hold as well.
                guard
                    let other = try? snapshot.finder.find(
                        found.id, notIn: Set(failed.keys.map { $0.pack }))
                else {
                    throw failure
                }
                found = other
                continue
            }
            if !coming.contains(key) { try order(found) }
            try submitOpen()
            try takeDecoded()
        }
    }

    // MARK: the whole

    private func add(_ part: StreamPart) {
        switch part {
        case .bytes(let slice): slice.withBytes { checksum.update($0) }
        case .zeros(let count):
            var rest = count
            while rest > 0 {
                let now = min(rest, Self.zeros.count)
                Self.zeros.withBytes {
                    checksum.update(UnsafeRawBufferPointer(rebasing: $0[..<now]))
                }
                rest -= now
            }
        }
    }

    private var isFinished = false

    private func finish() throws {
        guard !isFinished else { return }
        isFinished = true
        var used = StreamChecksum(key: stream.checksumKey)
        swap(&used, &checksum)
        guard byteCount == stream.byteCount, equalInConstantTime(used.finish(), stream.checksum)
        else {
            throw OperationError.checksumDiffers("snapshot \(snapshot.snapshot.id.short)")
        }
    }
}
