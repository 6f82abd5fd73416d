/// A signed fact (docs/format.md, section 13): what was forgotten, which keys there are, what
/// is to be kept.
package struct Record: Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case forgotten = 1
        case policy = 2
        case hold = 3
        case acknowledgement = 4
        case group = 5
        case key = 6
        case tag = 7

        /// The folder below `records/`.
        package var folder: String {
            switch self {
            case .forgotten: "forgotten"
            case .policy: "policies"
            case .hold: "holds"
            case .acknowledgement: "acknowledgements"
            case .group: "groups"
            case .key: "keys"
            case .tag: "tags"
            }
        }
    }

    package static let signatureBytes = 64
    package static let signaturePrefix = Array("repo record v1".utf8)
    /// The label of the box inside.
    package static let label = "record"
}

/// A snapshot was removed on purpose.
package struct ForgottenRecord: Equatable, Sendable {
    package let snapshot: ObjectID
    package let writer: ObjectID
    package let sequence: UInt64
    package let series: String
    /// Of the snapshot, and of the record.
    package let time: Int64
    package let recorded: Int64
    package let reason: Tombstone.Reason

    package init(
        snapshot: ObjectID, writer: ObjectID, sequence: UInt64, series: String, time: Int64,
        recorded: Int64,
        reason: Tombstone.Reason
    ) {
        self.snapshot = snapshot
        self.writer = writer
        self.sequence = sequence
        self.series = series
        self.time = time
        self.recorded = recorded
        self.reason = reason
    }

    /// - Parameter id: of the snapshot that the head is of.
    package init(of head: Head, _ id: ObjectID, recorded: Int64, reason: Tombstone.Reason) {
        self.init(
            snapshot: id, writer: head.writer, sequence: head.sequence, series: head.series,
            time: head.time, recorded: recorded, reason: reason)
    }

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.id(.critical(1), snapshot)
        fields.id(.critical(2), writer)
        fields.integer(.critical(3), sequence)
        fields.text(.plain(4), series)
        fields.integer(.plain(5), time)
        fields.integer(.plain(6), recorded)
        fields.integer(.plain(7), reason.rawValue)
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...7)
        snapshot = try fields.id(1)
        writer = try fields.id(2)
        sequence = try fields.integer(3)
        series = try fields.text(4) ?? ""
        time = try fields.optionalInteger(5) ?? 0
        recorded = try fields.optionalInteger(6) ?? 0
        reason = try fields.optionalInteger(7).map { Tombstone.Reason(rawValue: $0) } ?? .forgotten
    }
}

/// A key slot was made: whose it is.
package struct KeyRecord: Equatable, Sendable {
    package let slot: ObjectID
    package let kind: KeySlot.KeyKind
    /// Of a write key.
    package let domain: DomainID?
    package let label: String?
    package let created: Int64

    package init(
        slot: ObjectID, kind: KeySlot.KeyKind, domain: DomainID?, label: String?, created: Int64
    ) {
        self.slot = slot
        self.kind = kind
        self.domain = domain
        self.label = label
        self.created = created
    }

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.id(.critical(1), slot)
        fields.integer(.critical(2), kind.rawValue)
        fields.optional(domain) { $0.id(.plain(3), $1) }
        fields.optional(label) { $0.text(.plain(4), $1) }
        fields.integer(.plain(5), created)
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...5)
        slot = try fields.id(1)
        guard let kind = KeySlot.KeyKind(rawValue: try fields.integer(2)) else {
            throw .unknown("\(what) speaks of a key this program does not know")
        }
        self.kind = kind
        domain = try fields.optionalID(3)
        label = try fields.text(4)
        created = try fields.optionalInteger(5) ?? 0
    }
}
