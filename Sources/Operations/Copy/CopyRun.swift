import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// One run of `copy`: which snapshots, in which order, and what became of them.
final class CopyRun {
    private let request: CopyRequest
    private let source: Vault
    private let target: Vault
    private let sent = SentObjects()
    private let history: History
    private let byID: [ObjectID: Snapshot]
    private let isVerbatim: Bool
    private var targets: [DomainID: CopyTarget] = [:]
    private var origins: CopyOrigins
    private var outcome = CopyOutcome()
    private var bytesDone = 0

    init(_ request: CopyRequest, _ source: Vault, _ target: Vault) throws {
        self.request = request
        self.source = source
        self.target = target
        history = try History.load(source, acceptRollback: request.acceptRollback)
        byID = Dictionary(uniqueKeysWithValues: history.snapshots.map { ($0.id, $0) })
        // A write key sees its own domain only: to it all is sealed anew.
        isVerbatim =
            source.keyring.signingPublicKey == target.keyring.signingPublicKey
            && target.keyring.opensLists
        guard isVerbatim || source.keyring.opensData else { throw CopyError.cannotReseal }
        origins = CopyOrigins(
            from: source.config.repository, to: target.config.repository,
            try History.load(target, acceptRollback: request.acceptRollback).snapshots)
        outcome.isVerbatim = isVerbatim
    }

    func copyAll(_ copied: (Snapshot) throws -> Void) throws -> CopyOutcome {
        let chosen = try chosen()
        let wanted = missing(of: try withNeeded(chosen))
        let ids = Set(wanted.map { $0.id })
        outcome.already = chosen.filter { !ids.contains($0.id) }.count
        let total = wanted.reduce(0) { $0 + $1.head.bytesRead }
        for snapshot in wanted {
            do {
                let copy = try copy(snapshot, total)
                origins.add(copy, of: snapshot)
                outcome.copied.append((copy, snapshot))
                try copied(copy)
            } catch  where isDamage(error) || error is CopyError {
                // What is damaged must not keep the others from being safe.
                outcome.failed.append((snapshot, error))
            }
            bytesDone += snapshot.head.bytesRead
        }
        (outcome.bytesSent, outcome.objectsSent) = (sent.bytes, sent.count)
        try verify()
        return outcome
    }

    // MARK: which

    private func chosen() throws -> [Snapshot] {
        var chosen = history.snapshots
        if !request.references.isEmpty {
            var ids: Set<ObjectID> = []
            for reference in request.references {
                ids.formUnion(try reference.all(in: history).map { $0.id })
            }
            chosen.removeAll { !ids.contains($0.id) }
        }
        if let since = request.since { chosen.removeAll { $0.head.time < since } }
        return chosen
    }

    /// With what they cannot be restored without, which comes before.
    private func withNeeded(_ chosen: [Snapshot]) throws -> [Snapshot] {
        var ordered: [Snapshot] = []
        var seen: Set<ObjectID> = []
        for snapshot in chosen {
            var chain = [snapshot]
            var ids: Set<ObjectID> = [snapshot.id]
            while let needed = chain.last?.head.needs, let next = byID[needed],
                ids.insert(needed).inserted
            {
                chain.append(next)
            }
            for snapshot in chain.reversed() where seen.insert(snapshot.id).inserted {
                ordered.append(snapshot)
            }
        }
        return ordered
    }

    /// Those that are not there; nor may they be in another domain than what needs them goes to.
    private func missing(of ordered: [Snapshot]) -> [Snapshot] {
        var missing: [Snapshot] = []
        var needed: Set<ObjectID> = []
        for snapshot in ordered.reversed() {
            let domain = destination(of: snapshot.domain)
            let copy = origins.copy(of: snapshot, in: domain)
            let isThere = copy.map { $0.domain == domain || !needed.contains(snapshot.id) } ?? false
            guard !isThere else { continue }
            missing.append(snapshot)
            if let id = snapshot.head.needs { needed.insert(id) }
        }
        return missing.reversed()
    }

    // MARK: one snapshot

