import Glibc
import TestSupport
import Testing

@Test func `writers, pruners and readers lose nothing, whoever comes first`() throws {
    let count = Int(getenv("REPO_SCHEDULES").map { String(cString: $0) } ?? "") ?? 2000
    let stage = try Stage(seed: announcedSeed())
    let world = World(clients: Play.clientCount)
    defer { world.end() }
    let began = ContinuousClock.now
    var sum = Play.Outcome()
    var surprises: [String: Int] = [:]
    for number in 0..<count {
        let seed = testSeed &+ UInt64(number)
        let outcome = try Play(stage: stage, world: world, seed: seed).run()
        if let fault = outcome.fault {
            Issue.record("schedule \(seed): \(fault)")
            break
        }
        sum.added += outcome.added
        sum.failed += outcome.failed
        sum.deleted += outcome.deleted
        sum.died += outcome.died
        sum.read += outcome.read
        for surprise in outcome.surprises { surprises["\(seed) \(surprise)", default: 0] += 1 }
    }
    for (surprise, count) in surprises.sorted(by: { $0.value > $1.value }).prefix(12) {
        print(count, surprise.prefix(300))
    }
    print(
        "\(count) schedules: \(sum.added) added, \(sum.failed) failed, \(sum.died) died,"
            + " \(sum.read) read, \(sum.deleted) packs deleted; \(began.duration(to: .now))")
}
