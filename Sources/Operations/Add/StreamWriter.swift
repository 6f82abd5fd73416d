import Chunking
import DumpFormats
import PackStore
import Sealing
import Snapshots
import WireFormat
import Workers

/// Takes one stream in: cuts it, names the chunks on other threads, stores what is new, builds its
/// list.
///
/// Bytes are read straight into its window, so that nothing is copied but the end of a window that
/// the next one needs again. A class: it owns threads. Used by one thread.
final class StreamWriter {
    let rule: CuttingRule
    private let contentClass: ContentClass
    private let role: Manifest.Role
    private let store: ChunkStore
    private let naming: Pipeline<ChunkNaming>
    private var cutter: SteeredCutter
    private var decider: CutDecider
    private let checksums: Pipeline<Checksumming>
    /// Where in the window bytes begin that the checksum has not been given.
    private var unsummed = CuttingRule.historyBytes
    private let checksumKey: [UInt8]
    /// Whether each file has a checksum of its own, instead of the whole.
    private let sumsFiles: Bool
    private var fileChecksums: [[UInt8]] = []
    private let list: ListWriter
    /// Nil where there is no parent to make deltas against.
    private var runs: RunGatherer?

    private let windows: BufferPool
    private var window: Buffer
    /// The end of the bytes in the window.
    private var end = CuttingRule.historyBytes
    private var pieces: [Piece] = []

    private(set) var byteCount = 0
    private(set) var chunkCount = 0
    /// Whether the window has bytes that were not handed on.
    private var isOpen = false

    /// Whether the stream may hold database pages.
    private let hasPages: Bool
    private var pageFiles = PageFiles()
    private var tally = PageTally()
    /// Where a base backup of PostgreSQL begins in its log, where that is known.
    var backupStart: UInt64?

    /// Shorter parts of members are cut with what stands around them.
    private static let memberBytesMin = 8 << 10
    private static let freshBytes = 512 << 10
    /// What searches may read behind the end.
    private static let slackBytes = 64