    private func copy(_ snapshot: Snapshot, _ total: Int) throws -> Snapshot {
        let target = try openTarget(snapshot.domain)
        let reader = try read(snapshot)
        var head = try copiedHead(snapshot, target)
        // Sealed as it is, nothing is named or listed anew.
        let before = isVerbatim ? nil : origins.before(
            snapshot, in: history, copiedTo: target.context.domain)
        let earlier = target.earlier(before?.copy)
        let store = target.chunkStore(against: earlier)
        defer {
            target.take(store)
            store.stop()
        }
        return try store.settlingOnFailure {
            let (done, report) = (bytesDone, source.surroundings.progress)
            let progress = { report(Progress(bytes: done + $0, bytesTotal: total)) }
            var manifest = reader.manifest
            if isVerbatim {
                try VerbatimCopy(reader, store, progress).run()
            } else {
                let copy = try ResealedCopy(reader, store, target, earlier, progress)
                if let before { copy.learn(from: try read(before.source)) }
                manifest.streams = try copy.streams()
                manifest.inline = try store.takeInline()
            }
            try store.settle()
            head.bytesNew = store.bytesNew
            manifest.head = head
            return try publish(manifest, store, target)
        }
    }

    private func publish(
        _ manifest: Manifest, _ store: ChunkStore, _ target: CopyTarget
    ) throws -> Snapshot {
        let publication = Publication(
            context: target.context, signed: self.target.signedObjects,
            store: store, surroundings: self.target.surroundings)
        let (snapshot, _) = try publication.publish(
            manifest, bytesStoredBefore: store.bytesStored)
        target.snapshots.append(snapshot)
        self.target.rememberOwn(snapshot)
        return snapshot
    }

    private func copiedHead(_ snapshot: Snapshot, _ target: CopyTarget) throws -> Head {
        var head = snapshot.head
        let turn = try WriterTurn(self.target, target.context.domain, target.snapshots)
        (head.writer, head.sequence, head.names) = (turn.writer, turn.sequence, turn.names)
        head.origin = origins.origin(of: snapshot)
        head.manifestHash = Digest32([UInt8](repeating: 0, count: 32))
        let domain = target.context.domain
        head.parent = head.parent.flatMap { copy(ofID: $0, in: domain) }
        head.base = head.base.flatMap { copy(ofID: $0, in: domain) }
        if let needed = head.needs {
            guard let copy = copy(ofID: needed, in: domain) else {
                throw CopyError.lacksNeeded(snapshot.id.short, needed: needed.short)
            }
            head.needs = copy
        }
        return head
    }

    /// The copy there of a snapshot here.
    private func copy(ofID id: ObjectID, in domain: DomainID) -> ObjectID? {
        let copy = byID[id].flatMap { origins.copy(of: $0, in: domain) }
        return copy?.domain == domain ? copy?.id : nil
    }

    /// The last reader of each domain.
    private var readers: [DomainID: SnapshotReader] = [:]

    private func read(_ snapshot: Snapshot) throws -> SnapshotReader {
        let reader = try SnapshotReader(snapshot, source, after: readers[snapshot.domain])
        readers[snapshot.domain] = reader
        return reader
    }

    /// Where snapshots of a domain go: to the same, so that what is written with different keys stays
    /// apart; with a write key to its own.
    private func destination(of domain: DomainID) -> DomainID {
        target.keyring.writeDomain == nil ? domain : target.ownDomain
    }

    private func openTarget(_ source: DomainID) throws -> CopyTarget {
        let domain = destination(of: source)
        if let known = targets[domain] { return known }
        let opened = try CopyTarget(target, domain, sent, snapshots: origins.snapshots(in: domain))
        targets[domain] = opened
        return opened
    }

    // MARK: the end

    private func verify() throws {
        for target in targets.values.sorted(by: { $0.context.domain < $1.context.domain }) {
            let check = try SentCheck(target, self.target, readsData: request.readsBack)
            let copied = outcome.copied.map { $0.snapshot }.filter {
                $0.domain == target.context.domain
            }
            try check.run(sent.packs(of: target.context.domain), copied, into: &outcome)
        }
        self.target.packCache?.trim()
    }
}
