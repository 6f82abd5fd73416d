import Snapshots
import WireFormat

/// What a person calls a snapshot, or what a group saved together (docs/cli.md, "REF").
package struct Reference: Sendable {
    package enum Meaning: Sendable {
        case snapshot(Snapshot)
        /// Where no series has the name, but a group.
        case occurrence(Occurrence)
    }

    package let text: String

    package init(_ text: String) { self.text = text }

    private static let idDigitsMin = 8

    /// The one snapshot that is meant.
    package func resolve(in history: History) throws -> Snapshot {
        switch try meaning(in: history) {
        case .snapshot(let snapshot): return snapshot
        case .occurrence(let occurrence):
            throw OperationError.meansGroup(
                text,
                members: occurrence.snapshots.map { "\($0.id.short) (\($0.head.series))" })
        }
    }

    /// What is meant: one snapshot, or all that a group saved together.
    package func meaning(in history: History) throws -> Meaning {
        if let byID = try resolveID(history) { return .snapshot(byID) }
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard !name.isEmpty else {
            throw OperationError.badReference(text, why: "the series is missing")
        }
        let all = candidates(named: name, in: history)
        guard let first = all.first else {
            throw OperationError.noSuchSnapshot(text, near: nearest(to: name, in: history))
        }
        guard parts.count == 2 && parts[1] != "latest" else { return try latest(of: all) }
        guard let time = Times.parse(parts[1]) else {
            throw OperationError.badReference(text, why: "\(parts[1]) is no date")
        }
        let early = all.filter { $0.time <= time.last }
        guard !early.isEmpty else {
            throw OperationError.noSuchSnapshot(
                text, near: ["\(name) from \(Times.local(first.time)) on"])
        }
        return try latest(of: early)
    }

    /// All that is meant where many may be: of a series or a group without a date all snapshots.
    package func all(in history: History) throws -> [Snapshot] {
        let named = history.snapshots.filter { $0.head.series == text }
        if !named.isEmpty { return named }
        let ofGroup = history.snapshots.filter { $0.head.group == text }
        if !ofGroup.isEmpty { return ofGroup }
        switch try meaning(in: history) {
        case .snapshot(let snapshot): return [snapshot]
        case .occurrence(let occurrence): return occurrence.snapshots
        }
    }

    private struct Candidate {
        let time: Int64
        let domain: DomainID
        let ids: [ObjectID]
        let meaning: Meaning
    }

    /// All of a name, oldest first: a series wins over a group.
    private func candidates(named name: String, in history: History) -> [Candidate] {
        let series = history.snapshots.filter { $0.head.series == name }
        guard series.isEmpty else {
            return series.map {
                Candidate(
                    time: $0.head.time, domain: $0.domain, ids: [$0.id], meaning: .snapshot($0))
            }
        }
        return history.occurrences(of: name).map {
            Candidate(
                time: $0.time, domain: $0.domain, ids: $0.snapshots.map { $0.id },
                meaning: .occurrence($0))
        }
    }

    /// The same name with several keys is several series; the shared domain's is meant, if there is
    /// one.
    private func latest(of candidates: [Candidate]) throws -> Meaning {
        let latest = Dictionary(candidates.map { ($0.domain, $0) }) { $1 }
        let shown = latest.count == 1 ? latest.values.first : latest[.shared]
        guard let shown else {
            throw OperationError.ambiguous(
                text,
                latest.sorted { $0.key < $1.key }.flatMap { $0.value.ids.map { $0.short } })
        }
        return shown.meaning
    }

    private func resolveID(_ history: History) throws -> Snapshot? {
        let digits = text.lowercased()
        guard digits.count >= Self.idDigitsMin, digits.count <= 2 * ObjectID.byteCount,
            digits.allSatisfy({ $0.isHexDigit })
        else { return nil }
        let matching = history.snapshots.filter { $0.id.description.hasPrefix(digits) }
        if matching.count > 1 {
            throw OperationError.ambiguous(text, matching.map { $0.id.description })
        }
        return matching.first
    }

    /// The names most like what was typed.
    private func nearest(to name: String, in history: History) -> [String] {
        let names = Set(
            history.snapshots.map { $0.head.series }
                + history.snapshots.compactMap { $0.head.group })
        return names.map { (editDistance($0, name), $0) }
            .filter { $0.0 <= max(2, name.count / 2) }
            .sorted { $0 < $1 }.prefix(3).map { $0.1 }
    }
}

/// How many characters must be changed, added or removed to make one word of the other.
package func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let cost = min(diagonal + (x == y ? 0 : 1), row[j] + 1, row[j + 1] + 1)
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return row[b.count]
}
