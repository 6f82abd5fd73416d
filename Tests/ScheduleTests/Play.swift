import ObjectStorage
import Snapshots
import TestSupport
import Vault

/// One schedule drawn from a seed: three writers, two pruners and a reader at once, some of whom die.
struct Play {
    let stage: Stage
    let world: World
    let seed: UInt64

    static let clientCount = 6

    func run() throws -> Notes.Outcome {
        var random = SeededRandom(seed: seed)
        let store = MemoryStore(copying: stage.beginning)
        let notes = Notes(stage.streams)
        var jobs: [() -> Void] = []
        var deaths: [Int: (at: Int, isDone: Bool)] = [:]
        for number in 0..<Self.clientCount {
            let own = random.next()
            if random.number(0...5) == 0 {
                deaths[number] = (random.number(1...60), random.number(0...1) == 0)
            }
            let scheduled = ScheduledStore(store, world, client: number)
            let client = Client(vault: stage.vault(scheduled, seed: own), notes: notes)
            switch number {
            case 0..<3: jobs.append { [self] in write(client, own) }
            case 3..<5: jobs.append { [self] in prune(client, own) }
            default: jobs.append { [self] in read(client, own) }
            }
        }
        world.play(
            DrawnSchedule(
                seed: random.next(), restlessness: [16, 64, 200][random.number(0...2)]),
            deaths: deaths, jobs)
        var outcome = notes.outcome
        outcome.fault = try stage.fault(store, notes) ?? stage.obstacle(store, notes)
        outcome.steps = world.steps
        return outcome
    }

    private func write(_ client: Client, _ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<random.number(1...2) {
            guard client.add(stage.stream(&random)) else { return }
        }
    }

    private func prune(_ client: Client, _ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<random.number(1...2) {
            // Any pack may be chosen, however live it is, and any manifest taken for abandoned.
            let unusedMax = [-1, 0, 0.1][random.number(0...2)]
            let isAbandoning = random.number(0...3) == 0
            guard
                client.prune(
                    unusedMax: unusedMax, abandoning: isAbandoning,
                    { _ in random.number(0...3) == 0 })
            else { return }
        }
    }

    private func read(_ client: Client, _ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        _ = client.read { snapshots in
            snapshots.isEmpty ? nil : snapshots[random.number(0...(snapshots.count - 1))]
        }
    }
}
