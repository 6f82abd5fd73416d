import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// One run over the packs of one domain: choose, copy, condemn, look, rescue, delete (docs/pruning.md,
/// "Packs"; its steps are named as there).
///
/// A class: it is one run.
final class PackPruning {
    private let vault: Vault
    private let context: DomainContext
    private let index: ChunkIndex
    private let keeper: IndexKeeper
    private let options: PruneOptions
    private let now: Int64
    private let live: LiveData
    private let plan: PackPlan
    /// Packs that carried a tombstone when this began, and since when.
    private let before: [ObjectID: Int64]
    private(set) var outcome = PackOutcome()

    /// Reads what is live, and chooses. Nothing is written.
    /// - Parameters:
    ///   - now: by the store's clock.
    ///   - leftOut: snapshots that are taken to be gone.
    init(
        _ vault: Vault, _ domain: DomainID, _ options: PruneOptions, now: Int64,
        leavingOut leftOut: Set<ObjectID>
    ) throws {
        self.vault = vault
        self.options = options
        self.now = now
        context = try vault.requiredContext(domain)
        index = try vault.openIndex(domain)
        keeper = IndexKeeper(context, index)
        let tombstones = try vault.packTombstones(of: domain)
        before = tombstones
        let listed = try context.store.list(.packs(domain))
        live = try LiveData(vault, context, index, condemned: Set(tombstones.keys))
        try live.readManifests(leavingOut: leftOut)
        plan = PackPlan(
            live, listed, condemned: Set(tombstones.keys), youngest: now - options.grace,
            unusedMax: options.unusedMax, repackMax: options.repackMax)
        outcome.figures = plan.figures
        outcome.chunks = live.chunkCount
        outcome.packs = listed.count
        outcome.condemnedBefore = tombstones.count
        let sizes = Dictionary(
            listed.compactMap { object in object.name.pack.map { ($0, object.byteCount) } }
        ) { first, _ in first }
        outcome.bytesLater =
            plan.figures.youngBytes + tombstones.keys.reduce(0) { $0 + (sizes[$1] ?? 0) }
        self.sizes = sizes
    }

    private let sizes: [ObjectID: Int]

    func run() throws {
        try refuseIfLost()
        let chosen = try moveAndCondemn()
        // Whether long enough ago is a matter of progress, not of safety.
        var due = Set(before.filter { now - $0.value >= options.wait }.keys)
        if options.wait == 0 { due.formUnion(chosen) }
        if !due.isEmpty { try deleteIfNothingIsLost(due) }
        try tidyIndex()
    }

    private func deleteIfNothingIsLost(_ due: Set<ObjectID>) throws {
        // P4: all who rely on something that is due, and saw no tombstone, are listed by now.
        try live.readManifests()
        try refuseIfLost()
        if try isEverythingElsewhere(due) { try delete(due) }
    }

    private func tidyIndex() throws {
        let (removed, byteCount) = try keeper.merge { name, error in
            vault.surroundings.warn("\(name) cannot be used: \(explanation(of: error))")
        }
        outcome.indexObjectsRemoved = removed
        outcome.bytesRewritten += byteCount
    }

    /// P1b, P2: what is live is copied first, so that nobody has to upload it again meanwhile.
    private func moveAndCondemn() throws -> [ObjectID] {
        let mover = PackMover(context, index, vault.surroundings)
        defer { mover.stop() }
        var chosen = plan.dead
        for (pack, segments) in plan.wasteful {
            do {
                try mover.move(segments, of: pack)
                chosen.append(pack)
            } catch StorageError.missing {
                // Another prune was faster.
                continue
            } catch  where isDamage(error) {
                vault.surroundings.warn(
                    "pack \(pack.short) is left as it is: \(explanation(of: error))")
                outcome.damaged += 1
            }
        }
        try mover.settle()
        outcome.bytesRewritten += mover.bytesWritten
        for pack in chosen {
            try vault.signedObjects.put(
                Tombstone(
                    target: .pack, reason: .pruned, domain: context.domain, id: pack,
                    time: vault.surroundings.now()))
            outcome.bytesLater += sizes[pack] ?? 0
        }
        outcome.packsCondemned = chosen.count
        return chosen
    }

    /// P5: for everything live, a segment of it in a pack that stays. What is only in packs that go is
    /// copied out of them.
    /// - Returns: false where something cannot be shown: nothing is deleted then.
    private func isEverythingElsewhere(_ due: Set<ObjectID>) throws -> Bool {
        // Seen to be gone by name, whatever a listing shows.
        var gone: Set<ObjectID> = []
        for _ in 0..<Self.roundsMax {
            let condemned = try vault.packTombstones(of: context.domain)
            let existing = try keeper.refresh(vault.surroundings.warn)
            let good = existing.subtracting(condemned.keys).subtracting(due).subtracting(gone)
            let (missing, holders) = elsewhere(good)
            if missing.isEmpty {
                // Where listings lag, each that is counted on is looked at by its name.
                guard context.isEventual else { return true }
                let more = try notThere(holders)
                if more.isEmpty { return true }
                gone.formUnion(more)
                continue
            }
            guard try rescue(missing) else { return false }
        }
        vault.surroundings.warn("other prunes go on at the same time: nothing was deleted, this time")
        return false
    }

