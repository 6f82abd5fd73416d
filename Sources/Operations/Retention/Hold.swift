import Snapshots
import WireFormat

/// Forbids that snapshots are dropped: by law, by contract, because of a case in court.
package struct Hold: Sendable, Equatable {
    package let id: ObjectID
    package let record: HoldRecord
    package let patterns: [SeriesPattern]
    package let term: HoldRecord.Term
    /// The record that ended it, if one did.
    package let end: HoldRecord?

    package var name: String { record.name }

    /// Nil for a record that only ends another.
    package init?(id: ObjectID, record: HoldRecord, end: HoldRecord? = nil) {
        guard case .hold(let patterns, let term) = record.content else { return nil }
        self.id = id
        self.record = record
        self.patterns = patterns.map { SeriesPattern($0) }
        self.term = term
        self.end = end
    }

    /// Whether it still forbids anything, or will.
    /// - Parameter now: the store's clock.
    package func isInForce(now: Int64) -> Bool {
        guard end == nil else { return false }
        if case .until(let time) = term { return now < time }
        return true
    }

    /// - Parameter now: the store's clock.
    package func covers(_ snapshot: Snapshot, now: Int64) -> Bool {
        guard isInForce(now: now), patterns.contains(where: { $0.matches(snapshot.head.series) })
        else { return false }
        guard case .age(let span) = term, let start = snapshot.ageStart else { return true }
        return now < span.after(start)
    }

    /// `until 2027-11-21`, `1y`, `for ever`.
    package var termText: String {
        switch term {
        case .until(let time): "until \(Times.local(time - 1).prefix(10))"
        case .age(let span): "until \(span.text) old"
        case .forever: "for ever"
        }
    }
}

extension Hold {
    /// A minimum age that somebody demands.
    package struct Preset: Sendable {
        package let name: String
        package let age: CalendarSpan
        package let source: String
    }

    package static let presets = [
        Preset(
            name: "pci-dss", age: CalendarSpan(1, .years),
            source: "PCI DSS v4.0.1, requirement 10.5.1"),
        Preset(
            name: "hipaa", age: CalendarSpan(6, .years), source: "45 CFR 164.316(b)(2)(i)"),
        Preset(name: "sox", age: CalendarSpan(7, .years), source: "17 CFR 210.2-06"),
    ]
}

extension Snapshot {
    /// From when its age counts, for holds and for what is too old: what the head says where a full
    /// key wrote it and the store's clock agrees; of a write key's the store's clock alone. Nil
    /// where nobody knows yet.
    package var ageStart: Int64? {
        domain == .shared && ClaimedTime(self).isBelieved ? head.time : committed
    }
}
