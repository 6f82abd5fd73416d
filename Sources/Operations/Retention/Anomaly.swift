import Snapshots
import WireFormat

/// Something about a snapshot that somebody should look at before anything is dropped because of it.
package struct Anomaly: Sendable {
    package enum Kind: Sendable, Equatable {
        case time
        case flood
        case size
        case newData
    }

    package let snapshot: Snapshot
    package let kind: Kind
    /// For people: `flood: 31 in a week, 7 are usual`.
    package let text: String

    /// What a reason to keep says: `flood on 2026-11-21`, by the store's clock.
    var brief: String {
        let word =
            switch kind {
            case .time: "time not believed"
            case .flood: "flood"
            case .size: "jump in size"
            case .newData: "jump in new data"
            }
        return "\(word) on \(Times.utc(snapshot.committed ?? snapshot.head.time).prefix(10))"
    }
}

/// Finds floods and jumps in a series that a host with a key of its own writes: whoever takes over
/// the host can fill its slots with snapshots that are worth nothing.
struct AnomalySearch {
    static let factor = 4
    static let week: Int64 = 7 * 86_400_000
    private static let weeksMax = 26
    /// Fewer in a week are none, however few are usual.
    private static let floodMin = 8
    /// Below, sizes say nothing.
    private static let bytesMin = 1 << 20
    private static let usualMin = 3
    private static let usualMax = 7

    /// In the order of their commits.
    let snapshots: [Snapshot]
    /// When those that were dropped since were made, in order: they belong to what is usual.
    let forgotten: [Int64]
    let acknowledged: Set<ObjectID>

    // MARK: floods

    /// Snapshots up to which, within a week of the store's clock, came four times what is usual.
    func floods() -> [Anomaly] {
        let commits = snapshots.map { Self.sane($0.committed ?? 0) }
        let made = (commits + forgotten.map { Self.sane($0) }).sorted()
        guard let first = made.first else { return [] }
        var found: [Anomaly] = []
        // How many there were in the week before what somebody found in order; only those that no
        // later one exceeds, so that the first is the most.
        var accepted: [(at: Int64, count: Int)] = []
        var begin = 0
        for (index, snapshot) in snapshots.enumerated() {
            let windowStart = commits[index] - Self.week
            while commits[begin] <= windowStart { begin += 1 }
            let count = index - begin + 1
            guard !acknowledged.contains(snapshot.id) else {
                while let last = accepted.last, last.count <= count { accepted.removeLast() }
                accepted.append((commits[index], count))
                continue
            }
            guard count >= Self.floodMin,
                let weekly = usual(before: windowStart, first: first, made)
            else { continue }
            // That is usual, too, for half a year.
            let halfYearAgo = windowStart - Int64(Self.weeksMax) * Self.week
            while let first = accepted.first, first.at < halfYearAgo { accepted.removeFirst() }
            let usual = max(weekly, 1, accepted.first?.count ?? 0)
            if count / Self.factor >= usual {
                found.append(
                    Anomaly(
                        snapshot: snapshot, kind: .flood,
                        text: "flood: \(count) in a week, \(usual) usual"))
            }
        }
        return found
    }

    /// A time that can be reckoned with, whatever a clock said.
    private static func sane(_ time: Int64) -> Int64 { min(max(time, -1 << 60), 1 << 60) }

    /// The median of the weeks before; nil where there is no whole one.
    private func usual(before time: Int64, first: Int64, _ made: [Int64]) -> Int? {
        var counts: [Int] = []
        var end = time
        while counts.count < Self.weeksMax, end - Self.week >= first - 1 {
            let start = end - Self.week
            counts.append(Self.count(made, upTo: end) - Self.count(made, upTo: start))
            end = start
        }
        guard !counts.isEmpty else { return nil }
        return counts.sorted()[counts.count / 2]
    }

    /// How many of ascending times are not later.
    private static func count(_ times: [Int64], upTo time: Int64) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: jumps

    private struct Likeness: Hashable {
        let kind: Head.Kind
        let format: String?
    }

    private struct Usual {
        var sizes: [Int] = []
        var new: [Int] = []
        /// Whether somebody said that the first of them is as it should be.
        var isAcknowledged = false

        mutating func add(_ head: Head) {
            sizes = (sizes + [head.bytesRead]).suffix(usualMax)
            new = (new + [head.bytesNew]).suffix(usualMax)
        }

        var isKnown: Bool { sizes.count >= (isAcknowledged ? 1 : usualMin) }
    }

    /// Snapshots that are four times, or a quarter, as large as others of their kind and format, or
    /// bring four times as much that is new.
    func jumps() -> [Anomaly] {
        var usual: [Likeness: Usual] = [:]
        var lastFull = 0
        var found: [Anomaly] = []
        for snapshot in snapshots where snapshot.standing != .bad {
            let head = snapshot.head
            let likeness = Likeness(kind: head.kind, format: head.format)
            var known = usual[likeness] ?? Usual()
            if acknowledged.contains(snapshot.id) {
                known = Usual(isAcknowledged: true)
            } else if known.isKnown, let anomaly = Self.jump(snapshot, known, lastFull) {
                // What is strange does not become what is usual by being there.
                found.append(anomaly)
                continue
            }
            known.add(head)
            usual[likeness] = known
            if head.kind == .full { lastFull = head.bytesRead }
        }
        return found
    }

    private static func jump(_ snapshot: Snapshot, _ usual: Usual, _ lastFull: Int) -> Anomaly? {
        let head = snapshot.head
        let size = median(usual.sizes)
        func anomaly(_ kind: Anomaly.Kind, _ what: String, _ is: Int, _ was: Int) -> Anomaly {
            Anomaly(snapshot: snapshot, kind: kind, text: "\(what): \(`is`) bytes, \(was) usual")
        }
        // Increments are small or large as the day was: only one that comes near a full says something.
        let sizeMin = head.kind == .full ? bytesMin : max(bytesMin, lastFull / factor)
        if head.bytesRead >= sizeMin, head.bytesRead / factor >= size {
            return anomaly(.size, "jump in size", head.bytesRead, size)
        }
        if head.kind == .full, size >= bytesMin, head.bytesRead <= size / factor {
            return anomaly(.size, "jump in size", head.bytesRead, size)
        }
        let new = median(usual.new)
        // A night on which much changes is none; one on which nothing is as it was is.
        if head.bytesNew >= max(bytesMin, head.bytesRead / 10), head.bytesNew / factor >= new {
            return anomaly(.newData, "jump in new data", head.bytesNew, new)
        }
        return nil
    }

    private static func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }
}

extension Snapshot {
    /// What it can stand for.
    enum Standing: Sendable {
        case complete
        /// Nobody can say: it stands where nothing complete does.
        case unknown
        /// Cut off, or shrunk.
        case bad
    }

    var standing: Standing {
        if head.flags.contains(.shrunk) { return .bad }
        return switch head.completeness {
        case .complete: .complete
        case .unknown: .unknown
        case .incomplete: .bad
        }
    }
}