    /// - Parameters:
    ///   - window's new bytes are 512 KiB; up to `workers + 2` windows are in flight.
    ///   - parent: the list of the parent's stream of the same role.
    ///   - fileKey: the key of the checksums of files, where the stream is made of files.
    init(
        _ role: Manifest.Role, _ contentClass: ContentClass, rule: CuttingRule,
        _ context: DomainContext, _ store: ChunkStore, workers: Int, parent: ListReader? = nil,
        fileKey: [UInt8]? = nil
    ) throws {
        self.role = role
        self.contentClass = contentClass
        self.rule = rule
        self.store = store
        hasPages = rule.number == CuttingRule.archiveNumber
        runs = parent.map {
            RunGatherer($0, chunkBytesMax: rule.maximum) { store.frames(of: $0) }
        }
        cutter = SteeredCutter(rule: rule)
        decider = try context.keys.cutDecider()
        sumsFiles = fileKey != nil
        let checksumKey =
            try fileKey ?? context.random.draw("stream checksum", key: context.keys.auth)
        self.checksumKey = checksumKey
        checksums = Pipeline(workers: min(workers, 1), inFlight: workers + 2) {
            Checksumming(key: checksumKey)
        }
        let keys = context.keys
        list = ListWriter(namer: try keys.namer(ofClass: ContentClass.list.rawValue), store)
        naming = Pipeline(workers: workers, inFlight: workers + 2) {
            ChunkNaming(namer: try keys.namer(ofClass: contentClass.rawValue))
        }
        windows = BufferPool(
            capacity: CuttingRule.historyBytes + rule.maximum + CuttingRule.zeroRunMinimum
                + Self.freshBytes
                + Self.slackBytes)
        window = windows.take()
        window.room(0..<CuttingRule.historyBytes).initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Where the next bytes of the stream go. Never empty.
    func room() throws -> UnsafeMutableRawBufferPointer {
        if end == window.capacity - Self.slackBytes { try turn(isLast: false) }
        return window.room(end..<(window.capacity - Self.slackBytes))
    }

    /// Tells that so many bytes were put into the room.
    /// - Returns: those bytes, readable until the next call.
    @discardableResult
    func took(_ count: Int) -> UnsafeRawBufferPointer {
        let bytes = window.bytes(end..<(end + count))
        end += count
        byteCount += count
        isOpen = true
        return bytes
    }

    /// Takes in bytes that lie elsewhere.
    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let room = try room()
            let count = min(room.count, rest.count)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            took(count)
            rest = rest.dropFirst(count)
        }
    }

    /// Takes in so many zero bytes.
    func writeZeros(_ count: Int) throws {
        var rest = count
        while rest > 0 {
            let room = try room()
            let now = min(room.count, rest)
            UnsafeMutableRawBufferPointer(rebasing: room[..<now]).initializeMemory(
                as: UInt8.self, repeating: 0)
            took(now)
            rest -= now
        }
    }

    /// Tells of bytes of an archive's member that come next; those before may have been written.
    /// - Parameter places: where the parent has bytes of the same member; nil where that is not known,
    ///   and the places of known chunks must tell.
    func add(_ part: ArchivePart, places: MemberPlaces?) {
        guard part.stream.count >= Self.memberBytesMin else { return }
        if part.isPages { pageFiles.add(part) }
        cutter.add(part.stream, part.isPages ? .pages : .bytes, at: part.offset)
        if let places { runs?.add(part, places: places) }
    }

    /// Cuts here, whatever stands before: a file ends or begins.
    func cutHere() throws {
        cutter.cutHere(start, end: end, decider: &decider, into: &pieces)
    }

    /// Tells that a file ends here: its checksum will be among those that `takeFileChecksums` gives.
    func endFile() throws {
        try sum(.bytes(window, unsummed..<end))
        unsummed = end
        try sum(.finish)
    }

    /// Checksums of files that were not given out before, in the order of the files.
    func takeFileChecksums() -> [[UInt8]] {
        defer { fileChecksums = [] }
        return fileChecksums
    }

    /// Whether an entry of another stream's list can be taken over.
    func canTakeOver(_ entry: ListEntry) -> Bool {
        if case .chunk(let id, _) = entry { store.isStored(id, contentClass) } else { true }
    }

    /// Takes over what another stream's list says of part of a file, whose bytes are not read: a chunk
    /// that can be taken over, or zeros. What stood before was cut here.
    func takeOver(_ entry: ListEntry) throws {
        if isOpen { try turn(isLast: false) }
        while naming.count > 0 { try takeNamed() }
        let count: Int
        switch entry {
        case .chunk(let id, let bytes):
            guard try !store.claim(id, byteCount: bytes, contentClass) else {
                preconditionFailure("what is taken over is stored")
            }
            runs?.known(id, byteCount: bytes)
            chunkCount += 1
            count = bytes
        case .zeros(let zeros):
            runs?.zeros(zeros)
            count = zeros
        case .again: preconditionFailure("a repeat is taken over chunk by chunk")
        }
        try append(entry)
        byteCount += count
    }

    private var start: UnsafePointer<UInt8> {
        UnsafePointer(window.base.assumingMemoryBound(to: UInt8.self))
    }

    /// Cuts what can be cut and goes on with a fresh window.
    private func turn(isLast: Bool) throws {
        cutter.cut(start, end: end, isLast: isLast, decider: &decider, into: &pieces)
        let next = windows.take()
        let kept = cutter.keepFrom
        next.room(0..<(end - kept)).copyMemory(from: window.bytes(kept..<end))
        cutter.rebase(by: kept)
        try sum(.bytes(window, unsummed..<end))
        let job = NamingJob(buffer: window, pieces: pieces, pages: pagesToLookAt())
        window = next
        end -= kept
        unsummed = end
        isOpen = false
        pieces = []
        while naming.isFull { try takeNamed() }
        naming.submit(job)
        if let named = try naming.takeIfReady() { try store(named) }
    }

    private func pagesToLookAt() -> [PageJob] {
        guard hasPages else { return [] }
        return pieces.compactMap { piece in
            switch piece {
            case .chunk(let range):
                pageFiles.next(range.count, range: range, window: start, start: backupStart)
            case .zeros(let count):
                pageFiles.next(count, range: nil, window: start, start: backupStart)
            }
        }
    }

    /// What was found out about database pages.
    var pages: PageTally {
        var all = tally
        all.empty += pageFiles.emptyCount
        return all
    }

    /// Pages that were found damaged: files and pages.
    var damagedPages: [(path: [UInt8], page: Int)] {
        tally.damaged.map { (pageFiles.paths[$0.file], $0.page) }
    }

    private func takeNamed() throws {
        if let named = try naming.take() { try store(named) }
    }

    private func store(_ named: NamedPieces) throws {
        tally.add(named.pages)
        var next = 0
        for piece in named.pieces {
            switch piece {
            case .chunk(let range):
                let id = named.names[next]
                next += 1
                chunkCount += 1
                try store(id, Slice(named.buffer, range))
                try append(.chunk(id, byteCount: range.count))
            case .zeros(let count):
                runs?.zeros(count)
                try append(.zeros(count))
            }
        }
        if contentClass == .data { try store.endOfBuffer() }
    }

    private func store(_ id: ChunkID, _ slice: Slice) throws {
        guard try store.claim(id, byteCount: slice.count, contentClass) else {
            runs?.known(id, byteCount: slice.count)
            return
        }
        guard runs != nil else { return try store.add(id, slice, contentClass) }
        try runs?.new(PackDirectory.Chunk(id: id, byteCount: slice.count), slice) {
            try store.add($0, contentClass)
        }
        for alignment in store.takeAlignments() { runs?.align(alignment) }
    }

    private func append(_ entry: ListEntry) throws {
        try list.append(entry) { runs?.nodes(for: $0) ?? [] }
    }

    /// The stream ended: its description, of a stream of files without its checksum. The writer is used
    /// up, but for the checksums of files.
    func finish() throws -> Manifest.Stream {
        try turn(isLast: true)
        while naming.count > 0 { try takeNamed() }
        naming.stop()
        try runs?.finish { try store.add($0, contentClass) }
        let root = try list.finish { runs?.nodes(for: $0) ?? [] }
        if !sumsFiles { try sum(.finish) }
        while checksums.count > 0 { try takeChecksum() }
        return Manifest.Stream(
            role: role, contentClass: contentClass, byteCount: byteCount, checksumKey: checksumKey,
            checksum: sumsFiles ? [] : fileChecksums.removeLast(), list: root,
            cuttingRule: rule.number)
    }

    private func sum(_ job: ChecksumJob) throws {
        while checksums.isFull { try takeChecksum() }
        checksums.submit(job)
    }

    private func takeChecksum() throws {
        if let checksum = try checksums.take() ?? nil { fileChecksums.append(checksum) }
    }

    func stop() {
        naming.stop()
        checksums.stop()
    }
}

