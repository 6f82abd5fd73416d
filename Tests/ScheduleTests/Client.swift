import ObjectStorage
import Operations
import Snapshots
import Vault
import WireFormat

/// What the clients of a play did and saw. A class: they share it, and one of them runs at a time.
final class Notes {
    /// Snapshots that must be there, with their streams.
    private(set) var acknowledged: [ObjectID: [UInt8]]
    /// Snapshots that somebody gave up on purpose.
    private(set) var givenUp: Set<ObjectID> = []
    /// Snapshots that somebody was told are held.
    private(set) var held: Set<ObjectID> = []
    /// Snapshots that kept a prune from all.
    private(set) var stuck: Set<ObjectID> = []
    private(set) var outcome = Outcome()
    /// What was added last.
    private(set) var last: ObjectID?
    /// What somebody was told, or has given up: what may be lost follows from it and from what is stored.
    var said: Said { Said(acknowledged: Set(acknowledged.keys), givenUp: givenUp, held: held) }

    struct Said: Hashable {
        let acknowledged: Set<ObjectID>
        let givenUp: Set<ObjectID>
        let held: Set<ObjectID>
    }

    init(_ acknowledged: [ObjectID: [UInt8]]) { self.acknowledged = acknowledged }

    /// What came of a play.
    struct Outcome {
        var fault: String?
        var added = 0
        var failed = 0
        var deleted = 0
        var died = 0
        var read = 0
        var held = 0
        /// What a client threw that none should.
        var surprises: [String] = []
        var steps = 0

        mutating func add(_ other: Outcome) {
            added += other.added
            failed += other.failed
            deleted += other.deleted
            died += other.died
            read += other.read
            held += other.held
            steps += other.steps
        }
    }

    fileprivate func add(_ id: ObjectID, _ stream: [UInt8]) {
        acknowledged[id] = stream
        last = id
        outcome.added += 1
    }

    fileprivate func giveUp(_ snapshots: [Snapshot]) { givenUp.formUnion(snapshots.map { $0.id }) }

    fileprivate func hold(_ snapshots: [Snapshot]) {
        held.formUnion(snapshots.map { $0.id })
        outcome.held += 1
    }

    fileprivate func delete(_ packs: Int) { outcome.deleted += packs }

    fileprivate func read(_ id: ObjectID, _ bytes: [UInt8]) {
        outcome.read += 1
        if let stream = acknowledged[id], stream != bytes {
            outcome.surprises.append("a reader got other bytes")
        }
    }

    fileprivate func note(_ error: any Error, _ who: String) {
        switch error {
        case is World.Killed: outcome.died += 1
        case OperationError.condemned: outcome.failed += 1
        // The full of an increment may be gone before it is looked for, too.
        case is Unlinked where !givenUp.isEmpty: outcome.failed += 1
        // Somebody died after he published what had been pruned already: until that is abandoned
        // nothing is deleted.
        case let error as Unprunable: stuck.insert(error.snapshot)
        default: outcome.surprises.append("\(who): \(error)")
        }
    }
}

/// Somebody who works on the repository, and notes what came of it. What he does answers false once he is
/// dead.
struct Client {
    let vault: Vault
    let notes: Notes

    func add(_ stream: [UInt8], _ change: (inout AddRequest) -> Void = Stage.asRaw) -> Bool {
        attempt("a writer") { notes.add(try Stage.add(stream, to: "s", vault, change), stream) }
    }

    /// - Parameter drops: which of the snapshots there are is given up.
    func prune(unusedMax: Double, abandoning: Bool, _ drops: (Snapshot) -> Bool) -> Bool {
        attempt("a pruner") {
            let history = try History.load(vault)
            var request = PruneRequest(history)
            request.options.grace = 0
            request.options.unusedMax = unusedMax
            if abandoning { request.options.keepIncomplete = 0 }
            request.dropped = history.snapshots.filter(drops)
            notes.giveUp(request.dropped)
            notes.delete(try Operations.prune(request, vault).packsDeleted)
        }
    }

    /// - Parameter chosen: which of the snapshots there are; nil for none.
    func read(_ chosen: ([Snapshot]) -> Snapshot?) -> Bool {
        attempt("a reader") {
            guard let snapshot = chosen(try History.load(vault).snapshots) else { return }
            do {
                notes.read(snapshot.id, try Stage.cat(snapshot, vault))
            } catch {
                // What was given up, or taken for abandoned, may go while it is read.
                if error is World.Killed { throw error }
                if notes.givenUp.contains(snapshot.id) { return }
                let manifest = ObjectName.snapshot(snapshot.domain, snapshot.id)
                if (try? vault.store.byteCount(of: manifest)) == .some(nil) { return }
                throw error
            }
        }
    }

    func hold() -> Bool {
        attempt("a holder") {
            let outcome = try vault.addHold(
                named: "h", patterns: [SeriesPattern("s")], term: .forever)
            notes.hold(outcome.held)
        }
    }

    func condemn(_ pack: ObjectID) -> Bool {
        attempt("a pruner") {
            try vault.signedObjects.put(
                Tombstone(target: .pack, reason: .pruned, domain: .shared, id: pack, time: 0))
        }
    }

    private func attempt(_ who: String, _ body: () throws -> Void) -> Bool {
        do {
            try body()
        } catch {
            notes.note(error, who)
            return !(error is World.Killed)
        }
        return true
    }
}
