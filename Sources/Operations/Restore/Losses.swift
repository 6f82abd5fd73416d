import PackStore
import Snapshots
import WireFormat

/// Bytes of a stream that cannot be had.
package struct Loss: Sendable, Equatable {
    package let role: Manifest.Role
    package let range: Range<Int>
}

/// A file or member of a snapshot, or a table of a dump, of which some cannot be had.
package struct DamagedPart: Sendable, Equatable {
    package enum Kind: Sendable { case file, member, table }
    package let kind: Kind
    /// Of a table its name, and its database's before it where that is known.
    package let path: [UInt8]
    /// Of a file or member, places in that; of a table, in the dump.
    package let ranges: [Range<Int>]
}

/// Collects what of a snapshot cannot be had, where it is read all the same. What is met again counts once.
///
/// A class: all that reads one snapshot shares it. Used by one thread.
final class Losses {
    /// In order, none of them touching another.
    private var ranges: [Manifest.Role: [Range<Int>]] = [:]

    var isEmpty: Bool { ranges.isEmpty }

    func add(_ role: Manifest.Role, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var all = ranges[role] ?? []
        var joined = range
        // Mostly it lies behind all others.
        let first = all.lastIndex { $0.upperBound < range.lowerBound }.map { $0 + 1 } ?? 0
        let end = all[first...].firstIndex { $0.lowerBound > range.upperBound } ?? all.endIndex
        for other in all[first..<end] {
            joined =
                min(joined.lowerBound, other.lowerBound)..<max(joined.upperBound, other.upperBound)
        }
        all.replaceSubrange(first..<end, with: [joined])
        ranges[role] = all
    }

    /// What is lost of a stream within a range.
    func lost(_ role: Manifest.Role, in range: Range<Int>) -> [Range<Int>] {
        guard let all = ranges[role] else { return [] }
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].upperBound <= range.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return all[low...].prefix { $0.lowerBound < range.upperBound }.map { $0.clamped(to: range) }
    }

    func hasLost(_ role: Manifest.Role) -> Bool { ranges[role] != nil }

    /// By streams, in order.
    var all: [Loss] {
        ranges.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { role, ranges in
            ranges.map { Loss(role: role, range: $0) }
        }
    }
}

extension SnapshotReader {
    /// The files, members and tables that losses of the data stream lie in, as far as their list can be read.
    /// - Parameter wanted: those that are of interest; nil for all.
    func parts(hitBy losses: Losses, wanted: WantedEntries? = nil) throws -> [DamagedPart] {
        guard losses.hasLost(.data) else { return [] }
        if manifest.stream(.catalog) != nil {
            return try files(hitBy: losses, .catalog, .file, wanted)
        }
        if manifest.stream(.members) != nil {
            return try files(hitBy: losses, .members, .member, wanted)
        }
        let tables: [TableEntry]
        do { tables = try self.tables() } catch  where isDamage(error) { return [] }
        guard !losses.hasLost(.tables) else { return [] }
        return tables.compactMap { table in
            let lost = table.ranges.flatMap { losses.lost(.data, in: $0) }
            guard !lost.isEmpty else { return nil }
            let name = table.space.isEmpty ? table.name : "\(table.space).\(table.name)"
            return DamagedPart(kind: .table, path: Array(name.utf8), ranges: lost)
        }
    }

    private func files(
        hitBy losses: Losses, _ role: Manifest.Role, _ kind: DamagedPart.Kind,
        _ wanted: WantedEntries?
    ) throws -> [DamagedPart] {
        var hit: [DamagedPart] = []
        var entries = try entries(role)
        while let found = try entries.next() {
            guard found.byteCount > 0 else { continue }
            let entry: CatalogEntry
            if let wanted {
                guard let one = wanted.entry(found) else { continue }
                entry = one
            } else {
                entry = found
            }
            let start = entries.contentStart
            let pieces =
                role == .catalog
                ? [(stream: start..<(start + entry.byteCount), offset: 0)] : entry.pieces
            let ranges = pieces.flatMap { stream, offset in
                losses.lost(.data, in: stream).map { lost in
                    let shift = offset - stream.lowerBound
                    return (lost.lowerBound + shift)..<(lost.upperBound + shift)
                }
            }
            guard !ranges.isEmpty else { continue }
            hit.append(DamagedPart(kind: kind, path: entry.path, ranges: ranges))
        }
        return hit
    }
}
