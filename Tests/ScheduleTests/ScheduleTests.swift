import Glibc
import Synchronization
import TestSupport
import Testing
import Workers

/// REPO_SCHEDULES says how many; a few where nobody does. A seed that failed is seen again by
/// SWIFT_DETERMINISTIC_HASHING=1 REPO_TEST_SEED=SEED REPO_SCHEDULES=1.
private let asked = getenv("REPO_SCHEDULES").flatMap { Int(String(cString: $0)) }
private let scheduleCount = asked ?? 500

/// Plays schedules one after the other, in one world.
private func play(
    _ seeds: some Sequence<UInt64>, on processor: Int?, mutant: Mutant? = nil,
    until isOver: () -> Bool
) throws -> (sum: Play.Outcome, fault: (seed: UInt64, what: String)?) {
    let stage = try Stage(seed: 20_261_128)
    let world = World(clients: Play.clientCount, processor: processor)
    defer { world.end() }
    var sum = Play.Outcome()
    for seed in seeds where !isOver() {
        let outcome = try Play(stage: stage, world: world, seed: seed, mutant: mutant).run()
        sum.add(outcome)
        // A mutant may surprise as it likes: what counts is what is lost.
        let surprise = mutant == nil ? outcome.surprises.first : nil
        if let fault = outcome.fault ?? surprise { return (sum, (seed, fault)) }
    }
    return (sum, nil)
}

@Test func `writers, pruners and readers lose nothing, whoever comes first`() throws {
    // A world for each of two processors: they share nothing.
    let worlds = min(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let found = Mutex<(sum: Play.Outcome, faults: [String])>((Play.Outcome(), []))
    let began = ContinuousClock.now
    var threads = Threads()
    for number in 0..<worlds {
        _ = threads.start {
            stay(on: number)
            let seeds = stride(from: number, to: scheduleCount, by: worlds).map {
                testSeed &+ UInt64($0)
            }
            let isOver = { found.withLock { !$0.faults.isEmpty } }
            do {
                let (sum, fault) = try play(seeds, on: number, until: isOver)
                found.withLock { found in
                    found.sum.add(sum)
                    if let fault { found.faults.append("seed \(fault.seed): \(fault.what)") }
                }
            } catch {
                found.withLock { $0.faults.append("\(error)") }
            }
        }
    }
    threads.join()
    let (sum, faults) = found.withLock { $0 }
    for fault in faults { Issue.record("\(fault)") }
    print(
        "\(scheduleCount) schedules from \(testSeed) on: \(sum.steps) requests, \(sum.added) saved,"
            + " \(sum.failed) failed and said so, \(sum.died) died, \(sum.read) read,"
            + " \(sum.deleted) packs deleted; \(began.duration(to: .now))")
    // What is never done proves nothing.
    #expect(sum.added > scheduleCount && sum.failed > scheduleCount / 50)
    #expect(sum.died > scheduleCount / 4 && sum.read > scheduleCount / 2)
    #expect(sum.deleted > scheduleCount)
}

@Test(.enabled(if: asked != nil), arguments: Mutant.all)
func `a fault of the protocol is noticed`(_ mutant: Mutant) throws {
    let seeds = (0..<mutantScheduleMax).map { testSeed &+ mutant.seed &+ UInt64($0) }
    let (sum, fault) = try play(seeds, on: nil, mutant: mutant) { false }
    print("\(mutant): \(fault.map { "seed \($0.seed): \($0.what)" } ?? "unnoticed, \(sum.added) saved")")
    #expect(fault != nil)
}

/// A mutant that comes through so many unnoticed is not noticed.
private let mutantScheduleMax = 40_000
