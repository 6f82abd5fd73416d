import ObjectStorage
import Operations
import PackStore
import Snapshots
import TestSupport
import Vault
import WireFormat

/// One schedule: three writers, two pruners and a reader at once, some of whom die.
struct Play {
    let stage: Stage
    let world: World
    let seed: UInt64
    /// Puts a fault of the protocol before a client's store; nil for none.
    var mutant: Mutant?

    /// What came of it.
    struct Outcome {
        var fault: String?
        var added = 0
        var failed = 0
        var deleted = 0
        var died = 0
        var read = 0
        /// What a client threw that none should.
        var surprises: [String] = []
        var steps = 0

        mutating func add(_ other: Outcome) {
            added += other.added
            failed += other.failed
            deleted += other.deleted
            died += other.died
            read += other.read
            steps += other.steps
        }
    }

    static let clientCount = 6

    func run() throws -> Outcome {
        var random = SeededRandom(seed: seed)
        let store = MemoryStore(copying: stage.beginning)
        let notes = Notes(stage.streams)
        var jobs: [() -> Void] = []
        var deaths: [Int: (at: Int, isDone: Bool)] = [:]
        for client in 0..<Self.clientCount {
            let own = random.next()
            if random.number(0...5) == 0 {
                deaths[client] = (random.number(1...60), random.number(0...1) == 0)
            }
            let scheduled = ScheduledStore(store, world, client: client)
            let way = mutant?.store(for: client < 3 ? .writer : .pruner, scheduled) ?? scheduled
            switch client {
            case 0..<3: jobs.append { [self] in see { write(way, own, notes) } }
            case 3..<5: jobs.append { [self] in see { prune(way, own, notes) } }
            default: jobs.append { [self] in read(scheduled, own, notes) }
            }
        }
        world.play(
            seed: random.next(), restlessness: [16, 64, 200][random.number(0...2)],
            deaths: deaths, jobs)
        var outcome = notes.outcome
        outcome.fault = try stage.fault(
            store, acknowledged: notes.acknowledged, givenUp: notes.givenUp)
        outcome.steps = world.steps
        let visible = Set(try stage.visible(store).map { $0.id })
        if let id = notes.stuck.intersection(visible).min() {
            outcome.fault = outcome.fault ?? "snapshot \(id.short) counts and keeps prune from all"
        }
        return outcome
    }

    private func see(_ body: () -> Void) {
        FrameTable.$blindness.withValue(mutant?.blindness, operation: body)
    }

    /// What the clients tell. One of them runs at a time.
    private final class Notes {
        var acknowledged: [ObjectID: [UInt8]]
        var givenUp: Set<ObjectID> = []
        var stuck: Set<ObjectID> = []
        var outcome = Outcome()

        init(_ acknowledged: [ObjectID: [UInt8]]) { self.acknowledged = acknowledged }

        func note(_ error: any Error, _ who: String) {
            switch error {
            case is World.Killed: outcome.died += 1
            case OperationError.condemned: outcome.failed += 1
            // Somebody died after he published what had been pruned already: until that is abandoned
            // nothing is deleted.
            case let error as Unprunable: stuck.insert(error.snapshot)
            default: outcome.surprises.append("\(who): \(error)")
            }
        }
    }

    private func write(_ store: any ObjectStore, _ seed: UInt64, _ notes: Notes) {
        var random = SeededRandom(seed: seed)
        let vault = stage.vault(store, seed: seed)
        for _ in 0..<random.number(1...2) {
            let stream = stage.stream(&random)
            do {
                notes.acknowledged[try Stage.add(stream, to: "s", vault)] = stream
                notes.outcome.added += 1
            } catch {
                notes.note(error, "a writer")
                if error is World.Killed { return }
            }
        }
    }

    private func prune(_ store: any ObjectStore, _ seed: UInt64, _ notes: Notes) {
        var random = SeededRandom(seed: seed)
        let vault = stage.vault(store, seed: seed)
        for _ in 0..<random.number(1...2) {
            do {
                let history = try History.load(vault)
                var request = PruneRequest(history)
                request.options.grace = 0
                // Any pack may be chosen, however live it is, and any manifest taken for abandoned.
                request.options.unusedMax = [-1, 0, 0.1][random.number(0...2)]
                if random.number(0...3) == 0 { request.options.keepIncomplete = 0 }
                request.dropped = history.snapshots.filter { _ in random.number(0...3) == 0 }
                notes.givenUp.formUnion(request.dropped.map { $0.id })
                notes.outcome.deleted += try Operations.prune(request, vault).packsDeleted
            } catch {
                notes.note(error, "a pruner")
                if error is World.Killed { return }
            }
        }
    }

    private func read(_ store: any ObjectStore, _ seed: UInt64, _ notes: Notes) {
        var random = SeededRandom(seed: seed)
        let vault = stage.vault(store, seed: seed)
        do {
            let snapshots = try History.load(vault).snapshots
            guard !snapshots.isEmpty else { return }
            let snapshot = snapshots[random.number(0...(snapshots.count - 1))]
            do {
                let bytes = try Stage.cat(snapshot, vault)
                notes.outcome.read += 1
                if let stream = notes.acknowledged[snapshot.id], stream != bytes {
                    notes.outcome.surprises.append("a reader got other bytes")
                }
            } catch {
                // What was given up, or taken for abandoned, may go while it is read.
                if error is World.Killed || notes.givenUp.contains(snapshot.id) { return }
                let manifest = ObjectName.snapshot(snapshot.domain, snapshot.id)
                if (try? store.byteCount(of: manifest)) == .some(nil) { return }
                notes.note(error, "a reader")
            }
        } catch { notes.note(error, "a reader") }
    }
}
