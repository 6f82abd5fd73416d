import Faults
import Files
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo restore`: brings a snapshot back.
enum RestoreCommand {
    private static let target = Option("to", value: "PATH", "where to; a directory for files")
    private static let include = Option(
        "include", value: "PATTERN", isRepeatable: true,
        "only files that match: 'etc/*.conf', 'var/lib'")
    private static let overwrite = Option("overwrite", "replace what is there")
    private static let inPlace = Option(
        "in-place", "compare with what is there, and write only what differs")
    private static let delete = Option(
        "delete", "with --in-place: remove what the snapshot does not have")
    private static let prepare = Option(
        "prepare", "make a physical backup a data directory, with all increments it needs")
    private static let allowDamaged = Option(
        "allow-damaged", "bring back what is left, zeros in the place of what is lost")
    private static let prepareWith = Option(
        "prepare-with", value: "PROGRAM",
        "the mariabackup, xtrabackup or pg_combinebackup to use; default the one in PATH")

    static let command = Command(
        "restore", summary: "bring a snapshot back",
        usage: [
            "REF --to PATH [--include PATTERN] [--overwrite]",
            "REF --to PATH --allow-damaged",
            "REF --to PATH --in-place [--delete]", "REF --to PATH --prepare",
            "REF -- COMMAND ARG...", "GROUP --to DIRECTORY [--overwrite]",
        ],
        description: """
            A stream becomes the file PATH, or a file of a fitting name in the directory
            PATH. It appears under its name when it is whole. Files come back under the
            directory PATH with modes, owners, times and links; so do the members of an
            archive (tar, xbstream), which repo cat gives as it was. Nothing that is there
            is replaced unless --overwrite says so.

            With --in-place what is there is read and compared, and only what differs is
            fetched and written: the way back for a large directory that changed a
            little. Stop the server that uses it first. It may be stopped and run again.

            With --prepare a backup of mariabackup, xtrabackup or pg_basebackup comes back
            as a data directory that the server starts on, in a PATH that is empty or not
            there: the full and all increments that REF needs are restored and put
            together by the server's own tool.

            With COMMAND the whole stream is proven first, and only then fed to the
            command. If the command fails, so does repo.

            With --allow-damaged a snapshot of which some is lost comes back as far as it
            can: zeros stand in the place of what is lost, every range of them is listed,
            with the files, members or tables they lie in, and the exit status is 3.

            Of a GROUP all that was saved together comes back under DIRECTORY: streams as
            files of fitting names, files and archives in a directory each that is called
            like the series. Nothing is begun where one of the names is taken.
            """,
        operands: [Operand("REF")],
        takesCommandLine: true,
        options: [
            target, include, overwrite, inPlace, delete, prepare, prepareWith, allowDamaged,
            Session.acceptRollback,
        ],
        examples: [
            .init("repo restore shop --to shop.sql", "the latest dump as a file"),
            .init(
                "repo restore shop@2026-11-20 -- mariadb", "an older one, straight into a server"),
            .init("repo restore etc --to /tmp/etc --include 'etc/ssh'", "some of the files"),
            .init(
                "repo restore shop/physical --to /var/lib/mysql --in-place --delete",
                "back to last night, writing only what changed since"),
            .init(
                "repo restore nightly@2026-11-20 --to /tmp/night",
                "all that a group saved in one night"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        let reference = try session.reference(operand: 0)
        let patterns = try arguments.texts(include)
        switch (arguments.path(target), arguments.commandLine) {
        case (let path?, nil):
            guard !path.bytes.isEmpty else {
                throw UsageError("--to names no path", hint: "--to PATH")
            }
            if path == "-" {
                throw UsageError(
                    "restore writes files",
                    hint: "repo cat \(shellWord(reference.text)) prints a stream")
            }
            if arguments.has(delete), !arguments.has(inPlace) || arguments.has(include) {
                throw UsageError(
                    "--delete goes with --in-place, and with the whole snapshot",
                    hint: "repo restore REF --to PATH --in-place --delete")
            }
            let prepares = arguments.has(prepare) || arguments.has(prepareWith)
            for option in [include, overwrite, inPlace] where prepares && arguments.has(option) {
                throw UsageError(
                    "--prepare wants a directory of its own, and all of a backup",
                    hint: "leave out \(option.flag)")
            }
            for option in [inPlace, prepare, prepareWith]
            where arguments.has(allowDamaged) && arguments.has(option) {
                throw UsageError(
                    "--allow-damaged would put zeros in the place of what may be whole",
                    hint: "leave out \(option.flag), and restore to a place of its own")
            }
            let vault = try session.openVault()
            let snapshot: Snapshot
            switch try reference.meaning(in: session.history(vault)) {
            case .snapshot(let one): snapshot = one
            case .occurrence(let occurrence):
                guard patterns.isEmpty else { throw oneOf(reference, "--include chooses files") }
                guard !prepares else { throw oneOf(reference, "--prepare makes one directory") }
                var request = RestoreRequest(
                    snapshot: occurrence.snapshots[0], target: path,
                    overwrite: arguments.has(overwrite), inPlace: arguments.has(inPlace),
                    deletes: arguments.has(delete))
                request.allowsDamage = arguments.has(allowDamaged)
                return try restoreGroup(occurrence, request, vault, session.console)
            }
            if !patterns.isEmpty, !snapshot.head.holdsFiles, !snapshot.head.isArchive {
                throw UsageError(
                    "--include chooses files, and \(snapshot.id.short) is one stream",
                    hint: "leave it out")
            }
            var request = RestoreRequest(
                snapshot: snapshot, target: path, include: patterns,
                overwrite: arguments.has(overwrite), inPlace: arguments.has(inPlace),
                deletes: arguments.has(delete))
            request.allowsDamage = arguments.has(allowDamaged)
            request.prepares = prepares
            request.prepareWith = arguments.path(prepareWith)
            let outcome = try restore(request, from: vault)
            try tell(outcome, snapshot, session.console)
            return outcome.losses.isEmpty ? .done : .reservation
        case (nil, let commandLine?):
            for option in [
                include, overwrite, inPlace, delete, prepare, prepareWith, allowDamaged,
            ] where arguments.has(option) {
                throw UsageError(
                    "\(option.flag) goes with --to",
                    hint: "repo restore REF --to PATH \(option.flag) ...")
            }
            let vault = try session.openVault()
            guard case .snapshot(let snapshot) = try reference.meaning(in: session.history(vault))
            else { throw oneOf(reference, "a command takes one stream") }
            try feed(snapshot, to: commandLine, vault, session)
            return .done
        case (_?, _?):
            throw UsageError(
                "a path and a command are named",
                hint: "repo restore REF --to PATH, or repo restore REF -- COMMAND")
        case (nil, nil):
            throw UsageError(
                "repo restore needs to know where to",
                hint: "repo restore REF --to PATH, or repo restore REF -- COMMAND")
        }
    }

    private static func tell(_ outcome: RestoreOutcome, _ snapshot: Snapshot, _ console: Console)
        throws
    {
        for note in outcome.notes { console.warn(note) }
        if console.isJSON {
            try console.out(json(outcome, snapshot))
            return
        }
        try LossSheet.tell(snapshot, outcome.losses, outcome.damagedParts, console)
        try console.summary("restored \(describe(snapshot)) to \(printable("\(outcome.path)"))")
        let files =
            snapshot.head.holdsFiles || outcome.files > 1
            ? Figures.count(outcome.files, "file or directory", "files and directories") + ", " : ""
        let size =
            outcome.inPlace.map {
                "\(Figures.size($0.compared)) compared, \(Figures.size($0.written)) written"
            } ?? Figures.size(outcome.bytes)
        try console.summary("\(files)\(size), \(Figures.duration(outcome.seconds))")
    }

    static func json(_ outcome: RestoreOutcome, _ snapshot: Snapshot) -> JSON {
        .object([
            "type": "summary", "snapshot": .string("\(snapshot.id)"),
            "path": .string("\(outcome.path)"),
            "bytes": .integer(outcome.bytes),
            "bytes_compared": .optional(outcome.inPlace?.compared),
            "files": .integer(outcome.files), "seconds": .seconds(outcome.seconds),
            "notes": .array(outcome.notes.map { .string($0) }),
            "lost": LossSheet.json(outcome.losses),
            "damaged": LossSheet.json(outcome.damagedParts),
        ])
    }

    static func describe(_ snapshot: Snapshot) -> String {
        "\(snapshot.id.short)  \(printable(snapshot.head.series))  \(Times.local(snapshot.head.time))"
    }

    private static func feed(
        _ snapshot: Snapshot, to commandLine: [[UInt8]], _ vault: Vault, _ session: Session
    ) throws {
        let console = session.console
        let program = Path(bytes: commandLine[0]).name.description
        let began = session.surroundings.now()
        let outcome = try restore(snapshot, into: commandLine, from: vault)
        let seconds = Double(session.surroundings.now() - began) / 1000
        if console.isJSON {
            try console.out(
                .object([
                    "type": "summary", "snapshot": .string("\(snapshot.id)"),
                    "program": .string(program),
                    "exit_status": .optional(outcome.status.map { Int($0) }),
                    "signal": .optional(outcome.signal.map { Int($0) }),
                    "bytes": .integer(outcome.bytes),
                    "seconds": .seconds(seconds),
                ]))
        }
        guard outcome.status == 0 else {
            throw CommandEnded(
                program: program, status: outcome.status, signal: outcome.signal,
                bytes: outcome.bytes,
                total: snapshot.head.bytesRead)
        }
        try console.summary(
            "restored \(describe(snapshot)) into \(printable(program)), which ended with status 0")
        try console.summary("\(Figures.size(outcome.bytes)), \(Figures.duration(seconds))")
    }
}

/// The command that a stream was fed to did not succeed.
struct CommandEnded: Explained {
    let program: String
    let status: Int32?
    let signal: Int32?
    let bytes: Int
    let total: Int

    var message: String {
        let how = status.map { "ended with status \($0)" } ?? "was ended by signal \(signal ?? 0)"
        let when =
            bytes < total
            ? "after \(Figures.size(bytes)) of \(Figures.size(total))" : "after the whole stream"
        return "\(program) \(how) \(when)"
    }

    var hint: String? {
        "the snapshot itself is sound: its whole stream was proven before \(program) saw it"
    }
}
