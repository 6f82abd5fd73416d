import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// Sets aside what is damaged, and puts right what can be: nothing is deleted.
///
/// What is set aside is as good as gone, so the next add of the same data stores it anew. In this order, so
/// that whoever looks at any moment, or goes on after a repair that was stopped, sees no less than there was:
/// what is sound of a damaged pack is in another one, and an index object speaks of it, before the pack goes;
/// a snapshot that is given up has its record before its manifest goes.
/// - Returns: what was done; nothing where snapshots are missing and nobody said that this is known: a repository that was
///   put back, or is not the one that is meant, had better not be changed.
func repair(_ findings: CheckFindings, _ vault: Vault) throws -> [String] {
    guard !findings.isRolledBack else { return [] }
    var run = RepairRun(findings, vault)
    try run.run()
    return run.done
}

struct RepairRun {
    private let findings: CheckFindings
    private let vault: Vault
    /// The folder that all goes to that this run sets aside.
    private let folder: String
    private(set) var done: [String] = []
    /// Snapshots that are given up of which neither manifest nor commit can be read.
    private var unknown: [(domain: DomainID, id: ObjectID)] = []

    init(_ findings: CheckFindings, _ vault: Vault) {
        self.findings = findings
        self.vault = vault
        folder = Times.utc(vault.surroundings.now()).filter { $0.isLetter || $0.isNumber }
    }

    mutating func run() throws {
        let damaged = Set(findings.damaged)
        if damaged.contains(.config) { try repairConfig() }
        for case .key(let id) in sorted(damaged) {
            try setAside(.key(id))
            done.append("whoever used that key needs a new one: repo key add")
        }
        for name in sorted(damaged) {
            switch name {
            case .tombstone: try setAside(name)
            case .record(let kind, _):
                try setAside(name)
                done.append(
                    "look whether \(kind.folder) are as they should be: what it said is lost")
            default: break
            }
        }
        for domain in try vault.allDomains() {
            guard let context = vault.context(domain) else { continue }
            let moved = try repairPacks(damaged, context)
            try repairIndex(damaged, context, known: findings.indexed.union(moved))
            try repairSnapshots(damaged, context)
            try recordGaps(context)
        }
    }

    private func sorted(_ names: Set<ObjectName>) -> [ObjectName] {
        names.sorted { $0.description < $1.description }
    }

    /// Moves an object out of the way, if it is there.
    private mutating func setAside(_ name: ObjectName) throws {
        let other = ObjectName.setAside("\(folder)/\(name)")
        do { try vault.store.rename(name, to: other) } catch StorageError.missing { return }
        done.append("\(name) is \(other) now")
    }

    // MARK: config

    private mutating func repairConfig() throws {
        try setAside(.config)
        try vault.store.put(.config, vault.configObject)
        done.append("config is written anew from the copy that keys hold")
    }

    // MARK: packs

    /// - Returns: packs that what is sound was moved to.
    private mutating func repairPacks(
        _ damaged: Set<ObjectName>, _ context: DomainContext
    ) throws -> Set<ObjectID> {
        let packs = sorted(damaged).compactMap { name -> ObjectID? in
            if case .pack(context.domain, let id) = name { id } else { nil }
        }
        guard !packs.isEmpty else { return [] }
        let index = try vault.openIndex(context.domain)
        _ = try IndexKeeper(context, index).refresh { _, _ in }
        let saver = try PackSaver(context, index, vault.surroundings)
        defer { saver.stop() }
        for pack in packs {
            let (saved, all) = try saver.save(pack)
            if saved > 0 {
                done.append(
                    "\(saved) of \(all) segments of pack \(pack.short) are sound, and moved")
            }
        }
        let moved = try saver.settle()
        for pack in packs { try setAside(.pack(context.domain, pack)) }
        return moved
    }

    // MARK: index objects

    /// - Parameter known: packs that index objects speak of that can be read.
    private mutating func repairIndex(
        _ damaged: Set<ObjectName>, _ context: DomainContext, known: Set<ObjectID>
    ) throws {
        for case .index(context.domain, let id) in sorted(damaged) {
            try setAside(.index(context.domain, id))
        }
        let listed = try context.store.list(.packs(context.domain)).compactMap { $0.name.id }
        var packs: [StoredPack] = []
        var byteCount = 0
        let keeper = IndexKeeper(context, ChunkIndex(inMemory: ()))
        func write() throws {
            guard !packs.isEmpty else { return }
            _ = try keeper.write(packs)
            (packs, byteCount) = ([], 0)
        }
        var count = 0
        for id in listed where !known.contains(id) {
            guard let (directory, pack) = try sound({ try PackDirectories.read(id, context) })
            else { continue }
            packs.append(StoredPack(pack, directory))
            byteCount += pack.directory.count
            count += 1
            if byteCount >= Self.indexBytes { try write() }
        }
        try write()
        if count > 0 {
            done.append("packs that no index object spoke of, and one does now: \(count)")
        }
    }

    /// An index object holds about so much.
    private static let indexBytes = 16 << 20

    // MARK: snapshots

    private mutating func repairSnapshots(
        _ damaged: Set<ObjectName>, _ context: DomainContext
    ) throws {
        let domain = context.domain
        let store = SnapshotStore(context)
        var ids: Set<ObjectID> = []
        for name in damaged where name.domain == domain {
            if let id = name.snapshotID { ids.insert(id) }
        }
        for id in ids.sorted() {
            let head = try sound { try store.head(id) }
            let isWhole = try sound { try store.manifest(id, expecting: head) } != nil
            if isWhole, head == nil {
                // One that has none was never finished, as far as anybody knows.
                if try context.store.byteCount(of: .commit(domain, id)) != nil {
                    try rewriteCommit(id, context)
                }
            } else if !isWhole {
                try giveUp(id, head, context)
            }
        }
    }

