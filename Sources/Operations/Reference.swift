import Snapshots
import WireFormat

/// What a person calls a snapshot (docs/cli.md, "REF").
package struct Reference: Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    private static let idDigitsMin = 8

    /// The one snapshot that is meant.
    package func resolve(in history: History) throws -> Snapshot {
        if let byID = try resolveID(history) { return byID }
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let series = String(parts[0])
        guard !series.isEmpty else {
            throw OperationError.badReference(text, why: "the series is missing")
        }
        var candidates = history.snapshots.filter { $0.head.series == series }
        guard !candidates.isEmpty else {
            throw OperationError.noSuchSnapshot(text, near: nearest(to: series, in: history))
        }
        if parts.count == 2 && parts[1] != "latest" {
            guard let time = Times.parse(parts[1]) else {
                throw OperationError.badReference(text, why: "\(parts[1]) is no date")
            }
            candidates = candidates.filter { $0.head.time <= time.last }
            guard !candidates.isEmpty else {
                let first = history.snapshots.first { $0.head.series == series }!
                throw OperationError.noSuchSnapshot(
                    text, near: ["\(series) from \(Times.local(first.head.time)) on"])
            }
        }
        let domains = Set(candidates.map { $0.domain })
        if domains.count > 1 {
            // The same name with several keys is several series; the shared domain's is meant, if
            // there is one.
            guard domains.contains(.shared) else {
                let latest = domains.sorted().compactMap { domain in
                    candidates.last { $0.domain == domain }
                }
                throw OperationError.ambiguous(text, latest.map { $0.id.short })
            }
            candidates = candidates.filter { $0.domain == .shared }
        }
        return candidates[candidates.count - 1]
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
        let names = Set(history.snapshots.map { $0.head.series })
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
