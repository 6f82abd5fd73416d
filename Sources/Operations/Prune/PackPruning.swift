import ChunkIndex
import Faults
import Files
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
    /// How long packs are.
    private let sizes: [ObjectID: Int]
    private(set) var outcome = PackOutcome()

    /// Reads what is live, and chooses. Nothing is written.
    /// - Parameters:
    ///   - now: by the store's clock.
    ///   - leftOut: snapshots that are taken to be gone.
    ///   - replaced: segments in the place of which there are others.
    init(
        _ vault: Vault, _ domain: DomainID, _ options: PruneOptions, now: Int64,
        leavingOut leftOut: Set<ObjectID>, replaced: Set<PackDirectory.SegmentName> = []
    ) throws {
        self.vault = vault
        self.options = options
        self.now = now
        context = try vault.requiredContext(domain)
        index = try vault.openIndex(domain)
        keeper = IndexKeeper(context, index)
        let before = try vault.condemnedPacks(of: domain)
        let condemned = Set(before.keys)
        let listed = try context.store.list(.packs(domain))
        live = try LiveData(vault, context, index, condemned: condemned, replaced: replaced)
        try live.readManifests(leavingOut: leftOut)
        plan = PackPlan(
            live, listed, condemned: condemned, youngest: now - options.grace,
            unusedMax: options.unusedMax, repackMax: options.repackMax)
        outcome.figures = plan.figures
        outcome.chunks = live.chunkCount
        let sizes = Dictionary(
            listed.compactMap { object in object.name.id.map { ($0, object.byteCount) } }
        ) { first, _ in first }
        outcome.bytesLater =
            plan.figures.youngBytes + condemned.reduce(0) { $0 + (sizes[$1] ?? 0) }
        (self.before, self.sizes) = (before, sizes)
    }

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
        try ifThereIsRoom {
            outcome.bytesRewritten += try keeper.merge(damaged: vault.surroundings.tellUnusable)
        }
    }

    /// On a full disk that goes which can go: then there is room for the rest, in another run.
    private func ifThereIsRoom(_ write: () throws -> Void) throws {
        do { try write() } catch let error as FileError where error.isForRoom { outcome.full = error }
    }

    /// P1b, P2: what is live is copied first, so that nobody has to upload it again meanwhile.
    /// - Returns: what is condemned now.
    private func moveAndCondemn() throws -> [ObjectID] {
        var chosen = plan.dead
        try ifThereIsRoom { chosen += try rewriteWasteful() }
        let (signed, domain, time) = (vault.signedObjects, context.domain, vault.surroundings.now())
        var condemned: [ObjectID] = []
        try askAll(
            chosen, atOnce: context.requestsAtOnce,
            { pack in
                try signed.put(
                    Tombstone(
                        target: .pack, reason: .pruned, domain: domain, id: pack, time: time))
            }
        ) { pack, isPut in
            try ifThereIsRoom {
                try isPut.get()
                condemned.append(pack)
                outcome.bytesLater += sizes[pack] ?? 0
            }
        }
        outcome.packsCondemned = condemned.count
        return condemned
    }

    /// - Returns: the packs of which all that is live has another place now.
    private func rewriteWasteful() throws -> [ObjectID] {
        let mover = PackMover(context, index, vault.surroundings)
        defer { mover.stop() }
        var moved: [ObjectID] = []
        for (done, (pack, segments)) in plan.wasteful.enumerated() {
            report(done, of: plan.wasteful.count, "packs rewritten")
            do {
                try mover.move(segments, of: pack)
                moved.append(pack)
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
        return moved
    }

    /// P5: for everything live, a segment of it in a pack that stays. What is only in packs that go is
    /// copied out of them.
    /// - Returns: false where something cannot be shown: nothing is deleted then.
    private func isEverythingElsewhere(_ due: Set<ObjectID>) throws -> Bool {
        // Seen to be gone by name, whatever a listing shows.
        var gone: Set<ObjectID> = []
        for _ in 0..<Self.roundsMax {
            let condemned = try vault.condemnedPacks(of: context.domain)
            let existing = try keeper.refresh(vault.surroundings)
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

    /// Those that carry a tombstone or are gone: looked at in this order, each by its name.
    private func notThere(_ packs: Set<ObjectID>) throws -> Set<ObjectID> {
        let condemned = try vault.signedObjects.condemned(among: packs, context)
        return try condemned.union(context.missing(packs.subtracting(condemned)))
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
        let (context, signed) = (self.context, vault.signedObjects)
        let stop = vault.surroundings.stopRequested
        try askAll(
            due.sorted(), atOnce: context.requestsAtOnce,
            { pack in
                if let signal = stop() { throw Interrupted(signal: signal) }
                try context.store.remove(.pack(context.domain, pack))
                try signed.removeTombstone(.pack, pack)
            }
        ) { pack, isDeleted in
            try isDeleted.get()
            if let byteCount = sizes[pack] {
                outcome.packsDeleted += 1
                outcome.bytesFreed += byteCount
                outcome.bytesLater -= byteCount
            }
            outcome.figures.deadBytes -= plan.deadBytes[pack] ?? 0
            report(outcome.packsDeleted, of: due.count, "packs deleted")
        }
    }

    private func report(_ done: Int, of total: Int, _ name: String) {
        vault.surroundings.progress(Progress(done, of: total, name))
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
    var packsCondemned = 0
    var packsDeleted = 0
    var bytesFreed = 0
    var bytesRewritten = 0
    /// Of packs that are not needed, and are deleted by a later run.
    var bytesLater = 0
    var damaged = 0
    /// There was no room for all that was to be written.
    var full: FileError?
}
