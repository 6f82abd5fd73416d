import Faults
import Operations
import WireFormat

/// `repo check`: proves that everything can be restored.
enum CheckCommand {
    private static let readData = Option(
        "read-data", value: "[=PERCENT]",
        "read all stored data too, or a share of it, and verify every byte")

    static let command = Command(
        "check", summary: "prove that everything can be restored",
        usage: ["[--read-data[=PERCENT]]"],
        description: """
            Checks keys, snapshots, lists and the directories of all packs, and that every
            piece that a snapshot needs is there. With --read-data it also reads, decrypts
            and verifies what is stored. Damage is named, with the snapshots it concerns,
            and ends with exit status 5.
            """,
        options: [readData, Session.acceptRollback],
        examples: [
            .init("repo check", "fast: reads no stored data"),
            .init("repo check --read-data", "everything"),
            .init("repo check --read-data=10", "a tenth, for every night"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let request = CheckRequest(
            readDataPercent: try percent(session.arguments),
            acceptRollback: session.arguments.has(Session.acceptRollback))
        let vault = try session.openVault()
        let outcome = try check(request, vault)
        let console = session.console
        for damage in outcome.damages { try tell(damage, console) }
        for note in outcome.notes { console.note(note) }
        if console.isJSON {
            try console.out(json(outcome))
        } else {
            try tell(outcome, console)
        }
        return outcome.exitCode
    }

    private static func percent(_ arguments: Arguments) throws(UsageError) -> Int? {
        guard arguments.has(readData) else { return nil }
        let text = try arguments.text(readData) ?? ""
        if text.isEmpty { return 100 }
        let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
        guard let percent = Int(digits), (1...100).contains(percent) else {
            throw UsageError(
                "--read-data=\(text): a number is wanted, 1 to 100",
                hint: "--read-data=10 reads a tenth")
        }
        return percent
    }

    private static func tell(_ damage: Damage, _ console: Console) throws {
        if console.isJSON {
            return try console.out(
                .object([
                    "type": "damage", "object": .string(damage.object),
                    "problem": .string(damage.problem),
                    "snapshots": .array(damage.snapshots.map { .string("\($0)") }),
                ]))
        }
        let names = damage.snapshots.prefix(Self.namesMax).map { $0.short }.joined(separator: ", ")
        let more =
            damage.snapshots.count > Self.namesMax
            ? " and \(damage.snapshots.count - Self.namesMax) more" : ""
        try console.out(
            printable("damaged: \(damage.object): \(damage.problem)")
                + (damage.snapshots.isEmpty ? "" : "; it concerns \(names)\(more)"))
    }

    private static let namesMax = 8

    private static func tell(_ outcome: CheckOutcome, _ console: Console) throws {
        let seen =
            "\(Figures.count(outcome.snapshots, "snapshot")), \(Figures.count(outcome.packs, "pack")), "
            + Figures.count(outcome.chunks, "chunk")
        let data =
            outcome.dataWasRead
            ? "\(Figures.size(outcome.bytesRead)) of stored data read"
            : "stored data not read (--read-data does)"
        let line = "\(seen), \(data), \(Figures.duration(outcome.seconds))"
        guard outcome.damages.isEmpty else {
            try console.out(line)
            console.report(FoundDamage(outcome: outcome))
            return
        }
        try console.summary(outcome.exitCode == .done ? "sound: \(line)" : line)
    }

    private static func json(_ outcome: CheckOutcome) -> JSON {
        .object([
            "type": "summary", "damages": .integer(outcome.damages.count),
            "snapshots": .integer(outcome.snapshots),
            "packs": .integer(outcome.packs), "chunks": .integer(outcome.chunks),
            "bytes_read": .integer(outcome.bytesRead), "data_was_read": .bool(outcome.dataWasRead),
            "notes": .array(outcome.notes.map { .string($0) }),
            "seconds": .seconds(outcome.seconds),
            "exit_code": .integer(Int(outcome.exitCode.rawValue)),
        ])
    }
}

/// What `check` found, said once more at its end.
private struct FoundDamage: Explained {
    let outcome: CheckOutcome

    var message: String {
        let objects = Figures.count(outcome.damages.count, "damaged object")
        let snapshots = Set(outcome.damages.flatMap { $0.snapshots }).count
        return snapshots == 0
            ? "check found \(objects); no snapshot is touched"
            : "check found \(objects); \(Figures.count(snapshots, "snapshot")) cannot be restored whole"
    }

    var hint: String? { "what is not named can be restored; make a new snapshot of what is" }

    var exitCode: ExitCode { outcome.exitCode }
}