    /// Nil where it is damaged or gone.
    private func sound<Value>(_ read: () throws -> Value) throws -> Value? {
        do { return try read() } catch  where isDamage(error) { return nil }
    }

    /// A manifest says all that its commit does.
    private mutating func rewriteCommit(_ id: ObjectID, _ context: DomainContext) throws {
        let commit = ObjectName.commit(context.domain, id)
        let store = SnapshotStore(context)
        let object = try context.store.get(.snapshot(context.domain, id))
        var head = try store.manifest(id, expecting: nil).head
        head.manifestHash = Digest32(SHA256.hash(object))
        try setAside(commit)
        try store.commit(try store.seal(head, id: id), id: id)
        done.append("\(commit) is written anew: its manifest is whole")
    }

    private mutating func giveUp(_ id: ObjectID, _ head: Head?, _ context: DomainContext) throws {
        let domain = context.domain
        if let head {
            let record = ForgottenRecord(
                of: head, id, recorded: vault.surroundings.now(), reason: .lost)
            try vault.signedObjects.put(.forgotten, record.bytes, context)
            done.append(
                "snapshot \(id.short) (\(head.series), \(Times.local(head.time))) is given up: its manifest is lost"
            )
        } else if try context.store.byteCount(of: .commit(domain, id)) != nil {
            unknown.append((domain, id))
            done.append("snapshot \(id.short) is given up: its manifest and its commit are lost")
        }
        try setAside(.snapshot(domain, id))
        try setAside(.commit(domain, id))
        try vault.signedObjects.removeTombstone(.snapshot, id)
    }

    // MARK: what is missing

    /// Records what is missing of the numbers of writers, so that it is not missed for ever: as much as was given
    /// up without being read, or all of it where somebody said that it is known.
    private mutating func recordGaps(_ context: DomainContext) throws {
        var (snapshots, forgotten, gaps) = try missing(context)
        if findings.acceptsGaps, try recommit(gaps, context) {
            (snapshots, forgotten, gaps) = try missing(context)
        }
        let count = gaps.reduce(0 as UInt64) { sum, gap in
            let more = sum.addingReportingOverflow(
                gap.numbers.upperBound - gap.numbers.lowerBound)
            return more.overflow ? .max : more.partialValue
        }
        guard count <= Self.gapsMax else {
            done.append(
                "\(count) snapshots are missing in \(context.domain), too many to record: left as it is"
            )
            return
        }
        var ids = unknown.filter { $0.domain == context.domain }.map { $0.id }
        let named = Rollback.missing(snapshots, forgotten: forgotten, remembered: [:]).compactMap {
            if case .snapshot(let id, _) = $0, !ids.contains(id) { id } else { nil }
        }
        guard findings.acceptsGaps || Int(count) <= ids.count && named.isEmpty else { return }
        ids += Set(named).sorted()
        for (writer, numbers) in gaps {
            for number in numbers {
                let id = ids.isEmpty ? try context.newID("lost snapshot") : ids.removeFirst()
                try record(id, writer, number, context)
            }
        }
        // A snapshot that follows another may name one whose number nobody missed.
        let nobody = ObjectID([UInt8](repeating: 0, count: ObjectID.byteCount))
        for id in ids { try record(id, nobody, 0, context) }
    }

    private mutating func record(
        _ id: ObjectID, _ writer: ObjectID, _ number: UInt64, _ context: DomainContext
    ) throws {
        let now = vault.surroundings.now()
        let record = ForgottenRecord(
            snapshot: id, writer: writer, sequence: number, series: "", time: 0, recorded: now,
            reason: .lost)
        try vault.signedObjects.put(.forgotten, record.bytes, context)
        done.append(
            number > 0
                ? "snapshot number \(number) of writer \(writer.short) is recorded as lost"
                : "snapshot \(id.short) is recorded as lost")
    }

    /// A manifest without a commit was never finished; but one whose number is missed had a commit.
    /// - Returns: whether there was one.
    private mutating func recommit(_ gaps: [Gap], _ context: DomainContext) throws -> Bool {
        guard !gaps.isEmpty else { return false }
        let store = SnapshotStore(context)
        let committed = Set(try store.committed())
        var isAny = false
        for id in try store.manifests() where !committed.contains(id) {
            guard let head = try sound({ try store.manifest(id, expecting: nil).head }),
                gaps.contains(where: {
                    $0.writer == head.writer && $0.numbers.contains(head.sequence)
                })
            else { continue }
            try rewriteCommit(id, context)
            isAny = true
        }
        return isAny
    }

    private typealias Gap = (writer: ObjectID, numbers: Range<UInt64>)

    /// The snapshots of a domain, the records of those that were removed, and what is missing between them.
    private func missing(
        _ context: DomainContext
    ) throws -> ([Snapshot], [ForgottenRecord], [Gap]) {
        let history = try History.load(vault, acceptRollback: true, remembers: false)
        let snapshots = history.snapshots.filter { $0.domain == context.domain }
        let forgotten = try History.forgottenRecords(vault).filter { $0.domain == context.domain }
            .map { $0.record }
        let remembered = try vault.cache?.remembered(context.domain) ?? [:]
        return (
            snapshots, forgotten,
            Rollback.gaps(snapshots, forgotten: forgotten, remembered: remembered)
        )
    }

    private static let gapsMax: UInt64 = 10_000
}
