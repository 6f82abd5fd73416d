import Faults
import Files
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo show`: everything known of one snapshot.
enum ShowCommand {
    private static let members = Option(
        "members", "list the files or archive members in it, one path a line")
    private static let tables = Option(
        "tables", "list the tables of a dump, and where they stand in the stream")

    static let command = Command(
        "show", summary: "tell everything about one snapshot",
        usage: ["REF [--members | --tables]"],
        description: """
            Shows what a snapshot is, what wrote it, how sure it is that it is whole, and
            what the dump tells of itself, which holds forbid to drop it and why the policy of
            its series keeps it. For a dump with a position in the binary log it prints the
            command that goes on from there.
            """,
        operands: [Operand("REF")],
        options: [members, tables, Session.acceptRollback],
        examples: [
            .init("repo show shop", "the latest snapshot of a series"),
            .init("repo show shop@2026-11-20 --tables", "the tables in an older one"),
            .init("repo show 3f9c02ab --members", "the files in a snapshot of files"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        if session.arguments.has(members) && session.arguments.has(tables) {
            throw UsageError("--members and --tables are two questions", hint: "ask one at a time")
        }
        let reference = try session.reference(operand: 0)
        let vault = try session.openVault()
        let history = try session.history(vault)
        let snapshot = try reference.resolve(in: history)
        if session.arguments.has(members) {
            try showMembers(snapshot, vault, session.console)
        } else if session.arguments.has(tables) {
            try showTables(snapshot, vault, session.console)
        } else {
            let manifest = try readManifest(of: snapshot, in: vault)
            let together = history.occurrence(holding: snapshot)?.snapshots ?? []
            let sheet = SnapshotSheet(
                snapshot: snapshot, manifest: manifest,
                together: together.filter { $0.id != snapshot.id },
                retention: try RetentionSheet(of: snapshot, history, vault))
            if session.console.isJSON {
                try session.console.out(sheet.json)
            } else {
                for line in sheet.lines { try session.console.out(line) }
            }
        }
        return .done
    }

    // MARK: members

    private static func showMembers(_ snapshot: Snapshot, _ vault: Vault, _ console: Console) throws
    {
        let manifest = try readManifest(of: snapshot, in: vault)
        let isArchive = manifest.stream(.members) != nil
        guard isArchive || manifest.stream(.catalog) != nil else {
            throw OperationError.notAStream(
                snapshot.id.short, what: "one stream and no files: repo cat prints it")
        }
        let isTerminal = console.settings.outputIsTerminal
        let read = isArchive ? readMembers : readCatalog
        try read(snapshot, vault) { entry in
            if console.isJSON {
                try console.out(json(entry))
            } else if isTerminal {
                try console.out(printable(String(decoding: entry.path, as: UTF8.self)))
            } else {
                // Another program reads the very name.
                try console.out(bytes: entry.path)
            }
        }
    }

    private static func json(_ entry: CatalogEntry) -> JSON {
        .object([
            "type": "member", "path": .string(String(decoding: entry.path, as: UTF8.self)),
            "kind": .string(kindWord(entry)), "bytes": .integer(entry.byteCount),
            "mode": .integer(Int(entry.mode)),
            "user": .integer(Int(entry.user)), "group": .integer(Int(entry.group)),
            "time": .optional(
                entry.modified.map {
                    Times.utc($0.seconds.multipliedReportingOverflow(by: 1000).partialValue)
                }),
            "link": .optional(entry.linkTarget.map { String(decoding: $0, as: UTF8.self) }),
            "hard_link": .optional(entry.hardLink.map { String(decoding: $0, as: UTF8.self) }),
            "reservation": .optional(
                entry.reservation.map { $0 == .unreadable ? "unreadable" : "changed" }),
        ])
    }

    private static func kindWord(_ entry: CatalogEntry) -> String {
        switch FileKind(rawValue: entry.kind) {
        case .file: "file"
        case .directory: "directory"
        case .symbolicLink: "link"
        case .characterDevice: "character-device"
        case .blockDevice: "block-device"
        case .fifo: "fifo"
        case .socket: "socket"
        case nil: "unknown"
        }
    }

    // MARK: tables

    private static func showTables(_ snapshot: Snapshot, _ vault: Vault, _ console: Console) throws
    {
        let entries = try readTables(of: snapshot, in: vault)
        if console.isJSON {
            for entry in entries { try console.out(json(entry)) }
        } else if entries.isEmpty {
            console.note("no tables are known in \(snapshot.id.short)")
        } else {
            try console.out(table(entries))
        }
    }

    private static func json(_ entry: TableEntry) -> JSON {
        .object([
            "type": "table", "space": .string(entry.space), "name": .string(entry.name),
            "bytes": .integer(entry.ranges.reduce(0) { $0 + $1.count }),
            "ranges": .array(
                entry.ranges.map {
                    .object(["offset": .integer($0.lowerBound), "length": .integer($0.count)])
                }),
        ])
    }

    /// One line a range: a table's definition and its rows may stand apart.
    static func table(_ entries: [TableEntry]) -> Table {
        var table = Table([
            .init("table"), .init("offset", isNumber: true), .init("bytes", isNumber: true),
        ])
        for entry in entries {
            let name = entry.space.isEmpty ? entry.name : "\(entry.space).\(entry.name)"
            for range in entry.ranges {
                table.add([name, "\(range.lowerBound)", "\(range.count)"])
            }
            if entry.ranges.isEmpty { table.add([name, "", ""]) }
        }
        return table
    }
}
