import Faults
import Files
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// Takes snapshots away, several at once: each is condemned first, then everything that may rely on one is
/// looked at, then those go that nothing relies on (docs/pruning.md, "Snapshots").
///
/// A run that is stopped anywhere is finished by the next.
struct SnapshotRemoval {
    /// Why a snapshot that was to go stays, its tombstone with it.
    enum Obstacle: Equatable {
        case neededBy(ObjectID)
        case held(String)
        /// It was committed after all, while it was being taken for abandoned.
        case committed

        var text: String {
            switch self {
            case .neededBy(let id): "needed by \(id.short)"
            case .held(let name): "hold \(name)"
            case .committed: "it was committed after all"
            }
        }
    }

    /// A snapshot that goes.
    struct Candidate {
        let snapshot: Snapshot
        let reason: Tombstone.Reason
        /// Since when it carries a tombstone, by the store's clock; nil where this run gives it one.
        let since: Int64?

        var domain: DomainID { snapshot.domain }
        var id: ObjectID { snapshot.id }
        var head: Head { snapshot.head }

        init(_ snapshot: Snapshot, _ reason: Tombstone.Reason, since: Int64? = nil) {
            self.snapshot = snapshot
            self.reason = reason
            self.since = since
        }
    }

    let vault: Vault
    /// By the store's clock.
    let now: Int64

    struct Outcome {
        var removed: [Candidate] = []
        var kept: [(candidate: Candidate, why: Obstacle)] = []
    }

    private var signed: SignedObjects { vault.signedObjects }

    /// Publishes that they will be deleted.
    func condemn(_ candidates: [Candidate]) throws {
        for candidate in candidates { try condemn(candidate) }
    }

    private func condemn(_ candidate: Candidate) throws {
        try signed.put(
            Tombstone(
                target: .snapshot, reason: candidate.reason, domain: candidate.domain,
                id: candidate.id, time: vault.surroundings.now()))
    }

    /// The same as far as there is room, and first what nothing stands on.
    func condemnWhatFits(
        _ candidates: [Candidate]
    ) throws -> (condemned: [Candidate], full: FileError?) {
        var condemned: [Candidate] = []
        for candidate in fromTheirEnd(candidates) {
            do {
                try condemn(candidate)
            } catch let error as FileError where error.isForRoom {
                return (condemned, error)
            }
            condemned.append(candidate)
        }
        return (condemned, nil)
    }

    /// Removes what is condemned and nothing relies on. The tombstones are there, and were when this
    /// began.
    func remove(_ candidates: [Candidate], _ known: [Snapshot]) throws -> Outcome {
        var outcome = Outcome()
        var obstacles: [ObjectID: Obstacle] = [:]
        for candidate in candidates where candidate.reason == .abandoned {
            let commit = ObjectName.commit(candidate.domain, candidate.id)
            if try vault.store.byteCount(of: commit) != nil {
                obstacles[candidate.id] = .committed
            }
        }
        // Read anew: whoever adds a hold after this sees the tombstones.
        let holds = try candidates.isEmpty ? [] : vault.allHolds(unreadable: .refused)
        for candidate in candidates where obstacles[candidate.id] == nil {
            guard candidate.reason != .abandoned,
                let hold = holds.first(where: { $0.covers(candidate.snapshot, now: now) })
            else { continue }
            obstacles[candidate.id] = .held(hold.name)
        }
        var needing = try dependents(of: candidates, known)
        for candidate in fromTheirEnd(candidates) {
            if let other = needing[candidate.id]?.min() {
                obstacles[candidate.id] = obstacles[candidate.id] ?? .neededBy(other)
            }
            if let obstacle = obstacles[candidate.id] {
                outcome.kept.append((candidate, obstacle))
                continue
            }
            try remove(candidate)
            outcome.removed.append(candidate)
            if let needed = candidate.head.needs { needing[needed]?.remove(candidate.id) }
        }
        return outcome
    }

    /// What stands on another comes before it, whatever clocks said.
    private func fromTheirEnd(_ candidates: [Candidate]) -> [Candidate] {
        let byID = Dictionary(candidates.map { ($0.id, $0) }) { first, _ in first }
        func depth(_ candidate: Candidate) -> Int {
            var depth = 0
            var needed = candidate.head.needs
            while let id = needed, let next = byID[id], depth <= byID.count {
                depth += 1
                needed = next.head.needs
            }
            return depth
        }
        return candidates.map { (depth($0), $0) }.sorted {
            ($0.0, $0.1.head.time, $0.1.id) > ($1.0, $1.1.head.time, $1.1.id)
        }.map { $0.1 }
    }

