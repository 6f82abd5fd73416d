import Files
import Operations
import Snapshots
import WireFormat

let minute: Int64 = 60_000
let hours: Int64 = 60 * minute
let days: Int64 = 24 * hours

/// A write key's domain.
let host = DomainID([9, 9, 9, 9, 9, 9, 9, 9])

/// Milliseconds since 1970 of `2026-11-21T04:16`, in UTC.
func utc(_ text: some StringProtocol) -> Int64 {
    guard let time = Times.parse("\(text)Z") else { preconditionFailure("\(text) is no time") }
    return time.first
}

/// Snapshots for decisions: nothing but heads, with ids that count up.
struct Made {
    private(set) var count: UInt64 = 0

    /// - Parameter committed: by the store's clock; nil for a minute after `time`.
    mutating func snapshot(
        _ series: String, _ time: Int64, committed: Int64? = nil,
        domain: DomainID = .shared, _ change: (inout Head) -> Void = { _ in }
    ) -> Snapshot {
        count += 1
        let stored = committed ?? time + minute
        var head = Head(
            series: series, kind: .full, time: time, started: time, ended: stored,
            completeness: .complete, evidence: .both,
            writer: ObjectID([UInt8](repeating: 1, count: 16)), sequence: count)
        head.format = "mysqldump"
        head.bytesRead = 100 << 20
        head.bytesNew = 2 << 20
        change(&head)
        return Snapshot(domain: domain, id: Self.id(count), head: head, committed: stored)
    }

    /// In the order in which they are made, so that ties are as one expects.
    static func id(_ number: UInt64) -> ObjectID {
        ObjectID((0..<16).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) : 0 })
    }
}

func rules(_ change: (inout RetentionRules) -> Void) -> RetentionRules {
    var rules = RetentionRules()
    change(&rules)
    return rules
}

let zones = TimeZones(.kernel)

func input(
    _ snapshots: [Snapshot], _ rules: RetentionRules, now: Int64? = nil,
    _ change: (inout RetentionInput) throws -> Void = { _ in }
) rethrows -> RetentionInput {
    var input = RetentionInput(
        snapshots: snapshots,
        policies: Policies([Policy(pattern: SeriesPattern("*"), rules: rules)]),
        now: now ?? (snapshots.compactMap { $0.committed }.max() ?? 0) + minute,
        zone: { try zones.zone($0) })
    try change(&input)
    return input
}

/// What is decided, by the snapshots' numbers.
struct Decided {
    let plan: RetentionPlan

    init(
        _ snapshots: [Snapshot], _ rules: RetentionRules, now: Int64? = nil,
        _ change: (inout RetentionInput) throws -> Void = { _ in }
    ) throws {
        plan = try input(snapshots, rules, now: now, change).plan()
    }

    func reasons(_ snapshot: Snapshot) -> [String] {
        plan.decisions.first { $0.snapshot.id == snapshot.id }?.reasons ?? []
    }
    func keeps(_ snapshot: Snapshot) -> Bool {
        plan.decisions.contains { $0.snapshot.id == snapshot.id && $0.keeps }
    }
    var kept: [ObjectID] { plan.decisions.filter { $0.keeps }.map { $0.snapshot.id } }
}

/// When the first of `nights` was saved.
let firstNight = utc("2026-03-01T04:00")

/// Nightly snapshots of a series, from March 1, 2026 on, a Sunday.
func nights(
    _ count: Int, _ made: inout Made, domain: DomainID = .shared,
    _ change: (Int, inout Head) -> Void = { _, _ in }
) -> [Snapshot] {
    (0..<count).map { night in
        made.snapshot("shop", firstNight + Int64(night) * days, domain: domain) { change(night, &$0) }
    }
}
