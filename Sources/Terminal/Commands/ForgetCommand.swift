import Faults
import Operations
import Snapshots
import WireFormat

/// `repo forget`: drops single snapshots.
enum ForgetCommand {
    private static let dryRun = Option("dry-run", "say what would be dropped, and drop nothing")
    private static let allowEmpty = Option(
        "allow-empty", "drop the last good snapshot of a series, too")

    static let command = Command(
        "forget", summary: "drop single snapshots",
        usage: ["REF... [--dry-run] [--allow-empty]"],
        description: """
            Drops the snapshots that are named, all of them or none. They are gone from
            repo list at once; the space that only they took is freed by a later prune.
            The last good snapshot of a series stays unless --allow-empty is given. What a
            group saved together is dropped together: by the group's name, or by naming
            all its snapshots.
            """,
        operands: [Operand("REF", .oneOrMore)],
        options: [dryRun, allowEmpty],
        examples: [
            .init("repo forget 3f9c02ab --dry-run", "see first what it means"),
            .init("repo forget 3f9c02ab 91be77d0", "two snapshots"),
            .init("repo forget nightly@2026-11-20", "all that a group saved in one night"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        let isDry = arguments.has(dryRun)
        let references = try arguments.operands.indices.map { try session.reference(operand: $0) }
        let vault = try session.openVault()
        let decisions = try forget(
            ForgetRequest(
                references: references, dryRun: isDry, allowEmpty: arguments.has(allowEmpty)),
            in: vault)
        let console = session.console
        if console.isJSON {
            for decision in decisions { try console.out(json(decision)) }
            try console.out(
                .object([
                    "type": "summary", "snapshots_dropped": .integer(isDry ? 0 : decisions.count),
                    "dry_run": .bool(isDry),
                ]))
            return .done
        }
        var table = Table([
            .init("action"), .init("id"), .init("time"), .init("series"), .init("reason"),
        ])
        for decision in decisions {
            table.add([
                "drop", decision.snapshot.id.short, Times.local(decision.snapshot.head.time),
                decision.snapshot.head.series, decision.reason,
            ])
        }
        try console.out(table)
        try console.summary(
            isDry
                ? "nothing was dropped: without --dry-run it would be"
                : "dropped \(Figures.count(decisions.count, "snapshot")); a later prune frees the space"
        )
        return .done
    }

    private static func json(_ decision: ForgetDecision) -> JSON {
        .object([
            "type": "decision", "snapshot": .string("\(decision.snapshot.id)"),
            "series": .string(decision.snapshot.head.series),
            "time": .string(Times.utc(decision.snapshot.head.time)),
            "action": "drop", "reasons": .array([.string(decision.reason)]),
        ])
    }
}
