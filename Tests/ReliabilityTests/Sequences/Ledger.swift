import Operations
import Snapshots
import WireFormat

/// A snapshot that a repository must have, and what it must give back.
struct Entry {
    let snapshot: Snapshot
    let content: Content
    /// Where it was made first: alike in all copies of it.
    let origin: Head.Origin
    let isCopy: Bool
    /// Of the add that made it: one that saves in two repositories makes two of one number.
    let number: Int

    var id: ObjectID { snapshot.id }
    var head: Head { snapshot.head }
    var isGood: Bool { head.completeness != .incomplete && !head.flags.contains(.shrunk) }
}

/// What a repository must hold by what was done to it, and what may be dropped of it. Plain and slow, and
/// nothing of it is asked of the code that is tested: its rules are those of `--keep-last`, of groups and of
/// chains (docs/cli.md).
struct Ledger {
    struct Hold {
        let pattern: String
        /// By the run's clock; nil for ever.
        let until: Int64?
    }

    private(set) var entries: [ObjectID: Entry] = [:]
    var policies: [String: UInt32] = [:]
    var holds: [String: Hold] = [:]

    /// Oldest first.
    var all: [Entry] {
        entries.values.sorted { ($0.head.time, $0.id) < ($1.head.time, $1.id) }
    }

    mutating func add(_ entry: Entry) { entries[entry.id] = entry }
    mutating func remove(_ ids: some Sequence<ObjectID>) {
        for id in ids { entries[id] = nil }
    }

    func series(_ name: String, _ domain: DomainID) -> [Entry] {
        all.filter { $0.head.series == name && $0.snapshot.domain == domain }
    }

    // MARK: holds

    static func matches(_ pattern: String, _ series: String) -> Bool {
        pattern == "*" || pattern == series
    }

    func isHeld(_ entry: Entry, now: Int64) -> Bool {
        holds.values.contains {
            Self.matches($0.pattern, entry.head.series) && now < $0.until ?? .max
        }
    }

    // MARK: groups

    /// Which were saved together: of one group, within 12 hours of the first, no two of a series.
    func occurrences() -> [[Entry]] {
        var found: [[Entry]] = []
        let grouped = all.filter { $0.head.group != nil }
        let names = Set(grouped.map { "\($0.snapshot.domain) \($0.head.group ?? "")" })
        for name in names.sorted() {
            var last: [Entry] = []
            for entry in grouped.filter({ "\($0.snapshot.domain) \($0.head.group ?? "")" == name })
                .sorted(by: { ($0.head.started, $0.id) < ($1.head.started, $1.id) })
            {
                let isNear = last.first.map { entry.head.started - $0.head.started <= 43_200_000 }
                if isNear != true || last.contains(where: { $0.head.series == entry.head.series }) {
                    if !last.isEmpty { found.append(last) }
                    last = []
                }
                last.append(entry)
            }
            if !last.isEmpty { found.append(last) }
        }
        return found
    }

    func occurrence(of entry: Entry) -> [Entry]? {
        occurrences().first { $0.contains { $0.id == entry.id } }
    }

    // MARK: what may go

    /// What a prune must keep at least; of what full keys wrote, no more than that.
    func kept(now: Int64) -> Set<ObjectID> {
        var kept = Set(all.filter { isHeld($0, now: now) }.map { $0.id })
        for (name, members) in Dictionary(grouping: all, by: { $0.snapshot.seriesName }) {
            guard let count = policies[name.name] ?? policies["*"] else {
                kept.formUnion(members.map { $0.id })
                continue
            }
            // What a write key claims of times is not believed of copies: those stay, whichever they are.
            if name.domain != .shared && members.contains(where: { $0.isCopy }) { continue }
            let good = members.filter { $0.isGood }
            kept.formUnion(good.suffix(Int(count)).map { $0.id })
            let complete = good.lastIndex { $0.head.completeness == .complete }
            let unknown = good.lastIndex { $0.head.completeness == .unknown }
            if let complete { kept.insert(good[complete].id) }
            if let unknown, unknown > complete ?? -1 { kept.insert(good[unknown].id) }
            if good.isEmpty, let newest = members.last { kept.insert(newest.id) }
        }
        let together = occurrences()
        while true {
            let before = kept.count
            for id in kept { if let needed = entries[id]?.head.needs { kept.insert(needed) } }
            for members in together where members.contains(where: { kept.contains($0.id) }) {
                kept.formUnion(members.map { $0.id })
            }
            if kept.count == before { return kept }
        }
    }

    /// Why these cannot be forgotten together; nil where they can.
    func refusal(toForget going: Set<ObjectID>, allowEmpty: Bool, now: Int64) -> String? {
        for entry in all where going.contains(entry.id) {
            if isHeld(entry, now: now) { return "held" }
            if let together = occurrence(of: entry), !together.allSatisfy({ going.contains($0.id) })
            {
                return "part of a group"
            }
            if all.contains(where: { $0.head.needs == entry.id && !going.contains($0.id) }) {
                return "needed"
            }
            let left = series(entry.head.series, entry.snapshot.domain).filter {
                !going.contains($0.id) && $0.head.completeness != .incomplete
            }
            if left.isEmpty && entry.head.completeness != .incomplete && !allowEmpty {
                return "the last good one"
            }
        }
        return nil
    }

    // MARK: copies

    /// Whether an entry of another repository is here already: in the domain that it would go to; or because it was
    /// made here, or saved here and there at once with write keys.
    /// - Parameters:
    ///   - domain: where it would go.
    ///   - isNeeded: whether what goes there needs it.
    ///   - seesAll: whether more than that domain is seen.
    func hasCopy(of other: Entry, in domain: DomainID, isNeeded: Bool, seesAll: Bool) -> Bool {
        entries.values.contains { mine in
            let isOriginal = !mine.isCopy && mine.origin == other.origin
            let isTwin = !mine.isCopy && !other.isCopy && mine.number == other.number
            if mine.snapshot.domain == domain { return mine.origin == other.origin || isTwin }
            let areWriters = mine.snapshot.domain != .shared && other.snapshot.domain != .shared
            return seesAll && !isNeeded && (isOriginal || isTwin && areWriters)
        }
    }
}
