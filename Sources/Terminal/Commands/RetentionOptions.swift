import Operations
import WireFormat

/// The options that say what to keep: of `policy set` and of `prune`.
enum RetentionOptions {
    private static let counts:
        [(Option, any (WritableKeyPath<RetentionRules, UInt32> & Sendable))] = [
            (
                Option("keep-last", value: "N", "keep the newest N; for N also: all, none"),
                \.keepLast
            ),
            (Option("keep-hourly", value: "N", "keep one an hour, of the newest N"), \.keepHourly),
            (Option("keep-daily", value: "N", "keep one a day, of the newest N"), \.keepDaily),
            (Option("keep-weekly", value: "N", "keep one a week, of the newest N"), \.keepWeekly),
            (
                Option("keep-monthly", value: "N", "keep one a month, of the newest N"),
                \.keepMonthly
            ),
            (Option("keep-yearly", value: "N", "keep one a year, of the newest N"), \.keepYearly),
        ]
    private static let gfs = Option(
        "gfs",
        "grandfather, father, son: 14 daily, 5 weekly (Sundays), 12 monthly (the first), 7 yearly (January 1); other options change single rules of it"
    )
    private static let within = Option(
        "keep-within", value: "DURATION", "keep all that is younger: 90m, 12h, 30d, 2w, 6mo, 1y")
    private static let tag = Option(
        "keep-tag", value: "T", isRepeatable: true, "keep what has this tag")
    private static let maxAge = Option(
        "max-age", value: "DURATION", "drop what is older even if a rule would keep it")
    private static let timezone = Option(
        "timezone", value: "ZONE",
        "where hours, days, weeks, months and years begin, such as Europe/Berlin; default UTC")
    private static let weekStarts = Option(
        "week-starts", value: "DAY", "the day a week begins with; default sunday")
    private static let byHost = Option("by-host", "each host of a series has slots of its own")

    static let rules =
        [gfs] + counts.map { $0.0 } + [within, tag, maxAge, timezone, weekStarts, byHost]

    /// What stands between the usage and the options of both commands.
    static let explanation = """
        Rules unite: a snapshot stays if one of them keeps it. For an hour, a day, a
        week, a month or a year stands its first complete snapshot, so nightly ones keep
        that of Sunday for the week and that of the first for the month; where it is
        missing, the next. N counts hours, days ... that have a snapshot, back from the
        newest. What was cut off or has shrunk stands for nothing. The newest complete
        one of a series always stays, what is kept keeps what it needs, and what a group
        saved together stays together.
        """

    static func isGiven(_ arguments: Arguments) -> Bool { rules.contains { arguments.has($0) } }

    /// The rules as they were typed.
    static func parse(_ arguments: Arguments) throws -> RetentionRules {
        var rules = arguments.has(gfs) ? .gfs : RetentionRules()
        for (option, path) in counts {
            if let count = try count(option, arguments) { rules[keyPath: path] = count }
        }
        rules.keepWithin = try span(within, arguments)
        rules.keepTags = try arguments.texts(tag)
        rules.maxAge = try span(maxAge, arguments)
        rules.timezone = try arguments.text(timezone)
        if rules.timezone == "UTC" { rules.timezone = nil }
        let days = RetentionRules.weekdays.enumerated().map { ($1, UInt8($0)) }
        rules.weekStart = try arguments.choice(weekStarts, of: days) ?? 0
        rules.byHost = arguments.has(byHost)
        return rules
    }

    /// Nil where it is not given; 0 takes a rule of `--gfs` away.
    private static func count(_ option: Option, _ arguments: Arguments) throws -> UInt32? {
        switch try arguments.text(option) {
        case "all": RetentionRules.all
        case "none": 0
        default:
            try arguments.number(option, in: 0...Int(UInt32.max) - 1).map { UInt32($0) }
        }
    }

    static func span(_ option: Option, _ arguments: Arguments) throws -> CalendarSpan? {
        guard let text = try arguments.text(option), text != "none" else { return nil }
        do {
            return try CalendarSpan(parsing: text)
        } catch {
            throw UsageError("\(option.flag) \(error.message)", hint: error.hint)
        }
    }
}

extension RetentionRules {
    /// As `policy show --json` says it; all are -1.
    var members: KeyValuePairs<String, JSON> {
        func json(_ count: UInt32) -> JSON {
            count == 0 ? .null : .integer(count == Self.all ? -1 : Int(count))
        }
        return [
            "keep_last": json(keepLast), "keep_hourly": json(keepHourly),
            "keep_daily": json(keepDaily), "keep_weekly": json(keepWeekly),
            "keep_monthly": json(keepMonthly), "keep_yearly": json(keepYearly),
            "keep_within": .optional(keepWithin?.text),
            "keep_tags": .array(keepTags.map { .string($0) }), "max_age": .optional(maxAge?.text),
            "timezone": .string(timezone ?? "UTC"),
            "week_starts": .string(Self.weekdays[Int(weekStart)]), "by_host": .bool(byHost),
            "expect_every": .optional(expectEvery?.text),
        ]
    }
}
