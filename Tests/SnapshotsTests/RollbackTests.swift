import Faults
import Snapshots
import Testing
import WireFormat

private func id(_ byte: UInt8) -> ObjectID { ObjectID([UInt8](repeating: byte, count: 16)) }

private func snapshot(_ byte: UInt8, sequence: UInt64, names: [UInt8] = [], writer: UInt8 = 1)
    -> Snapshot
{
    var head = Head(
        series: "s", kind: .full, time: 0, started: 0, ended: 0, completeness: .complete,
        evidence: .none,
        writer: id(writer), sequence: sequence)
    head.names = names.map { id($0) }
    return Snapshot(domain: .shared, id: id(byte), head: head)
}

private func forgotten(_ byte: UInt8, sequence: UInt64) -> ForgottenRecord {
    ForgottenRecord(
        snapshot: id(byte), writer: id(1), sequence: sequence, series: "s", time: 0, recorded: 0,
        reason: .forgotten)
}

@Test func `a whole history misses nothing`() {
    let all = [
        snapshot(1, sequence: 1), snapshot(2, sequence: 2, names: [1]),
        snapshot(3, sequence: 2, names: [1]),
    ]
    #expect(Rollback.missing(all, forgotten: [], remembered: [id(1): 2]).isEmpty)
}

@Test func `what was forgotten on purpose is not missed`() {
    let left = [snapshot(2, sequence: 2, names: [1])]
    #expect(
        Rollback.missing(left, forgotten: [forgotten(1, sequence: 1)], remembered: [id(1): 2])
            .isEmpty)
    #expect(!Rollback.missing(left, forgotten: [], remembered: [:]).isEmpty)
}

@Test func `a hidden snapshot is missed by its number or by the one that followed it`() {
    let gap = [snapshot(1, sequence: 1), snapshot(3, sequence: 3)]
    #expect(!Rollback.missing(gap, forgotten: [], remembered: [:]).isEmpty)
    let twin = [
        snapshot(1, sequence: 1), snapshot(4, sequence: 2),
        snapshot(5, sequence: 3, names: [3, 4]),
    ]
    #expect(!Rollback.missing(twin, forgotten: [], remembered: [:]).isEmpty)
}

@Test func `a head lower than remembered is a rollback`() {
    let all = [snapshot(1, sequence: 1)]
    #expect(Rollback.missing(all, forgotten: [], remembered: [id(1): 1]).isEmpty)
    #expect(!Rollback.missing(all, forgotten: [], remembered: [id(1): 2]).isEmpty)
    #expect(!Rollback.missing([], forgotten: [], remembered: [id(1): 1]).isEmpty)
}

@Test func `what looks rolled back is told with its first sign and the number of others`() {
    let first = Rollback.Missing.snapshot(id(1), before: id(2))
    let one = RolledBack(problems: [first])
    #expect(one.message == "the repository looks rolled back: \(first)")
    #expect(one.message.hasSuffix("snapshot 01010101, which 02020202 followed, is missing"))
    #expect(one.hint?.contains("--accept-rollback") == true)
    #expect(one.exitCode == .rolledBack)
    let three = RolledBack(problems: [first, .number(3, of: id(1)), .all(4, of: id(2))])
    #expect(three.message.hasSuffix(": \(first) (and 2 more)"))
}

@Test func `the numbers that are missing are told, up to what is remembered`() {
    let there = [snapshot(2, sequence: 2), snapshot(5, sequence: 5)]
    func gaps(_ remembered: [ObjectID: UInt64]) -> [Range<UInt64>] {
        Rollback.gaps(there, forgotten: [forgotten(1, sequence: 1)], remembered: remembered).map {
            $0.numbers
        }
    }
    #expect(gaps([:]) == [3..<5])
    #expect(gaps([id(1): 5]) == [3..<5])
    #expect(gaps([id(1): 7]) == [3..<5, 6..<8])
    // A writer of whom nothing is there.
    #expect(gaps([id(9): 2]) == [3..<5, 1..<3])
    // Nobody counts so far.
    let far = Rollback.gaps([snapshot(1, sequence: .max)], forgotten: [], remembered: [:])
    #expect(far.map { $0.numbers } == [1..<(.max)])
}
