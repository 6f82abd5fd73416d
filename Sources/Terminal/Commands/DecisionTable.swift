import Operations
import Snapshots
import WireFormat

/// What is kept and what is dropped, and why: the same of a dry run and of the run itself.
struct DecisionTable {
    let plan: RetentionPlan

    func show(_ console: Console) throws {
        if console.isJSON {
            for decision in plan.decisions { try console.out(Self.json(decision)) }
        } else if !plan.decisions.isEmpty {
            try console.out(table)
        }
    }

    /// Says where somebody should look before the rest can go.
    func hint(_ console: Console) {
        let strange = Set(plan.anomalies.map { $0.snapshot.head.series }).sorted()
        for series in strange.prefix(Self.hintsMax) {
            let name = shellWord(printable(series))
            console.hint("something of \(name) should be looked at: repo policy show \(name)")
        }
    }

    private static let hintsMax = 5

    var kept: Int { plan.decisions.count { $0.keeps } }
    var dropped: Int { plan.decisions.count { !$0.keeps } }

    /// Hosts have a column only where they tell something apart.
    private var table: Table {
        let hasHosts = Set(plan.decisions.map { $0.snapshot.head.host }).count > 1
        var table = Table(
            [.init("action"), .init("id"), .init("time"), .init("series")]
                + (hasHosts ? [.init("host")] : []) + [.init("reasons")])
        for decision in plan.decisions {
            let snapshot = decision.snapshot
            table.add(
                [
                    Self.action(decision), snapshot.id.short, Self.time(snapshot),
                    snapshot.head.series,
                ] + (hasHosts ? [snapshot.head.host ?? ""] : [])
                    + [decision.reasons.joined(separator: ", ")])
        }
        return table
    }

    private static func action(_ decision: RetentionDecision) -> String {
        decision.keeps ? "keep" : "drop"
    }

    /// A time that somebody gave, or that a copy has from elsewhere, is told as such.
    private static func time(_ snapshot: Snapshot) -> String {
        let head = snapshot.head
        let note =
            head.origin != nil ? " (copy)" : head.flags.contains(.timeGiven) ? " (given)" : ""
        return Times.local(head.time) + note
    }

    private static func json(_ decision: RetentionDecision) -> JSON {
        .object([
            "type": "decision", "snapshot": .string("\(decision.snapshot.id)"),
            "series": .string(decision.snapshot.head.series),
            "time": .string(Times.utc(decision.snapshot.head.time)),
            "action": .string(action(decision)),
            "reasons": .array(decision.reasons.map { .string($0) }),
            "policy": .optional(decision.policy),
        ])
    }
}
