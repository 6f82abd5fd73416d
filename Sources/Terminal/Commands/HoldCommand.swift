import Faults
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo hold`: what must not be dropped.
enum HoldCommand {
    static let all = [addCommand, removeCommand, listCommand]

    private static let match = Option(
        "match", value: "PATTERN", isRepeatable: true,
        "the series it is for, those to come too: shop, shop/*, '*'")
    private static let until = Option("until", value: "DATE", "to the end of that day: 2027-11-21")
    private static let minAge = Option(
        "min", value: "DURATION", "each snapshot until it is so old: 90d, 6mo, 1y")
    private static let forever = Option("forever", "until the hold is removed")
    private static let preset = Option(
        "preset", value: "NAME", "a minimum age that somebody demands: see above")
    private static let reason = Option("reason", value: "TEXT", "why, for the record")
    private static let ended = Option("all", "those that have ended, too")

    private static let terms = [until, minAge, forever, preset]

    // MARK: add

    private static let addCommand = Command(
        "hold add", summary: "forbid to drop snapshots",
        usage: [
            "NAME --match PATTERN --until DATE", "NAME --match PATTERN --min DURATION",
            "NAME --match PATTERN --forever", "NAME --match PATTERN --preset NAME",
        ],
        description: """
            Forbids to drop snapshots of some series: repo prune and repo forget refuse
            then, naming the hold. It holds what is there and what will come. What is being
            dropped at this very moment may come too late; those are named.

            Presets, with where they come from; whether one of them is for you, ask who
            knows:

            \(Hold.presets.map {
                "  \($0.name)\(String(repeating: " ", count: 8 - $0.name.count))"
                    + " \($0.age.text)  \($0.source)"
            }.joined(separator: "\n"))

            A hold is kept in the repository, and so is its end: its record is never
            deleted. What protects from somebody with rights in the store is the store's own
            lock: docs/s3.md.
            """,
        operands: [Operand("NAME")], options: [match] + terms + [reason],
        examples: [
            .init("repo hold add pci --preset pci-dss --match 'pay/*'", "a year of everything"),
            .init(
                "repo hold add case-17 --match crm --forever --reason court",
                "until somebody removes it"),
            .init("repo hold add audit --match '*' --until 2027-03-31", "to a date"),
        ]
    ) { session in
        let arguments = session.arguments
        let name = try arguments.text(operand: 0) ?? ""
        let patterns = try arguments.texts(match).map { try SeriesPattern(checking: $0) }
        guard !patterns.isEmpty else {
            throw UsageError(
                "\(match.flag) is missing: what shall be held?", hint: "--match '*' is everything")
        }
        let (term, source) = try term(arguments, now: session.surroundings.now())
        let vault = try session.openVault()
        let outcome = try vault.addHold(
            named: name, patterns: patterns, term: term, reason: try arguments.text(reason),
            source: source)
        try report(outcome, session.console)
        return .done
    }

    private static func term(
        _ arguments: Arguments, now: Int64
    ) throws -> (HoldRecord.Term, source: String?) {
        let flags = terms.map { $0.flag }.joined(separator: ", ")
        guard terms.count(where: { arguments.has($0) }) == 1 else {
            throw UsageError("say how long, once", hint: "one of \(flags)")
        }
        let choices = Hold.presets.map { ($0.name, $0) }
        if let preset = try arguments.choice(preset, of: choices) {
            return (.age(preset.age), preset.source)
        }
        if let age = try RetentionOptions.span(minAge, arguments) { return (.age(age), nil) }
        if try arguments.time(until) != nil, let text = try arguments.text(until),
            let day = Times.parse(text)
        {
            guard day.last > now else {
                throw UsageError("\(until.flag) \(text) is over", hint: "choose a later date")
            }
            return (.until(day.last + 1), nil)
        }
        guard arguments.has(forever) else {
            throw UsageError("say how long, once", hint: "one of \(flags)")
        }
        return (.forever, nil)
    }

    private static func report(_ outcome: HoldOutcome, _ console: Console) throws {
        for snapshot in outcome.late {
            console.warn(
                "\(snapshot.id.short) (\(printable(snapshot.head.series))) is not held:"
                    + " it was being dropped already")
        }
        if console.isJSON {
            return try console.out(
                .object([
                    "type": "summary", "hold": .string("\(outcome.hold.id)"),
                    "name": .string(outcome.hold.name),
                    "snapshots_held": .integer(outcome.held.count),
                    "snapshots_late": .array(outcome.late.map { .string("\($0.id)") }),
                ]))
        }
        let hold = outcome.hold
        let series = Set(outcome.held.map { $0.head.series }).count
        try console.summary(
            "hold \(printable(hold.name)), \(hold.termText): it holds"
                + " \(Figures.count(outcome.held.count, "snapshot"))"
                + (series > 1 ? " of \(series) series" : "") + ", and those to come")
        if outcome.held.isEmpty && outcome.late.isEmpty {
            console.hint("no series is called like that yet: repo list shows what there is")
        }
    }

    // MARK: remove

    private static let removeCommand = Command(
        "hold remove", summary: "end a hold", usage: ["NAME [--reason TEXT]"],
        description: """
            Ends a hold. What it held may be dropped by the next repo prune. That there was
            a hold, and when it ended, stays on record: repo hold list --all.
            """,
        operands: [Operand("NAME")], options: [reason],
        examples: [
            .init("repo hold remove case-17 --reason settled", "and say why")
        ]
    ) { session in
        let name = try session.arguments.text(operand: 0) ?? ""
        let vault = try session.openVault()
        let holds = try vault.endHold(
            named: name, reason: try session.arguments.text(reason))
        if session.console.isJSON {
            try session.console.out(
                .object([
                    "type": "summary", "name": .string(name),
                    "holds": .array(holds.map { .string("\($0.id)") }),
                ]))
        }
        try session.console.summary("hold \(printable(name)) has ended")
        return .done
    }

    // MARK: list

    private static let listCommand = Command(
        "hold list", summary: "show the holds", usage: ["[--all]"],
        description: """
            Shows the holds in force, how long they are, the series they are for, and how
            many snapshots they hold now.
            """,
        options: [ended],
        examples: [
            .init("repo hold list", "those in force"),
            .init("repo hold list --all", "for an auditor: those that have ended, too"),
        ]
    ) { session in
        let vault = try session.openVault()
        try PolicyCommand.requireSight(vault)
        let (now, console) = (session.surroundings.now(), session.console)
        let all = try vault.allHolds(unreadable: .told)
        let shown = session.arguments.has(ended) ? all : all.filter { $0.isInForce(now: now) }
        let snapshots = shown.isEmpty ? [] : try session.history(vault).snapshots
        func count(_ hold: Hold) -> Int { snapshots.count { hold.covers($0, now: now) } }
        if console.isJSON {
            for hold in shown { try console.out(json(hold, count(hold))) }
        } else if shown.isEmpty {
            console.note("there is no hold")
        } else {
            try console.out(
                table(shown.map { ($0, count($0)) }, all: session.arguments.has(ended)))
        }
        return .done
    }

    private static func table(_ holds: [(Hold, Int)], all: Bool) -> Table {
        var table = Table(
            [
                .init("name"), .init("term"), .init("holds", isNumber: true), .init("match"),
                .init("since"),
            ] + (all ? [.init("ended")] : []) + [.init("reason")])
        for (hold, count) in holds {
            let why = [hold.record.source, hold.record.reason, hold.end?.reason]
            table.add(
                [
                    hold.name, hold.termText, "\(count)",
                    hold.patterns.map { $0.text }.joined(separator: ", "),
                    Times.local(hold.record.recorded),
                ] + (all ? [hold.end.map { Times.local($0.recorded) } ?? ""] : [])
                    + [why.compactMap { $0 }.joined(separator: "; ")])
        }
        return table
    }

    private static func json(_ hold: Hold, _ count: Int) -> JSON {
        var (until, age): (Int64?, CalendarSpan?)
        switch hold.term {
        case .until(let time): until = time
        case .age(let span): age = span
        case .forever: break
        }
        return .object([
            "type": "hold", "hold": .string("\(hold.id)"), "name": .string(hold.name),
            "match": .array(hold.patterns.map { .string($0.text) }),
            "until": .optional(until.map { Times.utc($0) }), "min_age": .optional(age?.text),
            "forever": .bool(hold.term == .forever),
            "since": .string(Times.utc(hold.record.recorded)),
            "reason": .optional(hold.record.reason), "source": .optional(hold.record.source),
            "ended": .optional(hold.end.map { Times.utc($0.recorded) }),
            "snapshots": .integer(count),
        ])
    }
}