    /// What is live and not in these packs; and where the rest is.
    private func elsewhere(
        _ good: Set<ObjectID>
    ) -> (missing: [PackDirectory.SegmentName], holders: Set<ObjectID>) {
        let table = FrameTable(index.outlines, usable: good)
        var missing: [PackDirectory.SegmentName] = []
        var holders: Set<ObjectID> = []
        for name in live.table.needed.keys {
            if let holder = table.holder(of: name) {
                holders.insert(holder.pack)
            } else {
                missing.append(name)
            }
        }
        return (missing.sorted(), holders)
    }

    /// Those that carry a tombstone or are gone: asked for one by one, in this order.
    private func notThere(_ packs: Set<ObjectID>) throws -> Set<ObjectID> {
        var gone: Set<ObjectID> = []
        let (context, signed) = (context, vault.signedObjects)
        try askAll(
            packs.sorted(), atOnce: context.requestsAtOnce,
            {
                try signed.tombstone(.pack, $0) != nil
                    || context.store.byteCount(of: .pack(context.domain, $0)) == nil
            }
        ) { id, isGone in
            if try isGone.get() { gone.insert(id) }
        }
        return gone
    }

    /// More than this, and others undo what this one does.
    private static let roundsMax = 10

    private func rescue(_ segments: [PackDirectory.SegmentName]) throws -> Bool {
        let mover = PackMover(context, index, vault.surroundings)
        defer { mover.stop() }
        let source = SegmentSource(context, index)
        do {
            for name in segments { try mover.add(try source.segment(name)) }
            try mover.settle()
        } catch is LostSegment {
            // Another prune has deleted it since, with all that needed it; or it is looked for in vain.
            throw Overtaken()
        } catch  where isDamage(error) {
            vault.surroundings.warn(
                "nothing is deleted: what is live cannot be moved: \(explanation(of: error))")
            outcome.damaged += 1
            return false
        }
        outcome.bytesRewritten += mover.bytesWritten
        return true
    }

    /// P6, P7.
    private func delete(_ due: Set<ObjectID>) throws {
        for pack in due.sorted() {
            if let signal = vault.surroundings.stopRequested() { throw Interrupted(signal: signal) }
            try context.store.remove(.pack(context.domain, pack))
            try vault.signedObjects.removeTombstone(.pack, pack)
            if let byteCount = sizes[pack] {
                outcome.packsDeleted += 1
                outcome.bytesFreed += byteCount
                outcome.bytesLater -= byteCount
            }
        }
    }

    /// What counts and is lost is damage. What never counted and lacks something cannot come to count:
    /// whoever writes it looks for all that it names before (docs/pruning.md, "Packs").
    private func refuseIfLost() throws {
        var asked: Set<ObjectID> = []
        for (chunk, snapshot) in live.lost where asked.insert(snapshot).inserted {
            guard
                try context.store.byteCount(of: .commit(context.domain, snapshot)) != nil,
                try context.store.byteCount(of: .snapshot(context.domain, snapshot)) != nil
            else { continue }
            throw Unprunable(
                domain: context.domain, snapshot: snapshot, underlying: LostChunk(id: chunk))
        }
    }
}

/// Another prune has changed what this one has read: it begins anew.
struct Overtaken: Error {}

/// What became of the packs of a domain.
struct PackOutcome {
    var figures = PackPlan.Figures()
    var chunks = 0
    var packs = 0
    var condemnedBefore = 0
    var packsCondemned = 0
    var packsDeleted = 0
    var bytesFreed = 0
    var bytesRewritten = 0
    /// Of packs that are not needed, and are deleted by a later run.
    var bytesLater = 0
    var indexObjectsRemoved = 0
    var damaged = 0
}

extension ObjectName {
    var pack: ObjectID? {
        if case .pack(_, let id) = self { id } else { nil }
    }
}

extension Vault {
    /// The packs of a domain that carry a tombstone, and since when by the store's clock. What is not signed
    /// properly is told, and does not count.
    func packTombstones(of domain: DomainID) throws -> [ObjectID: Int64] {
        let written = Dictionary(
            try store.list(.tombstones(.pack)).map { ($0.name, $0.modified) }
        ) { first, _ in first }
        var found: [ObjectID: Int64] = [:]
        for tombstone in try signedObjects.condemned(
            .pack, ignored: { surroundings.warn("\($0) is ignored: \(explanation(of: $1))") })
        where tombstone.domain == domain {
            found[tombstone.id] = written[.tombstone(.pack, tombstone.id)] ?? .max
        }
        return found
    }
}
