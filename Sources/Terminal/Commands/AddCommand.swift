import CLinux
import DumpFormats
import Faults
import Files
import Operations
import Vault
import WireFormat

/// `repo add`: saves one snapshot.
enum AddCommand {
    private static let files = Option("files", "save files and directories: the PATHs after SERIES")
    private static let exclude = Option(
        "exclude", value: "PATTERN", isRepeatable: true,
        "leave out what matches: '*.tmp', 'var/cache'")
    private static let excludeFrom = Option(
        "exclude-from", value: "FILE", isRepeatable: true,
        "patterns to leave out, one a line; # begins a comment")
    private static let oneFileSystem = Option(
        "one-file-system", "do not enter what is mounted below a PATH")
    private static let kind = Option(
        "kind", value: "KIND", "full, incremental or differential; default auto")
    private static let parent = Option(
        "parent", value: "REF",
        "the snapshot to make deltas against; default the series' latest that is complete")
    private static let tag = Option(
        "tag", value: "T", isRepeatable: true, "a word to find the snapshot by")
    private static let group = Option(
        "group", value: "NAME", "what is saved together, under one name: nightly")
    private static let time = Option(
        "time", value: "T", "the time that counts, 2026-11-21T04:16; default now")
    private static let host = Option("host", value: "NAME", "whose data it is; default this host")
    private static let allowIncomplete = Option(
        "allow-incomplete", "save a stream that was cut off all the same, marked so")
    private static let allowShrink = Option(
        "allow-shrink", "accept that the stream is much shorter than usual")
    private static let refuseShrink = Option(
        "refuse-shrink", "save nothing that is much shorter than usual (exit 4)")
    private static let allowUnlinked = Option(
        "allow-unlinked", "save an increment though what it goes on from is not there")
    private static let strictPages = Option(
        "strict-pages", "save nothing where a database page is damaged (exit 4)")
    private static let acceptStatus = Option(
        "accept-status", value: "N,N", "exit statuses of COMMAND beside 0 that are success")
    private static let format = Option(
        "format", value: "FORMAT",
        "what the stream is: auto (default), raw (nothing is believed), mysqldump, ...")
    private static let compression = Option(
        "compression", value: "LEVEL", "1 (fast) to 19 (small); default auto")

    private static let also = OtherRepository(
        "also",
        location: Option(
            "also", value: "LOCATION",
            "save it in a second repository, too; one that fails lets the other go on (exit 3)"))

