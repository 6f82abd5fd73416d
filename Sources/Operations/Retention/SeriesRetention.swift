import Snapshots
import WireFormat

/// What the rules say of one series in one domain, before chains, groups and holds.
struct SeriesRetention {
    let rules: RetentionRules
    let zone: ZoneOffsets
    /// The store's clock.
    let now: Int64
    let acknowledged: Set<ObjectID>
    /// Of this series: when what was dropped had been made, in order.
    let forgotten: [Int64]
    let protections: Protections

    private let isForeign: Bool
    /// In the order of their commits where a host with a key of its own wrote them, else of their
    /// times.
    private let snapshots: [Snapshot]
    /// The time that decides about slots; nil for what fills none.
    private let times: [Int64?]
    /// Floods and jumps that nobody acknowledged, in the order of their commits.
    private let strange: [Anomaly]

    /// With write keys about, this is kept where a policy does not say what.
    static let foreignWithin = CalendarSpan(30, .days)

    init(
        _ snapshots: [Snapshot], rules: RetentionRules, zone: ZoneOffsets, now: Int64,
        acknowledged: Set<ObjectID>, forgotten: [Int64], protections: Protections
    ) {
        self.rules = rules
        self.zone = zone
        self.now = now
        self.acknowledged = acknowledged
        self.forgotten = forgotten
        self.protections = protections
        isForeign = snapshots.first.map { $0.domain != .shared } ?? false
        let ordersByStore = isForeign && protections.contains(.storeOrder)
        self.snapshots = snapshots.sorted {
            ordersByStore
                ? $0.isCommitted(before: $1)
                : ($0.head.time, $0.id) < ($1.head.time, $1.id)
        }
        times = Self.times(
            self.snapshots, acknowledged, isForeign: isForeign, protections: protections)
        strange =
            isForeign
            ? Self.strange(self.snapshots, forgotten, acknowledged, protections) : []
    }

    private static func strange(
        _ snapshots: [Snapshot], _ forgotten: [Int64], _ acknowledged: Set<ObjectID>,
        _ protections: Protections
    ) -> [Anomaly] {
        let search = AnomalySearch(
            snapshots: protections.contains(.storeOrder)
                ? snapshots : snapshots.sorted { $0.isCommitted(before: $1) },
            forgotten: forgotten, acknowledged: acknowledged)
        return
            ((protections.contains(.floods) ? search.floods() : [])
            + (protections.contains(.jumps) ? search.jumps() : []))
            .sorted { $0.snapshot.isCommitted(before: $1.snapshot) }
    }

    /// Claimed times as far as they are believed. A write key's run from the commit before to its
    /// own: so no snapshot gets in front of one that was there before it, nor into a slot of days
    /// that are over or still to come.
    private static func times(
        _ snapshots: [Snapshot], _ acknowledged: Set<ObjectID>, isForeign: Bool,
        protections: Protections
    ) -> [Int64?] {
        var latest = Int64.min
        return snapshots.map { snapshot in
            if acknowledged.contains(snapshot.id) { return snapshot.head.time }
            guard ClaimedTime(snapshot, checks: protections.checks).isBelieved else { return nil }
            guard isForeign, protections.contains(.storeOrder) else { return snapshot.head.time }
            latest = min(max(latest, snapshot.head.time), snapshot.committed ?? .max)
            return latest
        }
    }

    // MARK: all rules

    /// Why each snapshot is kept; no entry for one that is not.
    func reasons() -> [ObjectID: [KeepReason]] {
        var reasons: [ObjectID: [KeepReason]] = [:]
        func keep(_ index: Int, _ reason: KeepReason) {
            reasons[snapshots[index].id, default: []].append(reason)
        }
        for index in snapshots.indices where times[index] == nil { keep(index, .unbelievedTime) }
        let hosts = hosts()
        for group in hosts { for index in newest(group) { keep(index, .newest) } }
        freeze(keep)
        guard rules.keepsAnything else {
            for index in snapshots.indices { keep(index, .noRule) }
            return reasons
        }
        for group in hosts {
            keepLast(group, keep)
            for kind in SlotKind.allCases { keepSlots(kind, group, keep) }
        }
        for index in snapshots.indices {
            if let within, isYounger(index, than: within) {
                keep(index, .rule("within \(within.text)"))
            }
            for tag in rules.keepTags where snapshots[index].head.tags.contains(tag) {
                keep(index, .rule("tag \(tag)"))
            }
        }
        return reasons
    }

    /// Indexes of the snapshots that share slots.
    private func hosts() -> [[Int]] {
        guard rules.byHost else { return [Array(snapshots.indices)] }
        let groups = Dictionary(grouping: snapshots.indices) { snapshots[$0].head.host ?? "" }
        return groups.sorted { $0.key < $1.key }.map { $0.value }
    }

    /// The newest complete one, and the newest of which nobody can say, where that is newer; of a
    /// series that has neither, whatever is newest.
    private func newest(_ group: [Int]) -> [Int] {
        let latest = { (wanted: (Int) -> Bool) in group.filter(wanted).max { precedes($0, $1) } }
        let complete = latest { times[$0] != nil && snapshots[$0].standing == .complete }
        let unknown = latest { times[$0] != nil && snapshots[$0].standing == .unknown }
        if let complete, let unknown {
            return precedes(complete, unknown) ? [complete, unknown] : [complete]
        }
        return [complete ?? unknown ?? latest { _ in true }].compactMap { $0 }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        (times[a] ?? .min, a) < (times[b] ?? .min, b)
    }

