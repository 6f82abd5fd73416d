import Faults
import Files
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// One run of prune: snapshots, then packs, then what is left of uploads and indexes.
struct PruneRun {
    private let request: PruneRequest
    private let vault: Vault
    /// By the store's clock.
    private let now: Int64
    private let domains: [DomainID]
    var outcome = PruneOutcome()
    /// There was no room for all that was to be written.
    private var full: FileError?

    init(_ request: PruneRequest, _ vault: Vault, now: Int64) throws {
        self.request = request
        self.vault = vault
        self.now = now
        domains = try vault.allDomains()
    }

    mutating func run() throws {
        let options = request.options
        if request.isDryRun {
            outcome.snapshotsDropped = request.dropped.count
        } else {
            // What goes without a word needs no room: the disk may be full.
            outcome.bytesFreed += try vault.store.removeRemains(
                before: now - options.keepIncomplete)
            try removeSnapshots()
        }
        let leftOut = request.isDryRun ? Set(request.dropped.map { $0.id }) : []
        let failure = try prunePacks(leavingOut: leftOut)
        if vault.store.locks, !request.isDryRun {
            outcome.objectsLocked = try LockExtension(vault: vault).run()
        }
        if !request.isDryRun { vault.store.makeReserve() }
        if let failure { throw failure }
        guard let full else { return }
        guard outcome.snapshotsDropped + outcome.snapshotsAbandoned + outcome.packsDeleted > 0 else {
            throw full
        }
        vault.surroundings.warn("there was no room for all of it: run prune again")
    }

    /// What is wrong in one domain, which may be a single host's, keeps no space from the others.
    /// - Returns: what was wrong first.
    private mutating func prunePacks(leavingOut leftOut: Set<ObjectID>) throws -> Unprunable? {
        var first: Unprunable?
        for domain in domains {
            do {
                let replaced =
                    request.options.rebases ? try rebase(domain, leavingOut: leftOut) : []
                try prunePacks(of: domain, leavingOut: leftOut, replaced: replaced)
            } catch let error as Unprunable {
                if first == nil { first = error } else { vault.surroundings.warn(error.message) }
            }
        }
        return first
    }

    /// - Returns: segments that nothing has to stand on any more.
    private mutating func rebase(
        _ domain: DomainID, leavingOut leftOut: Set<ObjectID>
    ) throws -> Set<PackDirectory.SegmentName> {
        let rebase = try Rebase(vault, domain, request.options, leavingOut: leftOut)
        if !request.isDryRun { try rebase.run() }
        let written = request.isDryRun ? rebase.plan.bytesWritten : rebase.bytesWritten
        outcome.bytesRebased += written
        outcome.bytesRewritten += written
        if request.isDryRun { outcome.bytesFreed += rebase.plan.bytesFreed }
        outcome.damaged += rebase.damaged
        return request.isDryRun ? [] : rebase.plan.freed
    }

    private mutating func prunePacks(
        of domain: DomainID, leavingOut leftOut: Set<ObjectID>,
        replaced: Set<PackDirectory.SegmentName>
    ) throws {
        for attempt in 1...Self.attemptsMax {
            let packs = try PackPruning(
                vault, domain, request.options, now: now, leavingOut: leftOut,
                replaced: replaced)
            var isLast = true
            do {
                if !request.isDryRun { try packs.run() }
            } catch is Overtaken {
                isLast = attempt == Self.attemptsMax
                if isLast {
                    vault.surroundings.warn(
                        "other prunes go on at the same time: not all could be freed, this time")
                }
            }
            take(packs.outcome)
            guard !isLast else { return takeFigures(packs.outcome) }
        }
    }

    private static let attemptsMax = 5

    /// Of the last attempt only.
    private mutating func takeFigures(_ packs: PackOutcome) {
        outcome.bytesLater += packs.bytesLater
        outcome.bytesLive += packs.figures.liveBytes
        outcome.bytesUnused += packs.figures.deadBytes
        outcome.chunks += packs.chunks
    }

    private mutating func take(_ packs: PackOutcome) {
        outcome.packsCondemned += packs.packsCondemned
        outcome.packsDeleted += packs.packsDeleted
        outcome.damaged += packs.damaged
        full = full ?? packs.full
        if request.isDryRun {
            // In the end: by runs of today and later.
            outcome.bytesFreed += packs.figures.removableBytes + packs.bytesLater
            outcome.bytesRewritten += packs.figures.rewrittenBytes
        } else {
            outcome.bytesFreed += packs.bytesFreed
            outcome.bytesRewritten += packs.bytesRewritten
        }
    }

