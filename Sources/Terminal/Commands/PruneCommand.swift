import Faults
import ObjectStorage
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
    private static let grace = Option(
        "grace", value: "DURATION",
        "delete what is condemned after so long, by the store's clock; default 24h, 0 at once")
    private static let settle = Option(
        "settle", value: "DURATION",
        "where listings lag behind (OpenStack Swift): how long at most; 1h or more")
    private static let keepIncomplete = Option(
        "keep-incomplete", value: "DURATION",
        "leave what was begun and never finished alone for so long; default 7d")
    private static let maxUnused = Option(
        "max-unused", value: "PERCENT",
        "rewrite packs of which more is unused; default 10")
    private static let maxRepack = Option(
        "max-repack", value: "SIZE", "rewrite no more than this in one run, such as 5GiB")
    private static let rebase = Option(
        "rebase",
        "with a full key: make deltas anew that stand on data of dropped snapshots, where these weigh more than the deltas save"
    )

    static let command = Command(
        "prune", summary: "drop what no policy keeps, free the space",
        usage: ["[SERIES] [--keep-... N] [--gfs] [--dry-run] [--really]"],
        description: """
            Drops what the policies of repo policy set do not keep. A series without a
            policy keeps everything. With SERIES (a name, a pattern such as 'shop/*', or a
            group) only of these; with rules of its own for this run it needs a SERIES, and
            the policies do not count.

            \(RetentionOptions.explanation)

            What a hold forbids is never dropped, nor what somebody should look at first:
            repo policy acknowledge.

            Then the space is freed of what nothing needs any more. Adds, restores and other
            prunes may run at the same time. Packs that are used in part are rewritten; what
            is not needed is condemned at first, and deleted by a run a day later (--grace),
            so that no add has to start again. A run that was stopped is finished by the
            next. A maintain key is enough. With --object-lock what stays is locked anew.
            """,
        operands: [Operand("SERIES", .optional)],
        options: [
            dryRun, really, allowEmpty, grace, settle, keepIncomplete, maxUnused, maxRepack,
            rebase,
        ] + RetentionOptions.rules + [Session.acceptRollback],
        examples: [
            .init("repo prune --dry-run", "what the policies drop, and why; what that frees"),
            .init("repo prune", "nightly, after the adds"),
            .init("repo prune --grace 0", "free at once what may be freed"),
            .init("repo prune shop --keep-daily 7 --dry-run", "what other rules would drop"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        let name = try arguments.text(operand: 0)
        let given = try givenPolicy(name, arguments)
        let options = try options(arguments)
        let vault = try session.openVault()
        try PolicyCommand.requireSight(vault)
        let history = try session.history(vault)
        var input = try RetentionInput.load(
            history, vault, given: given, now: try vault.store.now())
        input.asked = try name.map { try RetentionInput.series(meantBy: $0, in: history) }
        input.allowEmpty = arguments.has(allowEmpty)
        input.really = arguments.has(really)
        let plan = try input.plan()
        var request = PruneRequest(history)
        request.options = options
        request.isDryRun = arguments.has(dryRun)
        request.dropped = plan.dropped
        if !request.isDryRun { try plan.check() }
        let table = DecisionTable(plan: plan)
        try table.show(session.console)
        for refusal in plan.refusals where request.isDryRun {
            session.console.warn("without --really this is refused: \(refusal.message)")
        }
        let outcome = try prune(request, vault)
        let summary = PruneSummary(outcome: outcome, kept: table.kept, isDryRun: request.isDryRun)
        try summary.show(session.console)
        table.hint(session.console)
        if input.policies.all.isEmpty, !session.console.isJSON {
            session.console.hint(
                "there is no policy, so no snapshot is dropped: repo policy set '*' --gfs")
        }
        return outcome.damaged > 0 ? .damage : .done
    }

    private static func options(_ arguments: Arguments) throws -> PruneOptions {
        var options = PruneOptions()
        options.grace = try milliseconds(grace, arguments) ?? options.grace
        options.keepIncomplete =
            try milliseconds(keepIncomplete, arguments) ?? options.keepIncomplete
        options.settle = try milliseconds(settle, arguments)
        if let settle = options.settle, settle < 3_600_000 {
            throw UsageError("--settle: less than an hour is not enough", hint: "say --settle 1h")
        }
        if let percent = try arguments.number(maxUnused, in: 0...100) {
            options.unusedMax = Double(percent) / 100
        }
        options.rebases = arguments.has(rebase)
        if let text = try arguments.text(maxRepack) {
            options.repackMax = try CacheLocation.bytes(text, of: maxRepack.flag)
        }
        return options
    }

    /// A duration; 0 is none at all.
    private static func milliseconds(_ option: Option, _ arguments: Arguments) throws -> Int64? {
        if try arguments.text(option) == "0" { return 0 }
        return try RetentionOptions.span(option, arguments)?.after(0)
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
}
