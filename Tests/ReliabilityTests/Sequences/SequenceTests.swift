import Glibc
import Synchronization
import TestSupport
import Testing

/// REPO_SEQUENCES says how many. A seed that failed is seen again by
/// SWIFT_DETERMINISTIC_HASHING=1 REPO_TEST_SEED=SEED REPO_SEQUENCES=1.
private let asked = getenv("REPO_SEQUENCES").flatMap { Int(String(cString: $0)) }
private let sequenceCount = asked ?? (isLong ? 10_000 : 30)
/// Sequences share nothing: long runs use two processors.
private let threadCount = isLong ? 2 : 1

@Test func `sequences of all operations agree with a dictionary`() throws {
    let found = Mutex<(sum: RandomRun.Figures, done: Int, faults: [String])>(
        (RandomRun.Figures(), 0, []))
    let began = ContinuousClock.now
    let next = Atomic(0)
    let threads = (0..<threadCount).map { _ in
        startThread {
            while found.withLock({ $0.faults.isEmpty }) {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < sequenceCount else { return }
                let seed = testSeed &+ UInt64(number)
                do {
                    let run = try RandomRun(seed: seed)
                    let fault = run.run()
                    found.withLock { found in
                        found.sum.add(run.figures)
                        found.done += 1
                        if let fault { found.faults.append(fault) }
                    }
                } catch {
                    found.withLock { $0.faults.append("seed \(seed): \(error)") }
                }
            }
        }
    }
    for thread in threads { thread.join() }
    let (sum, done, faults) = found.withLock { $0 }
    for fault in faults { Issue.record("\(fault)") }
    let steps = sum.steps.values.reduce(0, +)
    let kinds = RandomRun.stepNames.map { "\(sum.steps[$0] ?? 0) \($0)" }.joined(separator: ", ")
    print(
        "# sequences: \(done) from seed \(testSeed) on, \(steps) steps (\(kinds)):"
            + " \(sum.saved) snapshots saved (\(sum.deltas) with deltas), \(sum.copied) copied,"
            + " \(sum.dropped) dropped, \(sum.refused) refusals, \(sum.packsDeleted) packs deleted,"
            + " deltas made anew by \(sum.rebased) prunes; \(sum.restored) restored and compared;"
            + " \(began.duration(to: .now))")
    fflush(nil)
    guard faults.isEmpty, done >= 30 else { return }
    // What is never done proves nothing.
    for name in RandomRun.stepNames { #expect((sum.steps[name] ?? 0) > 0, "\(name)") }
    #expect(sum.copied > done && sum.dropped > done / 2 && sum.refused > done / 2)
    #expect(sum.deltas > done / 4 && sum.packsDeleted > 0)
    if done >= 1000 { #expect(sum.rebased > 0) }
}