/// Takes in a stream of class list: tables, a catalog. A short one goes into the manifest as it is.
final class MetadataWriter {
    private let role: Manifest.Role
    private let makeWriter: () throws -> StreamWriter
    private let checksumKey: [UInt8]
    private var short: [UInt8] = []
    private var long: StreamWriter?

    init(_ role: Manifest.Role, rule: CuttingRule, _ context: DomainContext, _ store: ChunkStore)
        throws
    {
        self.role = role
        checksumKey = try context.random.draw("stream checksum", key: context.keys.auth)
        makeWriter = { try StreamWriter(role, .list, rule: rule, context, store, workers: 0) }
    }

    func write(_ bytes: [UInt8]) throws {
        if let long { return try long.write(bytes) }
        short += bytes
        guard short.count > Limits.inlineContentBytes else { return }
        let writer = try makeWriter()
        try writer.write(short)
        long = writer
        short = []
    }

    func finish() throws -> Manifest.Stream {
        if let long { return try long.finish() }
        let checksum = StreamChecksum(key: checksumKey)
        short.withUnsafeBytes { checksum.update($0) }
        return Manifest.Stream(
            role: role, contentClass: .list, byteCount: short.count, checksumKey: checksumKey,
            checksum: checksum.finish(), list: .content(short), cuttingRule: 0)
    }

    func stop() { long?.stop() }
}
