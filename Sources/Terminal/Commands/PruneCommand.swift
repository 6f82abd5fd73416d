import Faults
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo prune`: applies the policies.
enum PruneCommand {
    private static let dryRun = Option(
        "dry-run", "show what would be kept and dropped, and why, and drop nothing")
    private static let really = Option(
        "really",
        "go on where more than 30 % of a series would be dropped that a host with a write key adds to"
    )
    private static let allowEmpty = Option(
        "allow-empty", "let --max-age drop the last good snapshot of a series, too")

    static let command = Command(
        "prune", summary: "drop what no policy keeps",
        usage: ["[SERIES] [--keep-... N] [--gfs] [--dry-run] [--really]"],
        description: """
            Drops what the policies of repo policy set do not keep. A series without a
            policy keeps everything. With SERIES (a name, a pattern such as 'shop/*', or a
            group) only of these; with rules of its own for this run it needs a SERIES, and
            the policies do not count.

            \(RetentionOptions.explanation)

            What a hold forbids is never dropped, nor what somebody should look at first:
            repo policy acknowledge.
            """,
        operands: [Operand("SERIES", .optional)],
        options: [dryRun, really, allowEmpty] + RetentionOptions.rules,
        examples: [
            .init("repo prune --dry-run", "what the policies drop, and why"),
            .init("repo prune shop --keep-daily 7 --dry-run", "what other rules would drop"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        let name = try arguments.text(operand: 0)
        let given = try givenPolicy(name, arguments)
        let vault = try session.openVault()
        try PolicyCommand.requireSight(vault)
        let history = try session.history(vault)
        var input = try RetentionInput.load(
            history, vault, given: given, now: storeTime(history, vault))
        input.asked = try name.map { try RetentionInput.series(meantBy: $0, in: history) }
        input.allowEmpty = arguments.has(allowEmpty)
        input.really = arguments.has(really)
        let plan = try input.plan()
        guard arguments.has(dryRun) else {
            // The engine that drops and frees begins here, with `plan` and `DecisionTable`.
            throw UsageError(
                "repo prune cannot drop anything yet",
                hint: "repo prune --dry-run shows what it would drop")
        }
        let table = DecisionTable(plan: plan)
        try table.show(session.console)
        for refusal in plan.refusals {
            session.console.warn("without --really this is refused: \(refusal.message)")
        }
        try summarize(table, input, session.console)
        return .done
    }

    /// The store's clock as far as it is known without writing anything: this machine's, unless the
    /// store has written something later already.
    private static func storeTime(_ history: History, _ vault: Vault) -> Int64 {
        max(
            vault.surroundings.now(), history.snapshots.compactMap { $0.committed }.max() ?? .min)
    }

    /// The rules of this run; nil where the stored policies hold.
    private static func givenPolicy(_ name: String?, _ arguments: Arguments) throws -> Policy? {
        guard RetentionOptions.isGiven(arguments) else { return nil }
        guard let name else {
            throw UsageError(
                "rules are given, and no series for them",
                hint: "name it: repo prune SERIES --keep-...; '*' means all")
        }
        let rules = try RetentionOptions.parse(arguments)
        guard rules.decidesAnything else { throw RetentionError.noRules(pattern: name) }
        try rules.check(for: name)
        // Which series they are for is said by what is asked about.
        return Policy(pattern: SeriesPattern("*"), rules: rules)
    }

    private static func summarize(
        _ table: DecisionTable, _ input: RetentionInput, _ console: Console
    ) throws {
        if console.isJSON {
            return try console.out(
                .object([
                    "type": "summary", "snapshots_kept": .integer(table.kept),
                    "snapshots_dropped": .integer(table.dropped), "dry_run": true,
                ]))
        }
        try console.summary(
            "would drop \(Figures.count(table.dropped, "snapshot")) and keep"
                + " \(Figures.count(table.kept)); nothing was dropped")
        table.hint(console)
        if input.policies.all.isEmpty {
            console.hint("there is no policy, so all is kept: repo policy set '*' --gfs")
        }
    }
}
