import Faults
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo policy`: which snapshots are to be kept.
enum PolicyCommand {
    static let all = [showCommand, setCommand, removeCommand, acknowledgeCommand]

    private static let expectEvery = Option(
        "expect-every", value: "DURATION", "how often a new snapshot is expected, for repo status")
    private static let dryRun = Option("dry-run", "show what it would be, and do nothing")

    // MARK: show

    private static let showCommand = Command(
        "policy show", summary: "show what is kept, and by which policy", usage: ["[SERIES]"],
        description: """
            Shows all policies, the most specific first. With SERIES the one that holds for
            it and why, and what of its snapshots somebody should look at. A series for
            which there is no policy keeps everything.
            """,
        operands: [Operand("SERIES", .optional)],
        examples: [
            .init("repo policy show", "all of them"),
            .init("repo policy show shop/logical", "the one that holds for a series"),
        ]
    ) { session in
        let name = try session.arguments.text(operand: 0)
        let vault = try session.openVault()
        try requireSight(vault)
        if let name {
            try show(series: name, vault, session)
        } else {
            try show(try vault.policies(unreadable: .told).all, session.console)
        }
        return .done
    }

    /// A write key would see no policy, and take that for none.
    static func requireSight(_ vault: Vault) throws {
        guard vault.seesRetention else {
            throw UsageError(
                "this key sees neither policies nor holds",
                hint: "use a full or a maintain key: repo key list shows which there are")
        }
    }

    private static func show(_ policies: [Policy], _ console: Console) throws {
        if console.isJSON {
            for policy in policies { try console.out(json(policy)) }
            return
        }
        guard !policies.isEmpty else {
            console.note("there is no policy: everything is kept")
            return console.hint("repo policy set '*' --gfs is a good one to begin with")
        }
        var table = Table([.init("pattern"), .init("rules"), .init("set"), .init("version")])
        for policy in policies {
            table.add([
                policy.pattern.text, policy.rules.words.joined(separator: " "),
                Times.local(policy.recorded), "\(policy.version)",
            ])
        }
        try console.out(table)
    }

    private static func show(series: String, _ vault: Vault, _ session: Session) throws {
        let console = session.console
        let input = try RetentionInput.load(
            try session.history(vault), vault, now: vault.surroundings.now(), unreadable: .told)
        let matching = input.policies.matching(series)
        let anomalies = try input.anomalies(of: [series])
        if console.isJSON {
            if let policy = matching.first {
                try console.out(json(policy).with(["series": .string(series)]))
            }
            for anomaly in anomalies { try console.out(json(anomaly)) }
            return
        }
        let ours = input.snapshots.filter { $0.head.series == series }
        if ours.isEmpty { console.note("there is no snapshot of \(printable(series)) yet") }
        guard let policy = matching.first else {
            try console.out("no policy: everything of \(printable(series)) is kept")
            return console.hint("repo policy set \(shellWord(series)) --gfs, or '*' for all")
        }
        try console.out(
            "policy \(printable(policy.pattern.text)), version \(policy.version),"
                + " set \(Times.local(policy.recorded))")
        for word in policy.rules.words { try console.out("  \(printable(word))") }
        try console.out(why(policy, matching))
        if ours.contains(where: { $0.domain != .shared }) {
            let within = policy.rules.keepWithin.map { $0.text } ?? "30d"
            try console.out(
                "a host with a write key adds to it: what the store got within \(within) stays")
        }
        try tell(anomalies, console)
    }

    private static func why(_ policy: Policy, _ matching: [Policy]) -> String {
        guard matching.count > 1 else { return "it is the only one that means this series" }
        let others = matching.dropFirst().map { printable($0.pattern.text) }
        let reason = policy.pattern.isName ? "it names the series" : "it is the most specific"
        return "\(reason); \(others.joined(separator: ", ")) would mean it too"
    }

    private static func tell(_ anomalies: [Anomaly], _ console: Console) throws {
        guard !anomalies.isEmpty else { return }
        try console.out("")
        try console.out(table(anomalies))
        let series = Set(anomalies.map { $0.snapshot.head.series }).sorted()[0]
        console.hint(
            "if all is as it should be: repo policy acknowledge \(shellWord(printable(series)))")
    }

    private static func table(_ anomalies: [Anomaly]) -> Table {
        var table = Table([.init("id"), .init("time"), .init("stored"), .init("to look at")])
        for anomaly in anomalies {
            let snapshot = anomaly.snapshot
            table.add([
                snapshot.id.short, Times.local(snapshot.head.time),
                snapshot.committed.map { Times.local($0) } ?? "", anomaly.text,
            ])
        }
        return table
    }

    private static func json(_ policy: Policy) -> JSON {
        JSON.object([
            "type": "policy", "pattern": .string(policy.pattern.text),
            "version": .integer(Int(clamping: policy.version)),
            "time": .string(Times.utc(policy.recorded)),
        ]).with(policy.rules.members)
    }

    private static func json(_ anomaly: Anomaly) -> JSON {
        let kind =
            switch anomaly.kind {
            case .time: "time"
            case .flood: "flood"
            case .size: "size"
            case .newData: "new-data"
            }
        return .object([
            "type": "anomaly", "snapshot": .string("\(anomaly.snapshot.id)"),
            "series": .string(anomaly.snapshot.head.series),
            "time": .string(Times.utc(anomaly.snapshot.head.time)),
            "stored": .optional(anomaly.snapshot.committed.map { Times.utc($0) }),
            "kind": .string(kind), "text": .string(anomaly.text),
        ])
    }

    // MARK: set

    private static let setCommand = Command(
        "policy set", summary: "say what to keep", usage: ["PATTERN [--gfs] [--keep-... N] ..."],
        description: """
            Says what repo prune keeps of the series that PATTERN means: one by its name, or
            several: shop/*, '*' for all. Of several policies that mean a series the most
            specific holds, alone. The rules given replace all that was set for this
            pattern.

            \(RetentionOptions.explanation)

            d and w are days of 24 hours and weeks of seven, mo and y those of the calendar
            in UTC. --max-age drops what is older (for the GDPR, say), but neither what a
            hold forbids nor the newest complete one of a series.

            Of a series that a host with a write key adds to, nothing is dropped that the
            store got within --keep-within, by default 30d: whoever takes over the host
            shall not push out what was there before.
            """,
        operands: [Operand("PATTERN")], options: RetentionOptions.rules + [expectEvery],
        examples: [
            .init("repo policy set '*' --gfs --timezone Europe/Berlin", "for all series"),
            .init("repo policy set shop/logs --keep-within 14d", "another one for a series"),
            .init("repo policy set 'legal/*' --keep-last all", "these are kept for ever"),
            .init(
                "repo policy set crm --keep-daily 30 --max-age 90d", "nothing older than 90 days"),
        ]
    ) { session in
        var rules = try RetentionOptions.parse(session.arguments)
        rules.expectEvery = try RetentionOptions.span(expectEvery, session.arguments)
        let pattern = try SeriesPattern(checking: try session.arguments.text(operand: 0) ?? "")
        try rules.check(for: pattern.text)
        let vault = try session.openVault()
        let policy = try vault.setPolicy(pattern, rules)
        try summarize(policy, vault, session)
        return .done
    }

    private static func summarize(_ policy: Policy, _ vault: Vault, _ session: Session) throws {
        let console = session.console
        if console.isJSON {
            return try console.out(
                .object([
                    "type": "summary", "pattern": .string(policy.pattern.text),
                    "version": .integer(Int(clamping: policy.version)),
                ]))
        }
        let policies = try vault.policies(unreadable: .told)
        let series = Set(try session.history(vault).snapshots.map { $0.head.series }).filter {
            policies.policy(for: $0)?.pattern == policy.pattern
        }
        let name = printable(policy.pattern.text)
        try console.summary(
            "policy \(name) is set, version \(policy.version); it holds for"
                + " \(series.isEmpty ? "no series yet" : series.sorted().prefix(5).map { printable($0) }.joined(separator: ", "))"
                + (series.count > 5 ? " and \(series.count - 5) more" : ""))
        if !series.isEmpty { console.hint("repo prune --dry-run shows what it will drop") }
    }

    // MARK: remove

    private static let removeCommand = Command(
        "policy remove", summary: "take a policy away", usage: ["PATTERN"],
        description: """
            Takes the policy of a pattern away. A less specific one may hold for its series
            then; where there is none, everything is kept.
            """,
        operands: [Operand("PATTERN")],
        examples: [.init("repo policy remove shop/logs", "as repo policy show names it")]
    ) { session in
        let pattern = try session.arguments.text(operand: 0) ?? ""
        let vault = try session.openVault()
        try vault.removePolicy(pattern)
        if session.console.isJSON {
            try session.console.out(.object(["type": "summary", "pattern": .string(pattern)]))
        }
        try session.console.summary("policy \(printable(pattern)) is removed")
        return .done
    }

    // MARK: acknowledge

    private static let acknowledgeCommand = Command(
        "policy acknowledge", summary: "say that what looked strange is in order",
        usage: ["SERIES [--dry-run]"],
        description: """
            Some snapshots are kept, and keep what was there before them, until somebody has
            looked at them: those whose time the store's clock contradicts; and where a host
            with a write key adds them, four times as many in a week as usual, one that is
            four times or a quarter as large as others of its kind, or one that brings four
            times as much that is new. repo policy show SERIES lists them.

            This says that all of them are as they should be. Their times are believed
            from then on, and repo prune goes on. What comes later is looked at anew. It is
            also for a directory that was copied without the times of its files.
            """,
        operands: [Operand("SERIES")], options: [dryRun],
        examples: [
            .init("repo policy acknowledge shop --dry-run", "look first"),
            .init("repo policy acknowledge shop", "the host was filled anew, that was all"),
        ]
    ) { session in
        let text = try session.arguments.text(operand: 0) ?? ""
        let isDry = session.arguments.has(dryRun)
        let vault = try session.openVault()
        try requireSight(vault)
        let history = try session.history(vault)
        let input = try RetentionInput.load(
            history, vault, now: vault.surroundings.now(), unreadable: .told)
        let anomalies = try input.anomalies(
            of: try RetentionInput.series(meantBy: text, in: history))
        if !isDry && !anomalies.isEmpty { try vault.acknowledge(anomalies) }
        try report(anomalies, isDry: isDry, text, session.console)
        return .done
    }

    private static func report(
        _ anomalies: [Anomaly], isDry: Bool, _ text: String, _ console: Console
    ) throws {
        let count = Set(anomalies.map { $0.snapshot.id }).count
        if console.isJSON {
            for anomaly in anomalies { try console.out(json(anomaly)) }
            return try console.out(
                .object([
                    "type": "summary", "snapshots": .integer(count), "dry_run": .bool(isDry),
                ]))
        }
        guard !anomalies.isEmpty else {
            return try console.summary("nothing of \(printable(text)) has to be looked at")
        }
        try console.out(table(anomalies))
        try console.summary(
            isDry
                ? "nothing was acknowledged: without --dry-run it would be"
                : "acknowledged \(Figures.count(count, "snapshot"))")
    }
}
