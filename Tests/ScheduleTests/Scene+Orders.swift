import ObjectStorage
import PackStore
import TestSupport
import WireFormat

extension Scene {
    /// What came of trying many orders.
    struct Outcome {
        var fault: String?
        var plays = 0
        var states = 0
        /// How many of them differ in what is stored or was said: that decides whether something is lost.
        var looks = 0
        var sum = Notes.Outcome()
    }

    private struct Look: Hashable {
        let stored: Int
        let said: Notes.Said
    }

    /// Tries all orders with so many preemptions. Everything that must be so is looked at in every state; then
    /// again when all have died in it and a prune has gone over what they left.
    func explore(_ stage: Stage, _ world: World, preemptionsMax: Int) throws -> Outcome {
        let setting = try set(on: stage)
        let exploration = Exploration(preemptionsMax: preemptionsMax)
        var outcome = Outcome()
        var looked: Set<Look> = []
        while outcome.fault == nil {
            let store = MemoryStore(copying: setting.store)
            let notes = Notes(setting.notes.acknowledged)
            let chronicle = Chronicle(clients: clients.count, setting.names)
            func fault() -> String? {
                let look = Look(stored: chronicle.stored, said: notes.said)
                guard looked.insert(look).inserted else { return nil }
                outcome.looks += 1
                do {
                    return try stage.fault(store, notes) ?? stage.faultAfterRecovery(store, notes)
                } catch {
                    return "\(error)"
                }
            }
            let isOne = exploration.begin(chronicle) {
                outcome.fault = fault()
                return outcome.fault == nil
            }
            guard isOne else { break }
            play(exploration, world, stage, setting, notes) { number in
                ScheduledStore(store, world, client: number, chronicle: chronicle)
            }
            if outcome.fault == nil, !world.isBrokenOff {
                outcome.fault =
                    try fault() ?? stage.obstacle(store, notes) ?? notes.outcome.surprises.first
            }
            outcome.sum.add(notes.outcome)
        }
        outcome.plays = exploration.playCount
        outcome.states = exploration.stateCount
        return outcome
    }

    /// Tries orders drawn from seeds, until something is lost.
    /// - Parameters:
    ///   - mutant: a fault of the protocol. It may surprise as it likes: what counts is what is lost.
    ///   - playsMax: so many are tried.
    func draw(
        _ stage: Stage, _ world: World, mutant: Mutant, playsMax: Int
    ) throws -> Outcome {
        let setting = try set(on: stage)
        var outcome = Outcome()
        while outcome.fault == nil, outcome.plays < playsMax {
            let store = MemoryStore(copying: setting.store)
            let notes = Notes(setting.notes.acknowledged)
            let schedule = DrawnSchedule(
                seed: testSeed &+ UInt64(outcome.plays),
                restlessness: (mutant.restsAtReads ? [8, 16, 64] : [16, 32, 64])[outcome.plays % 3])
            play(schedule, world, stage, setting, notes, blindness: mutant.blindness) { number in
                let scheduled = ScheduledStore(
                    store, world, client: number, restsAtReads: mutant.restsAtReads)
                return mutant.store(for: side(of: clients[number]), scheduled)
            }
            outcome.plays += 1
            outcome.fault =
                try stage.fault(store, notes) ?? stage.obstacle(store, notes)
                ?? stage.faultAfterRecovery(store, notes)
        }
        return outcome
    }

    /// - Parameter way: by which a client comes to the store.
    private func play(
        _ schedule: any Schedule, _ world: World, _ stage: Stage, _ setting: Setting, _ notes: Notes,
        blindness: FrameTable.Blindness? = nil, _ way: @escaping (Int) -> any ObjectStore
    ) {
        let jobs = clients.enumerated().map { number, tasks in
            {
                let vault = stage.vault(way(number), seed: UInt64(10 + number))
                let client = Client(vault: vault, notes: notes)
                FrameTable.$blindness.withValue(blindness) {
                    for task in tasks where !client.do(task, stage, setting) { return }
                }
            }
        }
        world.play(schedule, jobs)
    }

    private func side(of tasks: [Task]) -> Mutant.Side {
        if case .prune = tasks[tasks.count - 1] { .pruner } else { .writer }
    }
}
