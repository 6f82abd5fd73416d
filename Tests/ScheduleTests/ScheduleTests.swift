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
    _ seeds: some Sequence<UInt64>, on processor: Int?,
    until isOver: () -> Bool
) throws -> (sum: Notes.Outcome, fault: (seed: UInt64, what: String)?) {
    let stage = try Stage(seed: 20_261_128)
    let world = World(clients: Play.clientCount, processor: processor)
    defer { world.end() }
    var sum = Notes.Outcome()
    for seed in seeds where !isOver() {
        let outcome = try Play(stage: stage, world: world, seed: seed).run()
        sum.add(outcome)
        if let fault = outcome.fault ?? outcome.surprises.first { return (sum, (seed, fault)) }
    }
    return (sum, nil)
}

@Test func `writers, pruners and readers lose nothing, whoever comes first`() throws {
    // A world for each of two processors: they share nothing.
    let worlds = min(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let found = Mutex<(sum: Notes.Outcome, faults: [String])>((Notes.Outcome(), []))
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

/// REPO_SCENE names one scene; all where nobody does.
private let scenes = Scene.all.filter { scene in
    getenv("REPO_SCENE").map { String(cString: $0) == scene.name } ?? true
}

@Test(arguments: scenes)
func `in every order of a scene nothing is lost`(_ scene: Scene) throws {
    let stage = try Stage(seed: 20_261_128)
    let world = World(clients: scene.clients.count, processor: nil)
    defer { world.end() }
    let began = ContinuousClock.now
    // One where nobody asks, and one more in the long form.
    let bound = asked == nil ? 1 : isLong ? scene.preemptionsMax + 1 : scene.preemptionsMax
    let outcome = try scene.explore(stage, world, preemptionsMax: bound)
    defer { fflush(nil) }
    print(
        "\(scene.name): at most \(bound) preemptions: \(outcome.plays) plays,"
            + " \(outcome.states) states, \(outcome.looks) looked through,"
            + " \(outcome.sum.added) saved, \(outcome.sum.failed) failed and said so,"
            + " \(outcome.sum.deleted) packs deleted, \(outcome.sum.held) holds;"
            + " \(began.duration(to: .now))")
    #expect(outcome.fault == nil)
}

private let mutants = Mutant.all.filter { mutant in scenes.contains { $0.name == mutant.scene } }

/// They take minutes: where REPO_MUTANTS asks for them.
@Test(.enabled(if: getenv("REPO_MUTANTS") != nil), arguments: mutants)
func `a fault of the protocol is noticed`(_ mutant: Mutant) throws {
    let stage = try Stage(seed: 20_261_128)
    let scene = Scene.named(mutant.scene)
    let world = World(clients: scene.clients.count, processor: nil)
    defer { world.end() }
    let outcome = try scene.draw(stage, world, mutant: mutant, playsMax: drawsMax)
    print("\(mutant): play \(outcome.plays) of \(scene.name): \(outcome.fault ?? "unnoticed")")
    fflush(nil)
    #expect(outcome.fault != nil)
}

/// A fault that comes through so many orders unnoticed is not noticed.
private let drawsMax = 40_000
