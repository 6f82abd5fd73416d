import DumpFormats
import Operations
import Snapshots
import WireFormat

extension Head.Kind {
    /// As `--kind` and JSON spell it.
    var word: String { "\(self)" }
}

extension Head.Evidence {
    /// As JSON spells it.
    var word: String {
        switch self {
        case .none: "none"
        case .trailer: "trailer"
        case .exitStatus: "exit-status"
        case .both: "both"
        }
    }
}

extension Head.Completeness {
    /// nil: nobody can say.
    var isComplete: Bool? {
        switch self {
        case .complete: true
        case .incomplete: false
        case .unknown: nil
        }
    }
}

extension Head {
    /// What the column `end` of `list` says.
    var end: String {
        if flags.contains(.shrunk) { return "shrunk" }
        return switch completeness {
        case .complete: "seen"
        case .incomplete: "cut"
        case .unknown: "unknown"
        }
    }

    /// Whether files were saved, not a stream.
    var holdsFiles: Bool { format == "files" }
    /// Whether the stream may have members that come back as files.
    var isArchive: Bool {
        format.flatMap { StreamFormat(rawValue: $0) }?.isArchive ?? false
    }
}

extension Head.Position {
    /// `mariadb-bin.000003:389`.
    var short: String? {
        guard let file else { return nil }
        return printable(offset.map { "\(file):\($0)" } ?? file)
    }

    /// The command that goes on from here.
    var continuation: String? {
        guard let file, let offset else { return nil }
        return "mysqlbinlog --start-position=\(offset) \(shellWord(printable(file)))"
    }

    var json: JSON {
        .object([
            "file": .optional(file), "offset": .optional(offset.map { Int(clamping: $0) }),
            "gtid": .optional(gtid),
        ])
    }
}

extension Snapshot {
    /// What `list --json` says of it.
    /// - Parameter held: the names of the holds that forbid to drop it.
    func json(held: [String] = []) -> JSON {
        .object([
            "type": "snapshot", "snapshot": .string("\(id)"), "series": .string(head.series),
            "time": .string(Times.utc(head.time)), "host": .optional(head.host),
            "kind": .string(head.kind.word),
            "parent": .optional(head.parent?.description),
            "complete": .optional(head.completeness.isComplete),
            "evidence": .string(head.evidence.word), "end": .string(head.end),
            "format": .optional(head.format),
            "bytes": .integer(head.bytesRead), "bytes_new": .integer(head.bytesNew),
            "bytes_stored": .integer(head.bytesStored),
            "tags": .array(head.tags.map { .string($0) }), "group": .optional(head.group),
            "held": .array(held.map { .string($0) }), "position": head.position?.json ?? .null,
        ])
    }
}
