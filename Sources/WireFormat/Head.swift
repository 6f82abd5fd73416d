/// What makes a snapshot count, and all that `list` and retention need of it (docs/format.md,
/// section 12).
package struct Head: Equatable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case full = 1
        case incremental = 2
        case differential = 3
    }

    package enum Completeness: UInt8, Sendable {
        case incomplete = 0
        case complete = 1
        /// The producer writes no end.
        case unknown = 2
    }

    package enum Evidence: UInt8, Sendable {
        case none = 0
        case trailer = 1
        case exitStatus = 2
        case both = 3
    }

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let shrunk = Flags(rawValue: 1)
        package static let timeGiven = Flags(rawValue: 2)
        package static let shrinkAllowed = Flags(rawValue: 4)
        package static let incompleteAllowed = Flags(rawValue: 8)
    }

    /// Where the log of changes stood when the dump was made.
    package struct Position: Equatable, Sendable {
        package var file: String?
        package var offset: UInt64?
        package var gtid: String?

        package init(file: String? = nil, offset: UInt64? = nil, gtid: String? = nil) {
            self.file = file
            self.offset = offset
            self.gtid = gtid
        }
    }

    package struct SequenceNumbers: Equatable, Sendable {
        package let from: UInt64
        package let to: UInt64

        package init(from: UInt64, to: UInt64) {
            self.from = from
            self.to = to
        }
    }

    package struct Origin: Hashable, Sendable {
        package let repository: ObjectID
        package let snapshot: ObjectID

        package init(repository: ObjectID, snapshot: ObjectID) {
            self.repository = repository
            self.snapshot = snapshot
        }
    }

    /// SHA-256 of the manifest object; zero in the copy that the manifest holds.
    package var manifestHash: Digest32
    package var series: String
    package var kind: Kind
    package var parent: ObjectID?
    /// The full at the root of its chain.
    package var base: ObjectID?
    /// The snapshot without which this one cannot be restored.
    package var needs: ObjectID?
    /// The time that counts for retention; like the others, milliseconds since 1970.
    package var time: Int64
    package var started: Int64
    package var ended: Int64
    package var completeness: Completeness
    package var evidence: Evidence
    package var flags: Flags
    package var bytesRead: Int
    package var bytesNew: Int
    package var bytesStored: Int
    package var format: String?
    package var host: String?
    package var tags: [String]
    package var position: Position?
    package var sequenceNumbers: SequenceNumbers?
    package var writer: ObjectID
    package var sequence: UInt64
    package var names: [ObjectID]
    package var origin: Origin?
    package var tool: String?
    /// The name that snapshots of several series share which were made together.
    package var group: String?

    package init(
        series: String, kind: Kind, time: Int64, started: Int64, ended: Int64,
        completeness: Completeness,
        evidence: Evidence, writer: ObjectID, sequence: UInt64
    ) {
        manifestHash = Digest32([UInt8](repeating: 0, count: 32))
        self.series = series
        self.kind = kind
        self.time = time
        self.started = started
        self.ended = ended
        self.completeness = completeness
        self.evidence = evidence
        self.writer = writer
        self.sequence = sequence
        flags = []
        bytesRead = 0
        bytesNew = 0
        bytesStored = 0
        tags = []
        names = []
    }
}