    /// By the snapshot that is needed, those that need it: confirmed or not, condemned or not.
    private func dependents(
        of candidates: [Candidate], _ known: [Snapshot]
    ) throws -> [ObjectID: Set<ObjectID>] {
        var needing: [ObjectID: Set<ObjectID>] = [:]
        var heads: [ObjectID: Head] = [:]
        for snapshot in known { heads[snapshot.id] = snapshot.head }
        for candidate in candidates { heads[candidate.id] = candidate.head }
        for domain in Set(candidates.map { $0.domain }).sorted() {
            let store = SnapshotStore(try vault.requiredContext(domain))
            for id in try store.manifests() {
                guard let head = try heads[id] ?? Self.head(id, store) else { continue }
                if let needed = head.needs { needing[needed, default: []].insert(id) }
            }
        }
        return needing
    }

    /// Nil where it has just gone. One that cannot be read may need anything: nothing is removed then.
    private static func head(_ id: ObjectID, _ store: SnapshotStore) throws -> Head? {
        do { return try store.manifest(id, expecting: nil).head } catch StorageError.missing {
            return nil
        }
    }

    /// Record, manifest, commit, tombstone (docs/format.md, sections 15 and 16).
    private func remove(_ candidate: Candidate) throws {
        let context = try vault.requiredContext(candidate.domain)
        try record(candidate, context)
        try context.store.remove(.snapshot(candidate.domain, candidate.id))
        try finish(candidate.domain, candidate.id)
    }

    private func record(_ candidate: Candidate, _ context: DomainContext) throws {
        let record = ForgottenRecord(
            of: candidate.head, candidate.id, recorded: vault.surroundings.now(),
            reason: candidate.reason)
        try signed.put(.forgotten, record.bytes, context)
    }

    /// Removes what is left of a snapshot whose manifest is gone, once its record is there.
    private func finish(_ domain: DomainID, _ id: ObjectID) throws {
        try vault.store.remove(.commit(domain, id))
        try signed.removeTombstone(.snapshot, id)
    }
}

extension SnapshotRemoval {
    /// Ends what earlier runs began and were stopped in, as far as the manifest is gone already.
    /// - Returns: what is condemned and still has one.
    func finishRemains() throws -> [Candidate] {
        var left: [Candidate] = []
        var recorded: Set<ObjectID>?
        let ignored = vault.surroundings.tellIgnored
        for (tombstone, since) in try signed.condemnedSince(.snapshot, ignored: ignored) {
            let (domain, id) = (tombstone.domain, tombstone.id)
            guard let context = vault.context(domain) else { continue }
            let store = SnapshotStore(context)
            let manifest = ObjectName.snapshot(domain, id)
            do {
                // What is damaged can be removed as well: its commit says all that is needed.
                let head = try (try? store.manifest(id, expecting: nil).head) ?? store.head(id)
                if try context.store.byteCount(of: manifest) != nil {
                    let snapshot = Snapshot(domain: domain, id: id, head: head)
                    left.append(Candidate(snapshot, tombstone.reason, since: since))
                    continue
                }
            } catch  where isDamage(error) {
                // A damaged one without a commit is left alone, its tombstone too. One that is gone comes
                // back never.
                guard try context.store.byteCount(of: manifest) == nil else {
                    ignored(manifest, error)
                    continue
                }
            }
            do {
                let head = try store.head(id)
                let known = try recorded ?? History.forgottenSnapshots(vault)
                recorded = known
                if !known.contains(id) {
                    let snapshot = Snapshot(domain: domain, id: id, head: head)
                    try record(Candidate(snapshot, tombstone.reason), context)
                }
            } catch StorageError.missing {
                // So is its commit.
            }
            try finish(domain, id)
        }
        return left
    }

    /// Removes commits whose manifest went while they were being written: a record says so.
    /// - Parameter orphans: commits without a manifest and without a tombstone.
    func removeOrphans(_ orphans: [(domain: DomainID, id: ObjectID)]) throws {
        guard !orphans.isEmpty else { return }
        let recorded = try History.forgottenSnapshots(vault)
        for (domain, id) in orphans where recorded.contains(id) {
            try vault.store.remove(.commit(domain, id))
        }
    }
}
