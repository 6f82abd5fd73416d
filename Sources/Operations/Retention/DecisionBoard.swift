import Snapshots
import WireFormat

/// Reasons to keep, gathered for all snapshots, and what follows from them: what is kept keeps what
/// it needs, and what was saved together with it.
struct DecisionBoard {
    private struct Key: Hashable {
        let domain: DomainID
        let id: ObjectID
    }

    private let input: RetentionInput
    /// Newest first: so the reason that stays is the nearest one.
    private let snapshots: [Snapshot]
    private let places: [Key: Int]
    private var reasons: [[KeepReason]]
    /// How old it may become, where it is older.
    private var expired: [CalendarSpan?]

    init(_ input: RetentionInput) {
        self.input = input
        snapshots = input.snapshots.sorted { ($1.head.time, $1.id) < ($0.head.time, $0.id) }
        places = Dictionary(
            snapshots.enumerated().map { (Key(domain: $1.domain, id: $1.id), $0) },
            uniquingKeysWith: { first, _ in first })
        reasons = Array(repeating: [], count: snapshots.count)
        expired = Array(repeating: nil, count: snapshots.count)
    }

    private func place(_ id: ObjectID, _ domain: DomainID) -> Int? {
        places[Key(domain: domain, id: id)]
    }

    mutating func keep(_ id: ObjectID, _ domain: DomainID, _ new: [KeepReason]) {
        if let place = place(id, domain) { reasons[place] += new }
    }

    mutating func keep(_ snapshot: Snapshot, _ reason: KeepReason) {
        keep(snapshot.id, snapshot.domain, [reason])
    }

    /// What is older goes, but for what must stay all the same.
    mutating func expire(_ members: [Snapshot], olderThan maxAge: CalendarSpan) {
        for snapshot in members {
            guard let place = place(snapshot.id, snapshot.domain), let start = snapshot.ageStart,
                input.now >= maxAge.after(start)
            else { continue }
            expired[place] = maxAge
            reasons[place].removeAll { !$0.outlivesMaxAge(allowEmpty: input.allowEmpty) }
        }
    }

    mutating func hold() {
        for (place, snapshot) in snapshots.enumerated() {
            for hold in input.holds where hold.covers(snapshot, now: input.now) {
                let reason = KeepReason.hold(hold.name)
                if !reasons[place].contains(reason) { reasons[place].append(reason) }
            }
        }
    }

    // MARK: what follows

    mutating func settle() {
        let together = together()
        var waiting = snapshots.indices.filter { !reasons[$0].isEmpty }[...]
        while let place = waiting.popFirst() {
            let snapshot = snapshots[place]
            if let needed = snapshot.head.needs.flatMap({ self.place($0, snapshot.domain) }) {
                let isNew = reasons[needed].isEmpty
                let isSaid = reasons[needed].contains {
                    if case .neededBy = $0 { true } else { false }
                }
                if !isSaid { reasons[needed].append(.neededBy(snapshot.id)) }
                if isNew { waiting.append(needed) }
            }
            // What is older than may be stays for what needs it, not to keep others company.
            for mate in together[place] ?? []
            where reasons[mate].isEmpty && (expired[mate] == nil || expired[place] == nil) {
                reasons[mate].append(
                    .with(snapshot.id, group: snapshot.head.group ?? ""))
                waiting.append(mate)
            }
        }
    }

    /// What was saved together with each. A write key claims when it began; so there the store's
    /// clock says, too, what came together.
    private func together() -> [Int: [Int]] {
        let grouped = snapshots.filter { $0.head.group != nil }
        guard !grouped.isEmpty else { return [:] }
        var occurrences = Groups.occurrences(of: grouped).map { $0.snapshots }
        if input.protections.contains(.storeGroups) {
            let byStore = grouped.filter { $0.domain != .shared }.map { snapshot in
                var head = snapshot.head
                head.started = snapshot.committed ?? head.started
                return Snapshot(
                    domain: snapshot.domain, id: snapshot.id, head: head,
                    committed: snapshot.committed)
            }
            occurrences += Groups.occurrences(of: byStore).map { $0.snapshots }
        }
        var together: [Int: [Int]] = [:]
        for occurrence in occurrences where occurrence.count > 1 {
            let members = occurrence.compactMap { place($0.id, $0.domain) }
            for member in members { together[member, default: []] += members }
        }
        return together
    }

    // MARK: the end

    /// Of one series, the oldest first.
    func decisions(of members: [Snapshot]) -> [RetentionDecision] {
        let policy = members.first.flatMap { input.policies.policy(for: $0.head.series) }
        let name = policy.flatMap { $0.isStored ? $0.pattern.text : nil }
        return members.sorted { ($0.head.time, $0.id) < ($1.head.time, $1.id) }.compactMap {
            snapshot in
            guard let place = place(snapshot.id, snapshot.domain) else { return nil }
            return RetentionDecision(
                snapshot: snapshot, keeps: !reasons[place].isEmpty, reasons: texts(place),
                policy: name)
        }
    }

    private func texts(_ place: Int) -> [String] {
        let tooOld = expired[place].map { "older than max-age \($0.text)" }
        guard reasons[place].isEmpty else {
            return reasons[place].map { $0.text + (tooOld.map { " (\($0))" } ?? "") }
        }
        if let tooOld { return [tooOld] }
        let head = snapshots[place].head
        if head.flags.contains(.shrunk) { return ["shrunk: fills no slot"] }
        if head.completeness == .incomplete { return ["incomplete: fills no slot"] }
        return ["no rule keeps it"]
    }
}
