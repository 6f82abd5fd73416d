import Faults
import Operations
import Snapshots
import WireFormat

/// `repo diff`: what differs between two snapshots.
enum DiffCommand {
    static let command = Command(
        "diff", summary: "tell what differs between two snapshots",
        usage: ["REF REF"],
        description: """
            Compares two snapshots, the older one first. Of files and of archives it names
            the paths, of dumps the tables, each on a line that begins with

              +   only the second has it
              -   only the first has it; these come last
              M   its content is another: bytes before -> bytes after
              m   only its mode, owner, time or the like is another: which

            What is changed is told by the chunks that both have, and hardly anything is
            read. So for tables the bytes that are new or gone are those of whole chunks,
            of some 16 KiB: one row that changed shows as a chunk or two, and as more where
            it became longer or shorter among rows that have all one length. A table itself
            is named only if its own bytes differ. A dump also differs outside its tables:
            in its date, and where the binary log stood.

            Of other streams, also compressed ones, it tells how many bytes both have, and
            how many are new or gone. The exit status is 0 whether they differ or not.
            """,
        operands: [Operand("REF"), Operand("REF")],
        options: [Session.acceptRollback],
        examples: [
            .init("repo diff shop@2026-11-19 shop", "which tables changed since that day"),
            .init("repo diff etc@2026-11-19 etc@2026-11-20", "which files"),
            .init("repo diff 3f9c02ab 91be77d0 --json", "one JSON object a difference"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let references = (
            try session.reference(operand: 0), try session.reference(operand: 1)
        )
        let vault = try session.openVault()
        let history = try session.history(vault)
        let first = try references.0.resolve(in: history)
        let second = try references.1.resolve(in: history)
        let console = session.console
        let outcome = try diff(first, second, in: vault) { difference in
            if console.isJSON {
                try console.out(json(difference))
            } else {
                try console.out(
                    bytes: line(difference, isTerminal: console.settings.outputIsTerminal))
            }
        }
        if console.isJSON {
            try console.out(json(outcome, first, second))
        } else {
            try console.summary(summary(outcome))
        }
        return .done
    }

    // MARK: for people

    /// - Parameter isTerminal: where no path may steer it; other programs read the very name.
    static func line(_ difference: Difference, isTerminal: Bool) -> [UInt8] {
        let mark =
            switch difference.change {
            case .added: "+"
            case .removed: "-"
            case .content: "M"
            case .metadata: "m"
            }
        let name: [UInt8]
        switch difference.subject {
        case .path(let path):
            name = isTerminal ? Array(printable(String(decoding: path, as: UTF8.self)).utf8) : path
        case .table(let space, let table):
            name = Array(printable(space.isEmpty ? table : "\(space).\(table)").utf8)
        case .outsideTables: name = Array("(outside tables)".utf8)
        }
        let told = details(difference)
        return Array("\(mark) ".utf8) + name + Array((told.isEmpty ? "" : "  \(told)").utf8)
    }

    private static func details(_ difference: Difference) -> String {
        var parts: [String] = []
        switch (difference.bytesBefore, difference.bytesAfter) {
        case (let before?, let after?) where before != after:
            parts.append("\(Figures.size(before)) -> \(Figures.size(after))")
        case (_, let bytes?), (let bytes?, nil): parts.append(Figures.size(bytes))
        case (nil, nil): break
        }
        if difference.change == .content, let (new, gone) = difference.chunkBytes {
            parts.append("\(Figures.size(new)) new, \(Figures.size(gone)) gone")
        }
        let aspects = difference.metadata.filter {
            difference.change == .metadata || $0 == .kind
        }
        if !aspects.isEmpty {
            parts.append(aspects.map { $0.rawValue }.joined(separator: ", "))
        }
        return parts.joined(separator: "; ")
    }

    static func summary(_ outcome: DiffOutcome) -> String {
        var parts: [String] = []
        let counts = [
            (outcome.added, "added"), (outcome.removed, "removed"), (outcome.content, "changed"),
            (outcome.metadata, "with other metadata"), (outcome.unchanged, "the same"),
        ].filter { $0.0 > 0 }
        if outcome.unit != .nothing, !counts.isEmpty {
            let unit = outcome.unit == .tables ? "tables: " : "files and directories: "
            parts.append(
                unit + counts.map { "\(Figures.count($0.0)) \($0.1)" }.joined(separator: ", "))
        }
        if let (common, new, gone) = outcome.streamBytes {
            parts.append(
                "\(Figures.size(new)) new, \(Figures.size(gone)) gone,"
                    + " \(Figures.size(common)) in both")
        }
        if outcome.isSame { parts.insert("no difference", at: 0) }
        return parts.joined(separator: "; ") + "; \(Figures.duration(outcome.seconds))"
    }

    // MARK: for scripts

    static func json(_ difference: Difference) -> JSON {
        var members: JSON
        switch difference.subject {
        case .path(let path):
            members = .object([
                "type": "difference", "path": .string(String(decoding: path, as: UTF8.self)),
            ])
        case .table(let space, let name):
            members = .object([
                "type": "difference", "space": .string(space), "name": .string(name),
            ])
        case .outsideTables:
            members = .object(["type": "difference", "space": nil, "name": nil])
        }
        members = members.with([
            "change": .string(difference.change.rawValue),
            "bytes_before": .optional(difference.bytesBefore),
            "bytes_after": .optional(difference.bytesAfter),
        ])
        if let (new, gone) = difference.chunkBytes {
            return members.with(["bytes_new": .integer(new), "bytes_gone": .integer(gone)])
        }
        return members.with([
            "metadata": .array(difference.metadata.map { .string($0.rawValue) })
        ])
    }

    private static func json(
        _ outcome: DiffOutcome, _ first: Snapshot, _ second: Snapshot
    ) -> JSON {
        .object([
            "type": "summary", "first": .string("\(first.id)"), "second": .string("\(second.id)"),
            "added": .integer(outcome.added), "removed": .integer(outcome.removed),
            "content": .integer(outcome.content), "metadata": .integer(outcome.metadata),
            "unchanged": .integer(outcome.unchanged),
            "bytes_new": .optional(outcome.streamBytes?.new),
            "bytes_gone": .optional(outcome.streamBytes?.gone),
            "bytes_common": .optional(outcome.streamBytes?.common),
            "seconds": .seconds(outcome.seconds),
        ])
    }
}