    // MARK: counts and slots

    private func keepLast(_ group: [Int], _ keep: (Int, KeepReason) -> Void) {
        guard rules.keepLast > 0 else { return }
        let standing = group.filter { times[$0] != nil && snapshots[$0].standing != .bad }
            .sorted { precedes($1, $0) }
        for (place, index) in standing.prefix(Int(rules.keepLast)).enumerated() {
            keep(index, .rule(Self.text("last", place, rules.keepLast)))
        }
    }

    private func keepSlots(_ kind: SlotKind, _ group: [Int], _ keep: (Int, KeepReason) -> Void) {
        let count = kind.count(in: rules)
        guard count > 0 else { return }
        var slots: [Slot: [Int]] = [:]
        for index in group where snapshots[index].standing != .bad {
            guard let time = times[index] else { continue }
            slots[kind.slot(of: time, in: zone, weekStart: rules.weekStart), default: []]
                .append(index)
        }
        let filled = slots.values.map { representatives(of: $0) }
            .sorted { precedes($1[0], $0[0]) }
        for (place, standing) in filled.prefix(Int(count)).enumerated() {
            for index in standing { keep(index, .rule(Self.text(kind.rawValue, place, count))) }
        }
    }

    /// What stands for a slot: the first complete one of it. What is complete takes the place of
    /// what nobody can tell, unless a host with a key of its own says so afterwards: then both stay.
    private func representatives(of slot: [Int]) -> [Int] {
        guard let complete = slot.first(where: { snapshots[$0].standing == .complete }) else {
            return [slot[0]]
        }
        let keepsFirst = isForeign && protections.contains(.storeOrder)
        return keepsFirst && slot[0] != complete ? [slot[0], complete] : [complete]
    }

    private static func text(_ rule: String, _ place: Int, _ count: RetentionRules.Count) -> String
    {
        count == RetentionRules.all
            ? "\(rule) \(place + 1)" : "\(rule) \(place + 1) of \(count)"
    }

    // MARK: ages

    /// What is younger stays.
    private var within: CalendarSpan? {
        guard isForeign, protections.contains(.within), rules.keepWithin == nil else {
            return rules.keepWithin
        }
        guard let maxAge = rules.maxAge, maxAge.after(0) < Self.foreignWithin.after(0) else {
            return Self.foreignWithin
        }
        return maxAge
    }

    private func isYounger(_ index: Int, than span: CalendarSpan) -> Bool {
        let snapshot = snapshots[index]
        let claimed = times[index] ?? snapshot.committed
        let time =
            isForeign && protections.contains(.storeAge)
            ? snapshot.committed : claimed
        return (time ?? .max) > span.before(now)
    }

    // MARK: what is strange

    /// Keeps all that was there before what somebody should look at, and that itself: if it went,
    /// nobody would know any more.
    private func freeze(_ keep: (Int, KeepReason) -> Void) {
        guard let latest = strange.last else { return }
        for index in snapshots.indices
        where !latest.snapshot.isCommitted(before: snapshots[index]) {
            keep(index, .frozen(latest.brief))
        }
    }

    /// Everything that `policy acknowledge` would put in order.
    func anomalies() -> [Anomaly] {
        let times = snapshots.indices.filter { self.times[$0] == nil }.map { index in
            let head = snapshots[index].head
            return Anomaly(
                snapshot: snapshots[index], kind: .time,
                text: "time not believed: it says \(Times.utc(head.time))")
        }
        return (times + strange).sorted { $0.snapshot.isCommitted(before: $1.snapshot) }
    }
}

/// What stands between a host that was taken over and the snapshots that were there before. All of
/// it is always on; tests show that each matters by leaving it out.
package struct Protections: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Times are held against the store's clock.
    package static let clock = Protections(rawValue: 1)
    /// A duration of more than two days explains nothing.
    package static let duration = Protections(rawValue: 2)
    /// That a time was given, or a copy was made, is not believed of a write key.
    package static let claims = Protections(rawValue: 4)
    /// What was committed first comes first.
    package static let storeOrder = Protections(rawValue: 8)
    /// What is young stays.
    package static let within = Protections(rawValue: 16)
    /// Young is what the store got of late.
    package static let storeAge = Protections(rawValue: 32)
    package static let floods = Protections(rawValue: 64)
    package static let jumps = Protections(rawValue: 128)
    /// Not much of a series goes at once.
    package static let share = Protections(rawValue: 256)
    /// What came together, by the store's clock, stays together.
    package static let storeGroups = Protections(rawValue: 512)
    package static let all = Protections(rawValue: 1023)

    var checks: ClaimedTime.Checks {
        var checks: ClaimedTime.Checks = []
        if contains(.clock) { checks.insert(.clock) }
        if contains(.duration) { checks.insert(.duration) }
        if contains(.claims) { checks.insert(.claims) }
        return checks
    }
}
