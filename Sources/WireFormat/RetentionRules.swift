/// Which snapshots of a series are kept (docs/format.md, section 13).
package struct RetentionRules: Equatable, Sendable {
    /// How many: 0 is no rule, `all` is every one.
    package typealias Count = UInt32
    package static let all = Count.max

    package var keepLast: Count = 0
    package var keepHourly: Count = 0
    package var keepDaily: Count = 0
    package var keepWeekly: Count = 0
    package var keepMonthly: Count = 0
    package var keepYearly: Count = 0
    package var keepWithin: CalendarSpan?
    package var keepTags: [String] = []
    /// What is older goes, whatever the rules say.
    package var maxAge: CalendarSpan?
    /// Where days and weeks begin; nil for UTC.
    package var timezone: String?
    /// The day a week begins with, 0 for Sunday.
    package var weekStart: UInt8 = 0
    /// Whether each host of a series has slots of its own.
    package var byHost = false
    /// How often a new snapshot is expected. Decides nothing here.
    package var expectEvery: CalendarSpan?

    package init() {}
}

extension RetentionRules {
    package var bytes: [UInt8] {
        var fields = FieldWriter()
        for (number, count) in counts where count > 0 { fields.integer(.critical(number), count) }
        fields.optional(keepWithin) { $0.field(.critical(7), $1.bytes) }
        for tag in keepTags { fields.text(.critical(8), tag) }
        fields.optional(maxAge) { $0.field(.critical(9), $1.bytes) }
        fields.optional(timezone) { $0.text(.critical(10), $1) }
        if weekStart != 0 { fields.integer(.critical(11), weekStart) }
        if byHost { fields.integer(.critical(12), UInt8(1)) }
        fields.optional(expectEvery) { $0.field(.plain(13), $1.bytes) }
        return fields.bytes
    }

    private var counts: [(UInt16, Count)] {
        [
            (1, keepLast), (2, keepHourly), (3, keepDaily), (4, keepWeekly), (5, keepMonthly),
            (6, keepYearly),
        ]
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...13, repeated: [8])
        func count(_ number: UInt16) throws(WireError) -> Count {
            guard let count = try fields.optionalInteger(number, Count.self) else { return 0 }
            guard count > 0 else { throw fields.malformed("field \(number) keeps nothing") }
            return count
        }
        keepLast = try count(1)
        keepHourly = try count(2)
        keepDaily = try count(3)
        keepWeekly = try count(4)
        keepMonthly = try count(5)
        keepYearly = try count(6)
        keepWithin = try fields.span(7)
        keepTags = try fields.texts(8)
        maxAge = try fields.span(9)
        timezone = try fields.text(10)
        if let day = try fields.optionalInteger(11, UInt8.self) {
            guard day < 7 else { throw .unknown("\(what) begins its weeks with no day") }
            guard day > 0 else { throw fields.malformed("it says that weeks begin as they do") }
            weekStart = day
        }
        if let flag = try fields.optionalInteger(12, UInt8.self) {
            guard flag == 1 else { throw .unknown("\(what) tells hosts apart in an unknown way") }
            byHost = true
        }
        expectEvery = try fields.span(13)
    }
}
