import ChunkIndex
import Chunking
import DumpFormats
import Faults
import Files
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// Saves one snapshot.
package func add(_ request: AddRequest, to vault: Vault) throws -> AddOutcome {
    let run = try AddRun(request, vault)
    defer { run.stop() }
    return try run.store.settlingOnFailure { try run.save() }
}

/// A series or a group is a path-like name for people and patterns.
/// - Parameter kind: which of the two.
func checkName(_ name: String, of kind: String) throws {
    func bad(_ why: String) -> OperationError { .badName(name, of: kind, why: why) }
    guard !name.isEmpty else { throw bad("it is empty") }
    guard name.utf8.count <= Limits.nameBytes else {
        throw bad("it has more than \(Limits.nameBytes) bytes")
    }
    guard !name.contains("@") else { throw bad("@ begins the date in a reference") }
    guard !name.hasPrefix("-") else { throw bad("it looks like an option") }
    guard name.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
        throw bad("it has spaces or control characters")
    }
}

/// One run of `add`: what it needs, and its steps in order.
struct AddRun {
    let request: AddRequest
    let vault: Vault
    let context: DomainContext
    let store: ChunkStore
    let series: SeriesHistory
    let history: History
    /// What the snapshot is made against.
    let parent: Snapshot?
    /// Where what deltas stand on is read from; nil where none are made.
    let bases: DomainContext?
    /// The parent as far as it can be read here.
    private let earlier: EarlierSnapshot?
    /// What is wrong with the parent, if it should be readable here and is not.
    private let parentDamage: String?
    let started: Int64

    /// - Parameter started: when, where that is known already.
    init(_ request: AddRequest, _ vault: Vault, started: Int64? = nil) throws {
        try checkName(request.series, of: "series")
        if let group = request.group { try checkName(group, of: "group") }
        self.request = request
        self.vault = vault
        self.started = started ?? vault.surroundings.now()
        history = try History.load(vault, acceptRollback: request.acceptRollback)
        context = try vault.requiredContext(vault.ownDomain)
        _ = try context.keys.cutDecider()
        Self.warnOfHiddenGroup(request, history, vault)
        series = SeriesHistory(snapshots: history.series(request.series, in: context.domain))
        let index = try vault.openIndex(context.domain)
        let packs = try vault.lastingPacks(context, index)
        parent = try Self.parent(request, series, history, context)
        bases = parent == nil || request.deltaLimits == nil ? nil : vault.baseContext(context)
        var problem: (any Error)?
        earlier = EarlierSnapshot(parent, bases) { problem = $0 }
        // Of a far repository only copies are read here, which say nothing of it.
        parentDamage = vault.store.isNear ? problem.map { explanation(of: $0) } : nil
        store = ChunkStore(
            context, index, existing: packs, level: request.level,
            workers: vault.surroundings.workers, bases: bases,
            limits: request.deltaLimits ?? .usual, carried: earlier?.carried)
    }

    func save() throws -> AddOutcome {
        if case .files(let selection) = request.source { return try saveFiles(selection) }
        return try withSource { try saveStream($0) }
    }

    /// Opens the source of a stream.
    func withSource<R>(_ body: (any ByteSource) throws -> R) throws -> R {
        let surroundings = vault.surroundings
        switch request.source {
        case .descriptor(let number):
            return try body(DescriptorSource(number, path: "standard input", surroundings))
        case .file(let path): return try body(try FileSource(path, surroundings))
        case .command(let arguments):
            return try body(try CommandSource(try filledIn(arguments), surroundings))
        case .files: preconditionFailure("files are no stream")
        }
    }

    func stop() { store.stop() }

    /// A name that a series has means the series.
    private static func warnOfHiddenGroup(
        _ request: AddRequest, _ history: History, _ vault: Vault
    ) {
        guard let group = request.group,
            group == request.series
                || history.snapshots.contains(where: { $0.head.series == group })
        else { return }
        vault.surroundings.warn(
            "there is also a series \(group): a reference of that name means the series")
    }

    /// The parent that the request or the series names: what a differential is compared with is the
    /// last full.
    private static func parent(
        _ request: AddRequest, _ series: SeriesHistory, _ history: History, _ context: DomainContext
    ) throws -> Snapshot? {
        guard let reference = request.parent else {
            return request.kind == .differential ? series.lastFull : series.parent
        }
        let parent = try reference.resolve(in: history)
        guard parent.domain == context.domain else {
            throw OperationError.notInOwnDomain(reference.text)
        }
        return parent
    }

    /// The parent's manifest; nil where no deltas are made, or where it cannot be read.
    var parentManifest: Manifest? { earlier?.manifest }

    /// The list of a stream of the parent; nil where there is none that can be read here.
    func parentList(_ role: Manifest.Role) -> ListReader? { earlier?.list(role, store) }

