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
    /// What the manifest carries itself.
    let inline: OpenDirectory?
    let lists: ChunkReader
    /// Where the store is far: fetches ahead what is told.
    let fetching: FetchingStore?
    fileprivate let decoded = DecodedFrames(bytesMax: 32 << 20)
    let surroundings: Surroundings
    /// Where what is damaged is read as zeros: what of it was met. Nil where it is an error.
    let losses: Losses?

    /// - Parameter before: a reader of the same domain, whose view of what is stored is new enough.
    /// - Parameter losses: collects what is damaged, which is read as zeros then; nil makes it an error.
    init(
        _ snapshot: Snapshot, _ vault: Vault, after before: SnapshotReader? = nil,
        losses: Losses? = nil
    ) throws {
        self.snapshot = snapshot
        self.losses = losses
        surroundings = vault.surroundings
        let context = try vault.readingContext(snapshot.domain)
        fetching = vault.fetching
        let manifest = try SnapshotStore(context).manifest(snapshot.id, expecting: snapshot.head)
        self.context = context
        self.manifest = manifest
        inline = manifest.carried(of: snapshot, context)
        if let before {
            finder = ChunkFinder(sharing: before.finder, inline: inline)
        } else {
            finder = try Self.finder(context, vault, inline: inline)
        }
        lists = try ChunkReader(context, finder, decoded)
    }

    /// Looks at what is stored.
    private static func finder(
        _ context: DomainContext, _ vault: Vault, inline: OpenDirectory?
    ) throws -> ChunkFinder {
        let index = try vault.openIndex(context.domain)
        let finder = ChunkFinder(context, index, inline: inline)
        // What index objects hold of directories need not be asked for once more, if it is far.
        let isFar = vault.fetching != nil
        let existing = try IndexKeeper(context, index).refresh(vault.surroundings) {
            if isFar { finder.keep($0, $1) }
        }
        finder.follow(existing)
        return finder
    }

    /// Throws where a signal asks to end.
    func checkStop() throws {
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
    }

    /// Reads a stream.
    /// - Parameter ranges: what of it is wanted, in order, none of them empty; nil for all. Of ranges
    ///   every chunk is verified and the checksum of the whole is not.
    func read(_ stream: Manifest.Stream, only ranges: [Range<Int>]? = nil) throws -> StreamReader {
        if stream.contentClass == .data && !context.keyring.opensData {
            throw SealingError.lacksKey("open stored data")
        }
        return try StreamReader(stream, self, surroundings, only: ranges)
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
            stream, lists, what: "the list of snapshot \(snapshot.id.short)", onNode: onNode,
            skipsDamage: losses != nil)
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

    /// What of it lies in a range, given where it stands itself; nil where that is nothing.
    func clamped(at position: Int, to range: Range<Int>) -> StreamPart? {
        let own = position..<(position + count)
        let wanted = range.clamped(to: own)
        guard !wanted.isEmpty else { return nil }
        return split(at: wanted.lowerBound - position).1.split(at: wanted.count).0
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
/// decoding ahead on other threads. From a far store it is fetched ahead of the decoders (`FetchPlan`).
/// At the end length and checksum of the whole are compared.
///
/// A class: it owns threads. Used by one thread.
final class StreamReader {
    private let snapshot: SnapshotReader
    private let stream: Manifest.Stream
    private let surroundings: Surroundings
    /// Nil where the manifest holds the content itself.
    private var list: ListCursor?
    /// What is wanted and not planned yet, in order.
    private var ranges: ArraySlice<Range<Int>>
    private let isWhole: Bool
    /// Where in the stream what is planned ends.
    private var end = 0
    /// How much is wanted that is not planned yet, about.
    private var bytesLeft: Int
    private let decoders: Pipeline<StretchDecoder>
    /// Nil where the store is near.
    private var fetches: FetchPlan?

    /// What was planned and not yet given out, oldest first.
    private var planned: [(start: Int, what: Planned)] = []
    private var next = 0
    /// The stretch being gathered, not yet among what is planned.
    private var open = Stretch()
    private var openStart = 0
    /// Stretches that are planned and not yet with the decoders.
    private var waiting: [Stretch] = []
    /// Those with the decoders, where they may be damaged.
    private var decoding: [Stretch] = []
    private var lastChunk: FoundChunk?
    private var isPlanned = false

    private var checksum: StreamChecksum
    private(set) var byteCount = 0
    /// Where in the stream the part begins that was given out last. Of ranges it may begin before what is
    /// wanted, and end behind it: chunks are given whole.
    private(set) var partStart = 0
    private var isFinished = false
    private static let stretchBytes = 1 << 20
    /// Runs of zeros are not held against the memory that a plan takes, only their number.
    private static let plannedMax = 1024

    private enum Planned {
        /// The oldest stretch that the decoders have not given back yet.
        case stretch
        case zeros(Int)
        case content(Slice)
    }

    fileprivate init(
        _ stream: Manifest.Stream, _ snapshot: SnapshotReader, _ surroundings: Surroundings,
        only ranges: [Range<Int>]?
    ) throws {
        isWhole = ranges == nil
        self.ranges = (ranges ?? [0..<stream.byteCount])[...]
        bytesLeft = self.ranges.reduce(0) { $0 + $1.count }
        self.stream = stream
        self.snapshot = snapshot
        self.surroundings = surroundings
        if case .content(let bytes) = stream.list {
            planned = [(0, .content(Slice(copying: bytes)))]
            isPlanned = true
        } else {
            list = ListCursor(try snapshot.list(stream))
        }
        checksum = StreamChecksum(key: stream.checksumKey)
        let pool = BufferPool(capacity: Self.stretchBytes + Limits.chunkBytes)
        let (context, finder, decoded) = (snapshot.context, snapshot.finder, snapshot.decoded)
        fetches = snapshot.fetching.map { FetchPlan($0, finder) }
        // What the manifest holds itself needs no threads.
        let workers = isPlanned ? 0 : surroundings.workers
        decoders = Pipeline(workers: workers, inFlight: workers + 2) {
            try StretchDecoder(context, finder, decoded, pool: pool)
        }
    }

    deinit {
        decoders.stop()
        fetches?.end()
    }

    /// What comes next; nil at the end, once the whole has been proven if all of it is read.
    func part() throws -> StreamPart? {
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
        try plan()
        guard next < planned.count else {
            try finish()
            return nil
        }
        let part: StreamPart
        partStart = planned[next].start
        switch planned[next].what {
        case .zeros(let count): part = .zeros(count)
        case .content(let slice): part = .bytes(slice)
        case .stretch:
            part = .bytes(try decoded(at: planned[next].start))
            fetches?.stretchDone()
        }
        next += 1
        byteCount += part.count
        guard byteCount <= stream.byteCount || !isWhole else {
            throw OperationError.checksumDiffers("snapshot \(snapshot.snapshot.id.short)")
        }
        add(part)
        return part
    }

    /// The oldest stretch that the decoders have.
    private func decoded(at start: Int) throws -> Slice {
        let stretch = snapshot.losses.map { _ in decoding.removeFirst() }
        do {
            guard let bytes = try decoders.take() else {
                preconditionFailure("what is planned is being decoded")
            }
            return bytes
        } catch {
            guard isDamage(error), let stretch, let losses = snapshot.losses else { throw error }
            return try salvage(stretch, at: start, losses)
        }
    }

    /// What of a stretch can be had, zeros in the place of the rest.
    private func salvage(_ stretch: Stretch, at start: Int, _ losses: Losses) throws -> Slice {
        let result = Buffer(capacity: stretch.byteCount)
        var end = 0
        for found in stretch.chunks {
            let room = result.room(end..<(end + found.byteCount))
            do {
                try snapshot.lists.chunk(found.id).withBytes { room.copyMemory(from: $0) }
            } catch  where isDamage(error) {
                room.initializeMemory(as: UInt8.self, repeating: 0)
                losses.add(stream.role, (start + end)..<(start + end + found.byteCount))
            }
            end += found.byteCount
        }
        return Slice(result, 0..<end)
    }

    // MARK: planning

    /// Looks ahead in the list and has decoded what will be needed, as far as there is room.
    private func plan() throws {
        if next == planned.count || next >= Self.plannedMax / 2 {
            planned.removeFirst(next)
            next = 0
        }
        if fetches != nil {
            // At least what comes next, however much others have told.
            while canPlan, fetches?.wantsMore == true || next == planned.count { try planBatch() }
        } else {
            while canPlan, decoders.count + waiting.count < decoders.capacity { try planPiece() }
        }
        var begun = 0
        while begun < waiting.count, !decoders.isFull {
            decoders.submit(waiting[begun])
            if snapshot.losses != nil { decoding.append(waiting[begun]) }
            begun += 1
        }
        waiting.removeFirst(begun)
    }

    private var canPlan: Bool { !isPlanned && planned.count < Self.plannedMax }

    /// Looks as far ahead as is told of at once, and tells what that needs.
    private func planBatch() throws {
        while canPlan, fetches?.isFull == false { try planPiece() }
        fetches?.tell(rest: isPlanned ? 0 : max(1, bytesLeft))
    }

    private func planPiece() throws {
        while let range = ranges.first, range.upperBound <= end { ranges.removeFirst() }
        guard let range = ranges.first else {
            isPlanned = true
            submitOpen()
            return
        }
        let position = max(end, range.lowerBound)
        guard let piece = try list?.piece(at: position) else {
            throw malformed("it ends too early")
        }
        if piece.range.lowerBound != end { submitOpen() }
        guard let id = piece.id, let found = try found(id, piece.range) else {
            let zeros = position..<min(piece.range.upperBound, range.upperBound)
            if piece.isLost || piece.id != nil { snapshot.losses?.add(stream.role, zeros) }
            submitOpen()
            end = zeros.upperBound
            planned.append((position, .zeros(zeros.count)))
            bytesLeft -= zeros.count
            return
        }
        lastChunk = found
        if open.byteCount == 0 { openStart = piece.range.lowerBound }
        end = piece.range.upperBound
        bytesLeft -= end - position
        append(found)
    }

    /// Where a chunk of the list lies; nil where that is nowhere, and zeros will do.
    private func found(_ id: ChunkID, _ range: Range<Int>) throws -> FoundChunk? {
        do {
            let found = try repeated(id) ?? snapshot.finder.find(id, after: lastChunk)
            guard found.byteCount == range.count else {
                throw malformed("a chunk has another length")
            }
            return found
        } catch  where snapshot.losses != nil && isDamage(error) {
            return nil
        }
    }

    private func repeated(_ id: ChunkID) -> FoundChunk? { lastChunk?.id == id ? lastChunk : nil }

    private func append(_ chunk: FoundChunk) {
        open.append(chunk)
        if open.byteCount >= Self.stretchBytes { submitOpen() }
    }

    private func submitOpen() {
        guard open.byteCount > 0 else { return }
        waiting.append(open)
        fetches?.gather(open)
        planned.append((openStart, .stretch))
        open = Stretch()
    }

    private func malformed(_ why: String) -> WireError {
        .malformed("a list of snapshot \(snapshot.snapshot.id.short) is malformed: \(why)")
    }

    // MARK: the whole

    private func add(_ part: StreamPart) {
        // Of files each is proven by itself (`FileProof`).
        if isWhole && !stream.sumsFiles { checksum.update(part) }
    }

    private func finish() throws {
        guard !isFinished else { return }
        isFinished = true
        guard isWhole, snapshot.losses?.hasLost(stream.role) != true else { return }
        var used = StreamChecksum(key: stream.checksumKey)
        swap(&used, &checksum)
        let isRight = equalInConstantTime(used.finish(), stream.checksum)
        guard byteCount == stream.byteCount, stream.sumsFiles || isRight
        else {
            throw OperationError.checksumDiffers("snapshot \(snapshot.snapshot.id.short)")
        }
    }
}
