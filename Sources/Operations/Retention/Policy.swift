import WireFormat

/// Rules, and the series they are for.
package struct Policy: Sendable, Equatable {
    package let pattern: SeriesPattern
    package let rules: RetentionRules
    /// Of a stored one; 0 for one that was given for this run.
    package let version: UInt64
    package let recorded: Int64

    package var isStored: Bool { version > 0 }

    package init(
        pattern: SeriesPattern, rules: RetentionRules, version: UInt64 = 0, recorded: Int64 = 0
    ) {
        self.pattern = pattern
        self.rules = rules
        self.version = version
        self.recorded = recorded
    }
}

/// All policies there are; for each series the most specific one holds, whole.
package struct Policies: Sendable, Equatable {
    /// The most specific first.
    package let all: [Policy]

    package init(_ all: [Policy] = []) {
        self.all = all.sorted { $0.pattern.isMoreSpecific(than: $1.pattern) }
    }

    package func policy(for series: String) -> Policy? {
        all.first { $0.pattern.matches(series) }
    }

    /// Everything that means a series, what holds first.
    package func matching(_ series: String) -> [Policy] {
        all.filter { $0.pattern.matches(series) }
    }
}

extension RetentionRules {
    /// Grandfather, father, son: 14 days, 5 Sundays, the first of 12 months, 7 January firsts.
    package static var gfs: RetentionRules {
        var rules = RetentionRules()
        (rules.keepDaily, rules.keepWeekly, rules.keepMonthly, rules.keepYearly) = (14, 5, 12, 7)
        return rules
    }

    /// Whether anything says what to keep.
    package var keepsAnything: Bool {
        [keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly].contains { $0 > 0 }
            || keepWithin != nil || !keepTags.isEmpty
    }

    /// Whether anything says what stays or goes.
    package var decidesAnything: Bool { keepsAnything || maxAge != nil }

    /// Throws where they say nothing, or two things at once.
    package func check(for pattern: String) throws(RetentionError) {
        guard decidesAnything || expectEvery != nil else { throw .noRules(pattern: pattern) }
        if let keepWithin, let maxAge, maxAge.after(0) < keepWithin.after(0) {
            throw .keptTooLong(within: keepWithin.text, maxAge: maxAge.text)
        }
    }

    /// As the options say it: `--keep-daily 14`.
    package var words: [String] {
        let counts: [(String, Count)] = [
            ("last", keepLast), ("hourly", keepHourly), ("daily", keepDaily),
            ("weekly", keepWeekly), ("monthly", keepMonthly), ("yearly", keepYearly),
        ]
        var words = counts.filter { $0.1 > 0 }
            .map { "--keep-\($0.0) \($0.1 == Self.all ? "all" : "\($0.1)")" }
        if let keepWithin { words.append("--keep-within \(keepWithin.text)") }
        words += keepTags.map { "--keep-tag \($0)" }
        if let maxAge { words.append("--max-age \(maxAge.text)") }
        if let timezone { words.append("--timezone \(timezone)") }
        if weekStart > 0 { words.append("--week-starts \(Self.weekdays[Int(weekStart)])") }
        if byHost { words.append("--by-host") }
        if let expectEvery { words.append("--expect-every \(expectEvery.text)") }
        return words
    }

    package static let weekdays = [
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    ]
}

extension SeriesPattern {
    /// A pattern as somebody typed it.
    package init(checking text: String) throws(RetentionError) {
        func bad(_ why: String) -> RetentionError { .badPattern(text, why: why) }
        guard !text.isEmpty else { throw bad("it is empty") }
        guard text.utf8.count <= Limits.nameBytes else {
            throw bad("it has more than \(Limits.nameBytes) bytes")
        }
        guard !text.contains("@") else { throw bad("@ is in the name of none") }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
            throw bad("it has spaces or control characters")
        }
        self.init(text)
    }
}