    /// The head but for what the stream itself decides.
    /// - Parameter link: of an increment that a backup program made.
    func draftHead(
        completeness: Head.Completeness, evidence: Head.Evidence, link: NativeLink? = nil
    ) throws -> Head {
        let turn = try WriterTurn(vault, context.domain, history.snapshots)
        let kind = link.map { request.kind ?? $0.kind } ?? request.kind ?? .full
        let lastFull = series.lastFull
        if kind != .full && lastFull == nil && link == nil && !request.allowUnlinked {
            throw OperationError.needsFull(series: request.series)
        }
        var head = Head(
            series: request.series, kind: kind, time: request.time ?? started, started: started,
            ended: vault.surroundings.now(), completeness: completeness, evidence: evidence,
            writer: turn.writer, sequence: turn.sequence)
        head.names = turn.names
        head.parent = kind == .differential ? lastFull?.id : parent?.id
        head.base = kind == .full ? nil : lastFull?.id
        if let link {
            (head.parent, head.base, head.needs) = (link.parent.id, link.base, link.parent.id)
        }
        head.host = request.host ?? vault.surroundings.hostName
        head.tags = request.tags
        head.group = request.group
        if request.time != nil { head.flags.insert(.timeGiven) }
        return head
    }

    /// Compares the length with what is usual, and marks what has shrunk.
    func markShrunk(_ head: inout Head) throws -> String? {
        if request.allowShrink { head.flags.insert(.shrinkAllowed) }
        guard !request.allowShrink,
            let usual = series.usualBytes(kind: head.kind, format: head.format),
            head.bytesRead < usual / 2
        else { return nil }
        let message = "the stream has \(head.bytesRead) bytes, less than half of the usual \(usual)"
        if request.refuseShrink { throw Shrunk(message: message + ": nothing saved") }
        head.flags.insert(.shrunk)
        return message
    }

    /// What is to be said of damaged pages, if there are any.
    func damagedPages(_ writer: StreamWriter) throws -> String? {
        let count = writer.pages.damagedCount
        guard count > 0 else { return nil }
        let named = writer.damagedPages.prefix(10).map {
            "\("\(Path(bytes: $0.path))".prefix(200)) page \($0.page)"
        }
        let more = count > named.count ? ", and more" : ""
        let pages =
            count == 1 ? "a database page is damaged" : "\(count) database pages are damaged"
        let message = "\(pages): \(named.joined(separator: ", "))\(more)"
        if request.strictPages { throw DamagedPages(message: message + ": nothing saved") }
        return message
    }

    /// Damage of earlier snapshots that was come upon. This one does not stand on it.
    var damageNotes: [String] {
        (parentDamage ?? store.damagedBase).map {
            ["earlier snapshots are damaged: \($0); this one is whole: run repo check"]
        } ?? []
    }

    /// Makes everything durable, then makes it a snapshot.
    func publish(_ manifest: Manifest) throws -> (Snapshot, Manifest) {
        var manifest = manifest
        if request.carriesLittle { manifest.inline = try store.takeInline() }
        try store.settle()
        manifest.head.bytesNew = store.bytesNew
        let publication = Publication(
            context: context, signed: vault.signedObjects, store: store,
            surroundings: vault.surroundings)
        let (snapshot, published) = try publication.publish(
            manifest, bytesStoredBefore: store.bytesStored)
        vault.rememberOwn(snapshot)
        if let cache = vault.packCache {
            cache.touch(
                store.reliedOn.map { .pack(context.domain, $0) }, now: vault.surroundings.now())
            cache.trim()
        }
        return (snapshot, published)
    }

    func rule(for format: StreamFormat) -> CuttingRule {
        format.isArchive
            ? .general(vault.config.generalCutting, number: CuttingRule.archiveNumber)
            : rule(isText: format.isText)
    }

    func rule(isText: Bool) -> CuttingRule {
        isText
            ? .text(vault.config.textCutting)
            : .general(vault.config.generalCutting)
    }
}

extension CuttingRule {
    /// Archives, of whose members the cutter is told.
    static let archiveNumber: UInt16 = 4

    static func text(_ cutting: Config.Cutting) -> CuttingRule {
        CuttingRule(
            number: 1, candidates: .rowEnds, minimum: cutting.minimum, average: cutting.average,
            maximum: cutting.maximum)
    }

    /// - Parameter number: 2, 3 where files are cut apart, or 4 for members of archives.
    static func general(_ cutting: Config.Cutting, number: UInt16 = 2) -> CuttingRule {
        CuttingRule(
            number: number, candidates: .general, minimum: cutting.minimum,
            average: cutting.average,
            maximum: cutting.maximum)
    }
}

/// Damaged database pages, refused as asked.
package struct DamagedPages: Explained {
    package let message: String
    package var hint: String? { "look at the server that was backed up: its files are damaged" }
    package var exitCode: ExitCode { .incompleteStream }
}

/// A stream much shorter than usual, refused as asked.
package struct Shrunk: Explained {
    package let message: String
    package var hint: String? { "if it should be so, say --allow-shrink" }
    package var exitCode: ExitCode { .incompleteStream }
}
