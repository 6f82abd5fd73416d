import Faults
import ObjectStorage
import Operations
import Sealing
import Snapshots
import Vault
import WireFormat

/// `repo copy`: copies snapshots to another repository.
enum CopyCommand {
    private static let target = OtherRepository(
        "to",
        location: Option(
            "to", value: "LOCATION", "the repository to copy to: a directory, or s3://BUCKET/PREFIX"
        ))
    private static let sameKeys = Option(
        "same-keys",
        "send what is stored as it is sealed; an empty LOCATION becomes a repository of the same keys"
    )
    private static let since = Option(
        "since", value: "T", "only snapshots from this date on: 2026-11-21")
    private static let noReadBack = Option(
        "no-read-back", "look only that what was sent is there, do not read it back")

    static let command = Command(
        "copy", summary: "copy to another repository: offsite",
        usage: ["--to LOCATION [SERIES|REF...] [--since T] [--same-keys]"],
        description: """
            Copies snapshots to another repository: all, or those that are named. A series
            or a group without a date means all its snapshots. What is there already is
            not sent again, neither whole snapshots nor parts of them, so it can run every
            night, and a copy that was stopped goes on where it was.

            The other repository has keys of its own: everything is opened, verified and
            sealed anew, and nobody who has one's keys can read the other. Make it with
            repo init --copy-parameters-from, and it also shares pieces with what is added
            to it directly. With --same-keys it has the keys of this one, and its recovery
            key opens both: segments go as they are sealed.

            At the end what was sent is read back and verified. Options that begin with
            --to- say how the other repository is reached and opened; where none is given,
            what opens this one is tried.
            """,
        operands: [Operand("REF", .any)],
        options: target.options + [sameKeys, since, noReadBack, Session.acceptRollback],
        examples: [
            .init(
                "repo copy --to s3://offsite/shop --to-password-file /etc/repo.offsite",
                "everything, sealed anew"),
            .init("repo copy --to /mnt/usb/repo shop --since 2026-11-01", "one series, of late"),
            .init(
                "repo copy --to /mnt/usb/repo --same-keys",
                "makes a second repository with the same keys"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        guard let location = try session.place(of: target) else {
            throw UsageError(
                "repo copy needs a place to copy to", hint: "repo copy --to LOCATION")
        }
        var request = CopyRequest(
            references: try arguments.operands.indices.map { try session.reference(operand: $0) })
        request.since = try arguments.time(since)
        request.readsBack = !arguments.has(noReadBack)
        request.acceptRollback = arguments.has(Session.acceptRollback)
        let opened = try session.openVaultAndKey()
        let other = try openTarget(location, opened, session)
        let console = session.console
        let outcome = try copy(request, from: opened.vault, to: other) { snapshot in
            try tell(snapshot, console)
            // Now, not at the end: a copy may take hours, and what is told counts.
            try console.flush()
        }
        for (source, error) in outcome.failed {
            console.warn(
                "\(source.id.short) (\(source.head.series)) is not copied: \(explanation(of: error))")
        }
        if console.isJSON {
            try console.out(json(outcome))
        } else {
            try console.summary(line(outcome))
        }
        if !outcome.failed.isEmpty || !outcome.damages.isEmpty {
            console.report(NotAllCopied(outcome: outcome))
        }
        return outcome.exitCode
    }

    // MARK: the other repository

    private static func openTarget(
        _ location: Location, _ opened: borrowing OpenedVault, _ session: Session
    ) throws -> Vault {
        let store = try session.store(at: location, of: target)
        guard try store.hasConfigOrKeys() else {
            guard session.arguments.has(sameKeys) else { 
                throw NoTarget(
                    location: "\(location.path)", source: opened.vault.store.location)
            }
            return try makeTarget(store, opened, session)
        }
        let other = try session.openVault(target, in: store, trying: opened.credential)
        if session.arguments.has(sameKeys) {
            guard other.keyring.signingPublicKey == opened.vault.keyring.signingPublicKey else {
                throw OtherKeys(location: store.location)
            }
        }
        return other
    }

    private static func makeTarget(
        _ store: any ObjectStore, _ opened: borrowing OpenedVault, _ session: Session
    ) throws -> Vault {
        guard try store.isFree() else {
            throw NotEmpty(location: store.location)
        }
        func make(_ credential: borrowing Credential) throws -> Vault {
            let made = try Vault.create(
                in: store, sharing: opened.vault, with: credential,
                surroundings: session.surroundings)
            session.console.note(
                "made repository \(made.config.repository.short) at \(printable(store.location)),"
                    + " with the keys of this one; its password or key file is the one given")
            return try session.openVault(target, in: store, trying: credential)
        }
        if let source = try target.credential.source(session.arguments, session.environment) {
            return try make(try session.credential(from: source, question: "", isNew: true))
        }
        guard opened.credential.kind != .recoveryKey else {
            return try make(
                try session.credential(
                    from: nil, question: "choose a password for \(printable(store.location)): ",
                    isNew: true))
        }
        return try make(opened.credential)
    }

    // MARK: what is said

    private static func tell(_ copy: Snapshot, _ console: Console) throws {
        let head = copy.head
        if console.isJSON {
            return try console.out(
                .object([
                    "type": "snapshot", "snapshot": .string("\(copy.id)"),
                    "origin": .string("\(head.origin?.snapshot ?? copy.id)"),
                    "series": .string(head.series), "time": .string(Times.utc(head.time)),
                    "bytes": .integer(head.bytesRead), "bytes_stored": .integer(head.bytesStored),
                ]))
        }
        try console.summary(
            "copied \((head.origin?.snapshot ?? copy.id).short) as \(copy.id.short)"
                + "  \(head.series)  \(Times.local(head.time))  \(Figures.size(head.bytesStored))")
    }

    private static func line(_ outcome: CopyOutcome) -> String {
        let already =
            outcome.already == 0 ? "" : "\(Figures.count(outcome.already, "snapshot")) there already, "
        guard !outcome.copied.isEmpty || outcome.objectsSent > 0 else {
            return already + "nothing to copy, \(Figures.duration(outcome.seconds))"
        }
        let verified =
            outcome.damages.isEmpty
            ? (outcome.bytesVerified > 0 ? "read back and sound" : "all there")
            : "not all of it sound"
        return "\(Figures.count(outcome.copied.count, "snapshot")) copied, " + already
            + "\(Figures.size(outcome.bytesSent)) sent, \(verified),"
            + " \(Figures.duration(outcome.seconds))"
    }

    private static func json(_ outcome: CopyOutcome) -> JSON {
        .object([
            "type": "summary", "snapshots_copied": .integer(outcome.copied.count),
            "snapshots_there": .integer(outcome.already),
            "snapshots_failed": .integer(outcome.failed.count),
            "bytes_sent": .integer(outcome.bytesSent),
            "objects_sent": .integer(outcome.objectsSent),
            "bytes_verified": .integer(outcome.bytesVerified),
            "same_keys": .bool(outcome.isVerbatim),
            "damages": .integer(outcome.damages.count), "seconds": .seconds(outcome.seconds),
        ])
    }
}

/// What was not copied, or is not sound there, said at the end.
private struct NotAllCopied: Explained {
    let outcome: CopyOutcome

    var message: String {
        if let damage = outcome.damages.first {
            return "what was sent is damaged: \(damage.object): \(explanation(of: damage.error))"
        }
        return "\(Figures.count(outcome.failed.count, "snapshot")) could not be copied"
    }
    var hint: String? {
        outcome.damages.isEmpty
            ? "repo check says what is damaged here" : "run repo check there, and copy again"
    }
    var exitCode: ExitCode { .damage }
}

private struct NoTarget: Explained {
    let location: String
    let source: String

    var message: String { "there is no repository at \(location) to copy to" }
    var hint: String? {
        "make it first: repo init \(shellWord(location)) --copy-parameters-from"
            + " \(shellWord(source)); or say --same-keys"
    }
    var exitCode: ExitCode { .noRepository }
}

private struct NotEmpty: Explained {
    let location: String

    var message: String { "\(location) is not empty, and is no repository: nothing changed" }
    var hint: String? { "choose a place that is empty or not there yet" }
}

private struct OtherKeys: Explained {
    let location: String

    var message: String { "the repository at \(location) has other keys" }
    var hint: String? { "without --same-keys everything is sealed anew under its keys" }
}
