import Snapshots
import WireFormat

/// All that decides which snapshots stay. No clock, no store: the same input, the same decisions.
package struct RetentionInput: Sendable {
    /// All that this key can see, whether they are asked about or not: chains and groups reach
    /// across series.
    package var snapshots: [Snapshot]
    package var policies: Policies
    package var holds: [Hold]
    package var acknowledged: Set<ObjectID>
    /// When what is gone had been made, by series.
    package var forgotten: [SeriesName: [Int64]]
    /// The store's clock, milliseconds since 1970.
    package var now: Int64
    /// The series that are decided about; nil for all. The others stay as they are.
    package var asked: Set<String>?
    /// A series may lose its last good snapshot to `--max-age`.
    package var allowEmpty: Bool
    /// Much of a series of a write key may go at once.
    package var really: Bool
    package var zone: @Sendable (String?) throws -> ZoneOffsets
    /// For tests; all in earnest.
    package var protections: Protections

    package init(
        snapshots: [Snapshot], policies: Policies, holds: [Hold] = [],
        acknowledged: Set<ObjectID> = [], forgotten: [SeriesName: [Int64]] = [:], now: Int64,
        asked: Set<String>? = nil, allowEmpty: Bool = false, really: Bool = false,
        protections: Protections = .all, zone: @escaping @Sendable (String?) throws -> ZoneOffsets
    ) {
        self.snapshots = snapshots
        self.policies = policies
        self.holds = holds
        self.acknowledged = acknowledged
        self.forgotten = forgotten
        self.now = now
        self.asked = asked
        self.allowEmpty = allowEmpty
        self.really = really
        self.protections = protections
        self.zone = zone
    }
}

/// A series: the same name with another key is another one.
package struct SeriesName: Hashable, Sendable, Comparable {
    package let name: String
    package let domain: DomainID

    package init(_ name: String, _ domain: DomainID) {
        self.name = name
        self.domain = domain
    }

    package static func < (a: SeriesName, b: SeriesName) -> Bool {
        (a.name, a.domain) < (b.name, b.domain)
    }
}

extension Snapshot {
    package var seriesName: SeriesName { SeriesName(head.series, domain) }

    /// By the store's clock; what was not listed yet is last.
    func isCommitted(before other: Snapshot) -> Bool {
        let (mine, others) = (committed ?? .max, other.committed ?? .max)
        return mine == others ? id < other.id : mine < others
    }
}

package struct RetentionDecision: Sendable {
    package let snapshot: Snapshot
    package let keeps: Bool
    /// Why it stays, or goes; one at least.
    package let reasons: [String]
    /// The stored policy that holds for its series.
    package let policy: String?
}

/// What is to be done, and what stands against doing it.
package struct RetentionPlan: Sendable {
    /// By series, the oldest first; only those that were asked about.
    package let decisions: [RetentionDecision]
    package let refusals: [RetentionError]
    package let anomalies: [Anomaly]

    package var dropped: [Snapshot] { decisions.filter { !$0.keeps }.map { $0.snapshot } }

    /// Throws the first thing that stands against it.
    package func check() throws { if let first = refusals.first { throw first } }
}

extension RetentionInput {
    /// Decides about every snapshot.
    /// - Complexity: O(n log n), and groups by the square of how many snapshots they tie together.
    package func plan() throws -> RetentionPlan {
        var board = DecisionBoard(self)
        let series = Dictionary(grouping: snapshots) { $0.seriesName }.sorted { $0.key < $1.key }
        var anomalies: [Anomaly] = []
        for (name, members) in series {
            guard asked?.contains(name.name) ?? true, let policy = policies.policy(for: name.name)
            else {
                for snapshot in members { board.keep(snapshot, .noPolicy) }
                continue
            }
            let retention = try retention(of: members, name, policy.rules)
            for (id, reasons) in retention.reasons() { board.keep(id, name.domain, reasons) }
            if let maxAge = policy.rules.maxAge { board.expire(members, olderThan: maxAge) }
            anomalies += retention.anomalies()
        }
        board.hold()
        board.settle()
        let decisions = series.flatMap { board.decisions(of: $0.value) }
        return RetentionPlan(
            decisions: decisions.filter { asked?.contains($0.snapshot.head.series) ?? true },
            refusals: refusals(decisions), anomalies: anomalies)
    }

    private func retention(
        of members: [Snapshot], _ name: SeriesName, _ rules: RetentionRules
    ) throws -> SeriesRetention {
        SeriesRetention(
            members, rules: rules, zone: try zone(rules.timezone), now: now,
            acknowledged: acknowledged, forgotten: forgotten[name] ?? [],
            protections: protections)
    }

    /// What of some series somebody should look at, whatever their policies.
    package func anomalies(of series: Set<String>) throws -> [Anomaly] {
        let members = Dictionary(grouping: snapshots.filter { series.contains($0.head.series) }) {
            $0.seriesName
        }
        return try members.sorted { $0.key < $1.key }.flatMap { name, members in
            try retention(of: members, name, policies.policy(for: name.name)?.rules ?? .init())
                .anomalies()
        }
    }

    private func refusals(_ decisions: [RetentionDecision]) -> [RetentionError] {
        guard !really, protections.contains(.share) else { return [] }
        let foreign = decisions.filter { $0.snapshot.domain != .shared }
        let series = Dictionary(grouping: foreign) { $0.snapshot.seriesName }
        return series.sorted { $0.key < $1.key }.compactMap { name, decisions in
            let dropped = decisions.count { !$0.keeps }
            // One may always go: it is what a night makes of a short series.
            guard dropped > 1, dropped * 10 > decisions.count * 3 else { return nil }
            return .manyAtOnce(series: name.name, dropped: dropped, total: decisions.count)
        }
    }
}