    // MARK: snapshots

    private mutating func removeSnapshots() throws {
        let removal = SnapshotRemoval(vault: vault, now: now)
        let history = request.history
        // What earlier runs condemned and did not end.
        var left = try removal.finishRemains()
        let leftIDs = Set(left.map { $0.id })
        let wanted = wanted(history, left)
        let dropped = wanted.filter { !leftIDs.contains($0.id) }.map {
            SnapshotRemoval.Candidate($0, .forgotten)
        }
        // A tombstone is no decision: one of a snapshot that was taken for abandoned may stand on one that
        // counts.
        let wantedIDs = Set(wanted.map { $0.id })
        left = left.map { candidate in
            wantedIDs.contains(candidate.id)
                ? SnapshotRemoval.Candidate(
                    candidate.snapshot, .forgotten, since: candidate.since)
                : candidate
        }
        let abandoned = try self.abandoned(history).filter { !leftIDs.contains($0.id) }
        let new = try removal.condemnWhatFits(dropped + abandoned)
        full = new.full
        // Where listings lag, what needs one of them is seen only after a while.
        let settle = request.options.settle ?? 0
        let due =
            vault.isEventual
            ? left.filter { now - ($0.since ?? now) >= settle } : left + new.condemned
        let removed = try removal.remove(due, history.snapshots)
        for candidate in removed.removed {
            if candidate.reason == .abandoned {
                outcome.snapshotsAbandoned += 1
            } else {
                outcome.snapshotsDropped += 1
            }
        }
        outcome.kept = removed.kept.map { ($0.candidate.id, $0.why.text) }
        try removal.removeOrphans(try orphans())
    }

    /// What is given up: with what groups saved together with something of which an earlier run gave up a
    /// part.
    private func wanted(
        _ history: History, _ left: [SnapshotRemoval.Candidate]
    ) -> [Snapshot] {
        var wanted = request.dropped
        var ids = Set(wanted.map { $0.id })
        let begun = Set(left.filter { $0.reason != .abandoned }.map { $0.id })
        for occurrence in Groups.occurrences(of: history.snapshots)
        where occurrence.snapshots.contains(where: { begun.contains($0.id) }) {
            for snapshot in occurrence.snapshots where ids.insert(snapshot.id).inserted {
                wanted.append(snapshot)
            }
        }
        return wanted
    }

    /// Manifests that have been without a commit for long.
    private func abandoned(_ history: History) throws -> [SnapshotRemoval.Candidate] {
        let counted = Set(history.snapshots.map { $0.id })
        var found: [SnapshotRemoval.Candidate] = []
        for domain in domains {
            let context = try vault.requiredContext(domain)
            let store = SnapshotStore(context)
            let young = now - request.options.keepIncomplete
            let old = try context.store.list(.snapshots(domain)).filter { $0.modified <= young }
            for case .snapshot(_, let id) in old.map({ $0.name }) where !counted.contains(id) {
                guard try context.store.byteCount(of: .commit(domain, id)) == nil else { continue }
                do {
                    let head = try store.manifest(id, expecting: nil).head
                    let snapshot = Snapshot(domain: domain, id: id, head: head)
                    found.append(SnapshotRemoval.Candidate(snapshot, .abandoned))
                } catch StorageError.missing {
                    continue
                } catch  where isDamage(error) {
                    vault.surroundings.warn(
                        "snapshot \(id.short) was never finished and cannot be read:"
                            + " \(explanation(of: error))")
                }
            }
        }
        return found
    }

    /// Commits without a manifest.
    private func orphans() throws -> [(domain: DomainID, id: ObjectID)] {
        var found: [(domain: DomainID, id: ObjectID)] = []
        for (domain, commits) in try vault.committed() {
            let manifests = Set(try SnapshotStore(vault.requiredContext(domain)).manifests())
            for id in commits.map({ $0.id }) where !manifests.contains(id) {
                if try vault.signedObjects.tombstone(.snapshot, id) == nil {
                    found.append((domain, id))
                }
            }
        }
        return found
    }
}
