import Faults
import Files
import ObjectStorage
import Vault
import WireFormat

/// `repo init`: makes a repository.
enum InitCommand {
    private static let ifMissing = Option(
        "if-missing", "be content where there is a repository already")
    private static let label = Option(
        "label", value: "TEXT", "a name for the first key, as repo key list shows it")

    private static let model = OtherRepository(
        "from",
        location: Option(
            "copy-parameters-from", value: "LOCATION",
            "cut streams as that repository does: what is added here and what is copied from there is stored once"
        ))

    static let command = Command(
        "init", summary: "make a repository",
        usage: ["[LOCATION] [--recovery-key-file FILE] [--if-missing]"],
        description: """
            Makes a repository in a directory that is empty or not there yet. Everything in
            it is encrypted. It is opened by a password or a key file, chosen here, and by
            its recovery key, made here.

            The recovery key opens everything when every password is lost. It is written
            to FILE, a new file that only its owner can read; without FILE it is shown on
            the terminal. Keep it on paper, away from the repository.

            Without --password-file, --password-command, REPO_PASSWORD or --key-file the
            password is asked for, twice.

            A repository to copy to is made with --copy-parameters-from: it cuts streams at
            the same places as the other one, whose full key is needed for that; how to
            open it is said by options that begin with --from-.
            """,
        operands: [Operand("LOCATION", .optional)],
        options: [ifMissing, label] + model.options,
        examples: [
            .init("repo init /srv/backup", "asks for a password and shows the recovery key"),
            .init(
                "repo init /srv/backup --password-file /etc/repo.password --recovery-key-file recovery-key",
                "asks nothing: for scripts"),
            .init(
                "repo init s3://offsite/shop --copy-parameters-from /srv/backup --from-password-file /etc/repo.password",
                "a second repository, to copy to"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let location = try location(session)
        let store = try session.store(at: location)
        if try !isFree(location, store, session) {
            if session.console.isJSON {
                try session.console.out(
                    .object([
                        "type": "summary", "location": .string(store.location), "created": false,
                    ]))
            }
            try session.console.summary(
                "there is a repository at \(printable(store.location)) already: nothing changed")
            return .done
        }
        let output = try RecoveryKeyOutput.choose(
            GlobalOptions.recoveryKeyFile, session.arguments, session.console.settings)
        switch output {
        case .terminal:
            let vault = try create(store, session)
            try show(vault, on: session.console)
        case .file(let path):
            try createWithKey(in: path, location, store, session)
        }
        session.warnOfUnlockedSecrets()
        session.console.hint(
            "next: repo \(named(location, session))add SERIES -- COMMAND (repo add --help has examples)"
        )
        return .done
    }

    private static func location(_ session: Session) throws -> Location {
        let arguments = session.arguments
        guard let operand = arguments.operands.first else {
            return try Location.find(arguments, session.environment)
        }
        if let other = arguments.bytes(GlobalOptions.repository), other != operand {
            throw UsageError("two locations are named", hint: "name one: repo init LOCATION")
        }
        return try Location(operand)
    }

    /// What later commands need to find it: nothing where the environment names it.
    private static func named(_ location: Location, _ session: Session) -> String {
        session.environment["REPO_REPOSITORY"] == location.path.bytes
            ? "" : "-r \(shellWord("\(location.path)")) "
    }

    /// Whether a repository can be made there; false where there is one and that is all right.
    private static func isFree(
        _ location: Location, _ store: any ObjectStore, _ session: Session
    ) throws -> Bool {
        if !location.isFar {
            let status = try Directories(session.surroundings.systemCalls).statusFollowing(
                location.path)
            if let status, status.kind != .directory {
                throw PlaceTaken(
                    message: "\(location.path) is no directory: nothing changed", hint: nil)
            }
        }
        if try store.hasConfigOrKeys() {
            if session.arguments.has(ifMissing) { return false }
            throw PlaceTaken(
                message: "there is a repository at \(location.path) already: nothing changed",
                hint: "repo -r \(shellWord("\(location.path)")) list shows what is in it")
        }
        guard try store.isFree() else {
            throw PlaceTaken(
                message: "\(location.path) is not empty: nothing changed",
                hint: location.isFar
                    ? "choose another prefix" : "choose a directory that is empty or not there yet")
        }
        return true
    }

    private static func create(_ store: any ObjectStore, _ session: Session) throws -> Vault {
        let source = try CredentialSource.find(
            session.arguments, session.environment, takesRecoveryKey: false)
        let modelStore = try session.place(of: model).map {
            try session.existing($0, of: model)
        }
        let credential = try session.credential(
            from: source, question: "choose a password for \(printable(store.location)): ",
            isNew: true)
        let other = try modelStore.map {
            try session.openVault(model, in: $0, trying: credential)
        }
        // A cache is nothing that a repository needs to come into being.
        return try Vault.create(
            in: store, with: credential, label: try session.arguments.text(label),
            surroundings: session.surroundings, cacheParent: nil, cuttingLike: other)
    }

    private static func createWithKey(
        in path: Path, _ location: Location, _ store: any ObjectStore, _ session: Session
    ) throws {
        guard path.parent != location.path else {
            throw UsageError(
                "the recovery key does not belong into the repository that it opens",
                hint: "choose another place: --recovery-key-file FILE")
        }
        var file = try SecretFile(reserving: path, calls: session.surroundings.systemCalls)
        let vault: Vault
        do {
            vault = try create(store, session)
        } catch {
            file.discard()
            throw error
        }
        do {
            try file.write(RecoveryKeyOutput.fileText(try vault.recoveryKey(), of: vault))
        } catch {
            throw KeyNotWritten(underlying: error)
        }
        if session.console.isJSON {
            try session.console.out(
                .object([
                    "type": "summary", "location": .string(store.location),
                    "repository": .string("\(vault.config.repository)"), "created": true,
                    "recovery_key_file": .string("\(path)"),
                ]))
        }
        try session.console.summary(made(vault))
        try session.console.summary(
            "its recovery key is in \(printable("\(path)")): keep it on paper, away from the repository"
        )
    }

    private static func made(_ vault: Vault) -> String {
        "made repository \(vault.config.repository.short) at \(printable(vault.store.location)),"
            + " encrypted from the first byte"
    }

    private static func show(_ vault: Vault, on console: Console) throws {
        try console.summary(made(vault))
        // Not even --quiet may lose it.
        for line in [
            "", "its recovery key:", "", "    \(try vault.recoveryKey())", "",
            "write it down and keep it away from the repository: it opens everything, even",
            "when every password is lost", "",
        ] {
            try console.out(line)
        }
    }
}

/// A place where no repository can be made.
private struct PlaceTaken: Explained {
    let message: String
    let hint: String?
}

/// The repository is made, but its recovery key is in no file.
private struct KeyNotWritten: Explained {
    let underlying: any Error

    var message: String {
        "the repository is made, but its recovery key is not written: "
            + explanation(of: underlying)
    }
    var hint: String? { "write it now: repo key recovery --to FILE" }
}
