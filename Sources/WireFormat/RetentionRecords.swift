// What decides which snapshots stay (docs/format.md, section 13). Every field that decides is
// critical: a program that does not understand all of it must drop nothing because of the rest.

/// Says which rules hold for the series that a pattern means; or that none do any more.
package struct PolicyRecord: Equatable, Sendable {
    package let pattern: String
    /// Rises with every record of a pattern; the highest counts.
    package let version: UInt64
    package let recorded: Int64
    /// Nil takes the policy away.
    package let rules: RetentionRules?

    package init(pattern: String, version: UInt64, recorded: Int64, rules: RetentionRules?) {
        self.pattern = pattern
        self.version = version
        self.recorded = recorded
        self.rules = rules
    }

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.text(.critical(1), pattern)
        fields.integer(.critical(2), version)
        fields.integer(.critical(3), recorded)
        fields.optional(rules) { $0.field(.critical(4), $1.bytes) }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...4)
        pattern = try fields.requiredText(1)
        version = try fields.integer(2)
        recorded = try fields.integer(3)
        rules = try fields.optional(4).map { value throws(WireError) in
            try RetentionRules(value, what: what)
        }
    }
}

/// Forbids to drop what some patterns mean; or ends such a hold.
package struct HoldRecord: Equatable, Sendable {
    package enum Term: Equatable, Sendable {
        /// Milliseconds since 1970.
        case until(Int64)
        /// Each snapshot until it has this age.
        case age(CalendarSpan)
        case forever
    }

    package enum Content: Equatable, Sendable {
        case hold(patterns: [String], term: Term)
        /// The record of the hold that ends.
        case end(of: ObjectID)
    }

    package let name: String
    package let recorded: Int64
    package let content: Content
    /// Why, in the words of whoever made it.
    package let reason: String?
    /// The text of law or standard that a preset comes from.
    package let source: String?

    package init(
        name: String, recorded: Int64, content: Content, reason: String? = nil,
        source: String? = nil
    ) {
        self.name = name
        self.recorded = recorded
        self.content = content
        self.reason = reason
        self.source = source
    }

    package static let reasonBytes = 4096

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.text(.critical(1), name)
        fields.integer(.critical(2), recorded)
        switch content {
        case .end(let hold): fields.id(.critical(3), hold)
        case .hold(let patterns, let term):
            for pattern in patterns { fields.text(.critical(4), pattern) }
            switch term {
            case .until(let time): fields.integer(.critical(5), time)
            case .age(let span): fields.field(.critical(6), span.bytes)
            case .forever: break
            }
        }
        fields.optional(reason) { $0.text(.plain(7), $1) }
        fields.optional(source) { $0.text(.plain(8), $1) }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...8, repeated: [4])
        name = try fields.requiredText(1)
        recorded = try fields.integer(2)
        reason = try fields.text(7, atMost: Self.reasonBytes)
        source = try fields.text(8, atMost: Self.reasonBytes)
        let patterns = try fields.texts(4)
        let until: Int64? = try fields.optionalInteger(5)
        let age = try fields.span(6)
        if let ended: ObjectID = try fields.optionalID(3) {
            guard patterns.isEmpty, until == nil, age == nil else {
                throw fields.malformed("it ends a hold and is one")
            }
            content = .end(of: ended)
            return
        }
        guard !patterns.isEmpty, patterns.allSatisfy({ !$0.isEmpty }) else {
            throw fields.malformed("it holds nothing")
        }
        guard until == nil || age == nil else { throw fields.malformed("it ends in two ways") }
        content = .hold(
            patterns: patterns,
            term: until.map { .until($0) } ?? age.map { .age($0) } ?? .forever)
    }
}

/// Somebody looked at snapshots that seemed strange, and found that they are not.
package struct AcknowledgementRecord: Equatable, Sendable {
    package let series: String
    /// Of the snapshots; the record itself lies in domain 0, where no write key reads it.
    package let domain: DomainID
    package let recorded: Int64
    package let snapshots: [ObjectID]

    /// One record names no more, so that it stays far below the limit of its object.
    package static let snapshotsMax = 10_000

    package init(series: String, domain: DomainID, recorded: Int64, snapshots: [ObjectID]) {
        self.series = series
        self.domain = domain
        self.recorded = recorded
        self.snapshots = snapshots
    }

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.text(.critical(1), series)
        fields.id(.critical(2), domain)
        fields.integer(.critical(3), recorded)
        for snapshot in snapshots { fields.id(.critical(4), snapshot) }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...4, repeated: [4])
        series = try fields.requiredText(1)
        domain = try fields.id(2)
        recorded = try fields.integer(3)
        snapshots = try fields.ids(4)
        guard !snapshots.isEmpty else { throw fields.malformed("it names no snapshot") }
        guard snapshots.count <= Self.snapshotsMax else {
            throw fields.malformed("it names more than \(Self.snapshotsMax) snapshots")
        }
    }
}

extension FieldReader {
    /// Text that is there and says something.
    fileprivate func requiredText(_ number: UInt16) throws(WireError) -> String {
        guard let text = try text(number), !text.isEmpty else {
            throw malformed("field \(number) is missing or empty")
        }
        return text
    }
}
