import Faults
import Operations
import Snapshots
import WireFormat

/// `repo check`: proves that everything can be restored.
enum CheckCommand {
    private static let readData = Option(
        "read-data", value: "[=PERCENT]",
        "read all stored data too, or a share of it, and verify every byte")

    private static let repairs = Option(
        "repair", "set aside what is damaged, and put right what can be")

    static let command = Command(
        "check", summary: "prove that everything can be restored",
        usage: ["[--read-data[=PERCENT]]", "--repair [--read-data] [--accept-rollback]"],
        description: """
            Checks keys, snapshots, lists and the directories of all packs, and that every
            piece that a snapshot needs is there. With --read-data it also reads, decrypts
            and verifies what is stored. Damage is named, with the snapshots it concerns,
            and ends with exit status 5. Of every snapshot that it concerns it is said which
            bytes of which stream are lost, and in which files, members or tables they lie.

            With --repair everything damaged is set aside: moved below set-aside/ in the
            repository, never deleted. What is sound of a damaged pack is kept, what index
            objects and config say is written anew, and a snapshot of which the manifest is
            lost is given up. What is lost then is missing, so the next add of the same data
            stores it anew, and heals every snapshot that needs it. Add --read-data to find
            damage of stored data as well. Where snapshots are missing nothing is changed
            unless --accept-rollback says that this is known; then it is recorded. The exit
            status is 0 if all that is left can be restored whole.
            """,
        options: [readData, repairs, Session.acceptRollback],
        examples: [
            .init("repo check", "fast: reads no stored data"),
            .init("repo check --read-data", "everything"),
            .init("repo check --read-data=10", "a tenth, for every night"),
            .init("repo check --read-data --repair", "after a disk lost something"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let request = CheckRequest(
            readDataPercent: try percent(session.arguments),
            acceptRollback: session.arguments.has(Session.acceptRollback),
            repairs: session.arguments.has(repairs))
        let vault = try session.openVault()
        let outcome = try check(request, vault)
        let console = session.console
        for repair in outcome.repairs {
            if console.isJSON {
                try console.out(.object(["type": "repair", "what": .string(repair)]))
            } else {
                try console.out(printable("repaired: \(repair)"))
            }
        }
        for damage in outcome.damages { try tell(damage, console) }
        for lost in outcome.losses { try tell(lost, console) }
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
        // Most problems begin with the object's name themselves.
        let isNamed = damage.problem.hasPrefix(damage.object)
        let names = damage.snapshots.prefix(Self.namesMax).map { $0.short }.joined(separator: ", ")
        let more =
            damage.snapshots.count > Self.namesMax
            ? " and \(damage.snapshots.count - Self.namesMax) more" : ""
        try console.out(
            printable("damaged: \(isNamed ? "" : "\(damage.object): ")\(damage.problem)")
                + (damage.snapshots.isEmpty ? "" : "; it concerns \(names)\(more)"))
    }

    private static func tell(_ lost: SnapshotLosses, _ console: Console) throws {
        guard console.isJSON else {
            return try LossSheet.tell(lost.snapshot, lost.losses, lost.parts, console)
        }
        try console.out(
            .object([
                "type": "lost", "snapshot": .string("\(lost.snapshot.id)"),
                "lost": LossSheet.json(lost.losses), "damaged": LossSheet.json(lost.parts),
            ]))
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
            "type": "summary", "repairs": .integer(outcome.repairs.count),
            "damages": .integer(outcome.damages.count),
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
        let found =
            outcome.repairs.isEmpty
            ? "check found \(objects)" : "after the repair there are \(objects)"
        return snapshots == 0
            ? "\(found); no snapshot is touched"
            : "\(found); \(Figures.count(snapshots, "snapshot")) cannot be restored whole"
    }

    var hint: String? {
        if outcome.repairs.isEmpty {
            return
                "what is not named can be restored; repo check --read-data --repair sets aside what is damaged"
        }
        return
            "add the same data again, and what it has heals; repo restore --allow-damaged brings back what is left"
    }

    var exitCode: ExitCode { outcome.exitCode }
}