extension Head {
    /// - Parameter inManifest: the copy in the manifest has no hash of the manifest.
    package func bytes(inManifest: Bool = false) -> [UInt8] {
        var fields = FieldWriter()
        if !inManifest { fields.id(.critical(1), manifestHash) }
        fields.text(.critical(2), series)
        fields.integer(.critical(3), kind.rawValue)
        fields.optional(parent) { $0.id(.plain(4), $1) }
        fields.optional(base) { $0.id(.plain(5), $1) }
        fields.optional(needs) { $0.id(.critical(6), $1) }
        fields.integer(.critical(7), time)
        fields.integer(.plain(8), started)
        fields.integer(.plain(9), ended)
        fields.integer(.critical(10), completeness.rawValue)
        fields.integer(.plain(11), evidence.rawValue)
        fields.integer(.plain(12), flags.rawValue)
        fields.integer(.plain(13), UInt64(bytesRead))
        fields.integer(.plain(14), UInt64(bytesNew))
        fields.integer(.plain(15), UInt64(bytesStored))
        fields.optional(format) { $0.text(.plain(16), $1) }
        fields.optional(host) { $0.text(.plain(17), $1) }
        for tag in tags { fields.text(.plain(18), tag) }
        fields.optional(position) { $0.field(.plain(19), $1.bytes) }
        fields.optional(sequenceNumbers) {
            var writer = ByteWriter()
            writer.integer($1.from)
            writer.integer($1.to)
            $0.field(.plain(20), writer.bytes)
        }
        fields.id(.critical(21), writer)
        fields.integer(.critical(22), sequence)
        for name in names { fields.id(.critical(23), name) }
        fields.optional(origin) { $0.field(.plain(24), $1.repository.bytes + $1.snapshot.bytes) }
        fields.optional(tool) { $0.text(.plain(25), $1) }
        fields.optional(group) { $0.text(.plain(26), $1) }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], inManifest: Bool = false, what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...26, repeated: [18, 23])
        guard !inManifest || !fields.has(1) else {
            throw fields.malformed("its head holds the manifest's own hash")
        }
        manifestHash = inManifest ? Digest32([UInt8](repeating: 0, count: 32)) : try fields.id(1)
        guard let series = try fields.text(2), !series.isEmpty else {
            throw fields.malformed("it names no series")
        }
        self.series = series
        guard let kind = Kind(rawValue: try fields.integer(3)),
            let completeness = Completeness(rawValue: try fields.integer(10))
        else { throw .unknown("\(what) is of a kind this program does not know") }
        self.kind = kind
        self.completeness = completeness
        evidence = Evidence(rawValue: try fields.optionalInteger(11) ?? 0) ?? .none
        parent = try fields.optionalID(4)
        base = try fields.optionalID(5)
        needs = try fields.optionalID(6)
        time = try fields.integer(7)
        started = try fields.integer(8)
        ended = try fields.integer(9)
        flags = Flags(rawValue: try fields.optionalInteger(12) ?? 0)
        bytesRead = try fields.length(13)
        bytesNew = try fields.optionalLength(14) ?? 0
        bytesStored = try fields.optionalLength(15) ?? 0
        format = try fields.text(16)
        host = try fields.text(17)
        tags = try fields.texts(18)
        position = try fields.optional(19).map { value throws(WireError) in
            try Position(value, what: what)
        }
        sequenceNumbers = try fields.optional(20, count: 16).map { value throws(WireError) in
            var reader = ByteReader(value, what: what)
            return SequenceNumbers(from: try reader.integer(), to: try reader.integer())
        }
        writer = try fields.id(21)
        sequence = try fields.integer(22)
        guard sequence >= 1 else { throw fields.malformed("its number is 0") }
        names = try fields.ids(23)
        origin = try fields.optional(24, count: 32).map { value throws(WireError) in
            var reader = ByteReader(value, what: what)
            return Origin(repository: try reader.id(), snapshot: try reader.id())
        }
        tool = try fields.text(25)
        group = try fields.text(26)
    }
}

extension Head.Position {
    /// A GTID set can be long; no text here is longer than this.
    private static let textBytes = 64 << 10

    fileprivate var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.optional(file) { $0.text(.plain(1), $1) }
        fields.optional(offset) { $0.integer(.plain(2), $1) }
        fields.optional(gtid) { $0.text(.plain(3), $1) }
        return fields.bytes
    }

    fileprivate init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...3)
        file = try fields.text(1, atMost: Self.textBytes)
        offset = try fields.optionalInteger(2)
        gtid = try fields.text(3, atMost: Self.textBytes)
    }
}