    static let command = Command(
        "add", summary: "save one snapshot",
        usage: ["SERIES [FILE | -]", "SERIES -- COMMAND ARG...", "SERIES --files PATH..."],
        description: """
            Saves a dump, the output of a command, or files. SERIES is the name under which
            snapshots of one thing follow each other: shop, or shop/logical.

            With COMMAND the command is run without a shell, and nothing is saved unless it
            ends with status 0. From a pipe or a FILE the stream itself must show that it
            is whole: the dumps of MariaDB, MySQL, PostgreSQL and SQLite, tar, xbstream and
            compressed streams are recognized, and one that was cut off is refused with
            exit status 4.

            A stream less than half as long as usual is saved, marked as shrunk, and ends
            with exit status 3.

            Directories given with --files that a dump or backup program wrote (mydumper,
            MySQL Shell, pg_dump -Fd, mysqldump --tab, pg_basebackup, mariabackup) are
            recognized, and refused with exit status 4 where they are not finished.

            Of --files, --kind incremental opens only files whose length, times or inode
            differ from the last snapshot, differential from the last full one. Whatever
            its kind, every such snapshot restores by itself.

            --group ties together what belongs together though it is several snapshots, a
            dump and the files that go with it: with one name they are listed, restored
            and dropped as one (repo help references).
            """,
        operands: [Operand("SERIES"), Operand("FILE", .any)],
        takesCommandLine: true,
        options: [
            files, exclude, excludeFrom, oneFileSystem, kind, parent, tag, group, time, host,
            allowIncomplete, allowShrink, refuseShrink, allowUnlinked, strictPages, acceptStatus,
            format, compression,
            Session.acceptRollback,
        ] + also.options,
        examples: [
            .init(
                "repo add shop -- mariadb-dump --single-transaction --databases shop",
                "the best way: the exit status of the dump is known"),
            .init(
                "pg_dump shop | repo add shop",
                "from a pipe: only the end of the stream tells that it is whole"),
            .init("repo add shop shop.sql", "a dump that is there already"),
            .init(
                "repo add shop --also s3://offsite/shop -- mariadb-dump --databases shop",
                "one dump, two repositories"),
            .init("repo add etc --files /etc --exclude '*.bak'", "files and directories"),
            .init("repo add etc --kind incremental --files /etc", "reading only what changed"),
            .init(
                "repo add uploads --group nightly --files /srv/uploads",
                "and repo add shop --group nightly -- mariadb-dump shop: one night, one group"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let request = try request(session)
        let way = way(request.source)
        if let location = try session.place(of: also) {
            return try AddToBoth(session, also, location).run(request, way)
        }
        let vault = try session.openVault()
        let outcome = try add(request, to: vault)
        try tell(outcome, way, session.console)
        if way == .pipe { hintAtCommand(request.series, vault, session.console) }
        return outcome.reservations.isEmpty ? .done : .reservation
    }

    static func tell(
        _ outcome: AddOutcome, _ way: EndPhrase.Way, _ console: Console, also: JSON? = nil
    ) throws {
        for note in remarks(outcome) { console.warn(note) }
        let summary = AddSummary(outcome, way: way)
        if console.isJSON {
            try console.out(also.map { summary.json.with(["also": $0]) } ?? summary.json)
        } else {
            for line in summary.lines { try console.summary(line) }
        }
    }

    /// What the person must know, each once.
    private static func remarks(_ outcome: AddOutcome) -> [String] {
        var said: Set<String> = []
        return (outcome.notes + outcome.reservations).filter { said.insert($0).inserted }
    }

    /// Once on each machine: what a pipe hides.
    private static func hintAtCommand(_ series: String, _ vault: Vault, _ console: Console) {
        guard !console.isJSON, !console.settings.isQuiet,
            (try? vault.cache?.isFirst("command")) == true
        else { return }
        console.hint(
            "a pipe hides how its producer ended; repo add \(shellWord(series)) -- COMMAND knows"
                + " (this is said once)"
        )
    }

    // MARK: what is asked

    private static func request(_ session: Session) throws -> AddRequest {
        let arguments = session.arguments
        var request = AddRequest(
            series: try arguments.text(operand: 0) ?? "", source: try source(session))
        request.kind =
            try arguments.choice(
                kind, of: [("auto", nil)] + Head.Kind.allCases.map { ($0.word, $0) }) ?? nil
        request.parent = try arguments.text(parent).map { Reference($0) }
        request.tags = try arguments.texts(tag)
        request.group = try arguments.text(group)
        request.time = try arguments.time(time)
        request.host = try arguments.text(host)
        request.allowIncomplete = arguments.has(allowIncomplete)
        request.allowShrink = arguments.has(allowShrink)
        request.refuseShrink = arguments.has(refuseShrink)
        request.allowUnlinked = arguments.has(allowUnlinked)
        request.strictPages = arguments.has(strictPages)
        if request.allowShrink && request.refuseShrink {
            throw UsageError(
                "--allow-shrink and --refuse-shrink contradict each other", hint: "give one of them"
            )
        }
        request.acceptedStatuses = try statuses(arguments)
        request.format =
            try arguments.choice(
                format, of: [("auto", nil)] + StreamFormat.allCases.map { ($0.rawValue, $0) })
            ?? nil
        if try arguments.text(compression) != "auto" {
            request.level = try arguments.number(compression, in: 1...19)
        }
        request.acceptRollback = arguments.has(Session.acceptRollback)
        return request
    }

    private static func statuses(_ arguments: Arguments) throws -> Set<Int32> {
        guard let text = try arguments.text(acceptStatus) else { return [] }
        guard arguments.commandLine != nil else {
            throw UsageError(
                "--accept-status is about a command's exit status, and there is no command",
                hint: "run it as repo add SERIES -- COMMAND")
        }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.allSatisfy({ $0.map { (0...255).contains($0) } ?? false }) else {
            throw UsageError(
                "--accept-status \(text): numbers from 0 to 255 are wanted, with commas",
                hint: "--accept-status 0,2")
        }
        return Set(numbers.compactMap { $0 })
    }

    private static func source(_ session: Session) throws -> AddRequest.Source {
        let arguments = session.arguments
        let rest = arguments.operands.dropFirst().map { Path(bytes: $0) }
        if arguments.has(files) { return .files(try selection(rest, session)) }
        for option in [exclude, excludeFrom, oneFileSystem] where arguments.has(option) {
            throw UsageError(
                "\(option.flag) goes with --files",
                hint: "repo add SERIES --files PATH... \(option.flag) ...")
        }
        if let commandLine = arguments.commandLine {
            guard rest.isEmpty else {
                throw UsageError(
                    "a file and a command are named",
                    hint: "repo add SERIES FILE, or repo add SERIES -- COMMAND")
            }
            return .command(commandLine)
        }
        guard rest.count <= 1 else {
            throw UsageError(
                "repo add saves one stream, and \(rest.count) files are named",
                hint:
                    "repo add SERIES --files PATH... saves files;"
                    + " repo add SERIES -- COMMAND ARG... runs a command"
            )
        }
        if let file = rest.first, file != "-" { return .file(try readable(file, session)) }
        guard isatty(0) == 0 else {
            throw UsageError(
                "standard input is a terminal: there is nothing to save",
                hint:
                    "repo add SERIES FILE, repo add SERIES -- COMMAND, or COMMAND | repo add SERIES"
            )
        }
        return .descriptor(0)
    }

    /// A file that is there: said before a password is asked for.
    private static func readable(_ path: Path, _ session: Session) throws -> Path {
        let status = try Directories(session.surroundings.systemCalls).statusFollowing(path)
        guard let status else { throw FileError("open", path, code: ENOENT) }
        guard status.kind != .directory else {
            throw UsageError(
                "\(path) is a directory",
                hint: "repo add SERIES --files \(shellWord("\(path)")) saves it")
        }
        return path
    }

    private static func selection(_ paths: [Path], _ session: Session) throws -> FileSelection {
        let arguments = session.arguments
        guard !paths.isEmpty else {
            throw UsageError(
                "--files needs at least one path", hint: "repo add SERIES --files PATH...")
        }
        guard arguments.commandLine == nil else {
            throw UsageError(
                "files and a command are named", hint: "one snapshot holds the one or the other")
        }
        let directories = Directories(session.surroundings.systemCalls)
        for path in paths where try directories.status(path) == nil {
            throw FileError("open", path, code: ENOENT)
        }
        var patterns = try arguments.texts(exclude)
        for path in arguments.paths(excludeFrom) {
            let text = try Arguments.text(
                try directories.contents(of: path, limit: 1 << 20), of: "\(path)")
            patterns += text.split(whereSeparator: \.isNewline).map { String($0) }
                .filter { !$0.hasPrefix("#") && !$0.allSatisfy { $0 == " " } }
        }
        return FileSelection(
            paths: paths, excluded: patterns, staysOnFileSystem: arguments.has(oneFileSystem))
    }

    /// How the bytes come in. Standard input may be a file as well: that hides no producer.
    private static func way(_ source: AddRequest.Source) -> EndPhrase.Way {
        switch source {
        case .file: return .file
        case .files: return .files
        case .command: return .command
        case .descriptor(let number):
            var status = stat()
            guard repo_fstat(number, &status) == 0 else { return .unknown }
            return status.kind == .fifo || status.kind == .socket ? .pipe : .file
        }
    }
}
