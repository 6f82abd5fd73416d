import Operations
import Snapshots
import WireFormat

/// What of a snapshot is lost, range by range, and the files, members and tables that lies in.
enum LossSheet {
    private static let rangesMax = 20

    /// A line for each; nothing where nothing is lost.
    static func tell(
        _ snapshot: Snapshot, _ losses: [Loss], _ parts: [DamagedPart], _ console: Console
    ) throws {
        guard !losses.isEmpty else { return }
        let id = snapshot.id.short
        for (role, ranges) in byStream(losses) {
            let all = ranges.reduce(0) { $0 + $1.count }
            try console.out(
                "lost: \(Figures.size(all)) of the \(role) of \(id): \(text(ranges))")
        }
        for part in parts {
            let path = printable(String(decoding: part.path, as: UTF8.self))
            try console.out("damaged: \(part.kind) \(path) of \(id): \(text(part.ranges))")
        }
    }

    static func json(_ losses: [Loss]) -> JSON {
        .array(
            byStream(losses).map { role, ranges in
                .object(["stream": .string("\(role)"), "ranges": json(ranges)])
            })
    }

    static func json(_ parts: [DamagedPart]) -> JSON {
        .array(
            parts.map { part in
                .object([
                    "kind": .string("\(part.kind)"),
                    "path": .string(String(decoding: part.path, as: UTF8.self)),
                    "ranges": json(part.ranges),
                ])
            })
    }

    private static func json(_ ranges: [Range<Int>]) -> JSON {
        .array(
            ranges.map {
                .object(["offset": .integer($0.lowerBound), "length": .integer($0.count)])
            })
    }

    private static func byStream(
        _ losses: [Loss]
    ) -> [(role: Manifest.Role, ranges: [Range<Int>])] {
        Dictionary(grouping: losses) { $0.role }.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            ($0.key, $0.value.map { $0.range })
        }
    }

    /// `bytes 4096 to 8191 and 12288 to 16383`; of many the first.
    private static func text(_ ranges: [Range<Int>]) -> String {
        let shown = ranges.prefix(rangesMax).map { "\($0.lowerBound) to \($0.upperBound - 1)" }
        let more =
            ranges.count > rangesMax
            ? ", and \(ranges.count - rangesMax) more ranges (--json has all)" : ""
        return "bytes \(shown.joined(separator: ", "))\(more)"
    }
}
