/// The parameters of a repository, in clear (docs/format.md, section 5).
package struct Config: Equatable, Sendable {
    package struct Cutting: Equatable, Sendable {
        package let minimum: Int
        package let average: Int
        package let maximum: Int

        package init(minimum: Int, average: Int, maximum: Int) {
            self.minimum = minimum
            self.average = average
            self.maximum = maximum
        }

        package static let text = Cutting(minimum: 4 << 10, average: 16 << 10, maximum: 64 << 10)
        package static let general = Cutting(
            minimum: 8 << 10, average: 32 << 10, maximum: 128 << 10)
    }

    package enum Consistency: UInt8, Sendable {
        case strong = 1
        /// Listings may lag behind: prune must wait between publishing and looking.
        case eventual = 2
    }

    package let repository: ObjectID
    package let textCutting: Cutting
    package let generalCutting: Cutting
    package let consistency: Consistency
    /// Milliseconds since 1970.
    package let created: Int64
    /// Tells the right recovery key from another one; says nothing else of it.
    package let rootCheck: [UInt8]?
    /// A box that holds the key that decides cuts in the shared domain, where that is another
    /// repository's.
    package let cutKey: [UInt8]?

    package init(
        repository: ObjectID, textCutting: Cutting = .text, generalCutting: Cutting = .general,
        consistency: Consistency, created: Int64, rootCheck: [UInt8]? = nil, cutKey: [UInt8]? = nil
    ) {
        self.repository = repository
        self.textCutting = textCutting
        self.generalCutting = generalCutting
        self.consistency = consistency
        self.created = created
        self.rootCheck = rootCheck
        self.cutKey = cutKey
    }

    /// Everything but the hash at the end, which the caller appends.
    package var bytesBeforeHash: [UInt8] {
        var fields = FieldWriter()
        fields.id(.critical(1), repository)
        fields.field(.plain(2), textCutting.bytes)
        fields.field(.plain(3), generalCutting.bytes)
        fields.integer(.plain(4), consistency.rawValue)
        fields.integer(.plain(5), created)
        fields.optional(rootCheck) { $0.field(.plain(6), $1) }
        fields.optional(cutKey) { $0.field(.plain(7), $1) }
        return Prologue.bytes(.config) + fields.bytes
    }

    /// Splits the object into what is hashed and the hash; the caller compares them before it reads
    /// on.
    package static func split(_ object: [UInt8]) throws(WireError) -> (
        content: [UInt8], hash: [UInt8]
    ) {
        guard object.count > Prologue.byteCount + 32, object.count <= 64 << 10 else {
            throw .malformed("config has \(object.count) bytes")
        }
        return (Array(object.dropLast(32)), Array(object.suffix(32)))
    }

    /// - Parameter content: without the hash.
    package init(_ content: [UInt8]) throws(WireError) {
        var reader = ByteReader(content, what: "config")
        try Prologue.check(&reader, .config)
        let fields = try FieldReader(reader.rest(), what: "config", known: 1...7)
        repository = try fields.id(1)
        textCutting = try Cutting(try fields.required(2, count: 12))
        generalCutting = try Cutting(try fields.required(3, count: 12))
        guard let consistency = Consistency(rawValue: try fields.integer(4)) else {
            throw .unknown("config names a consistency this program does not know")
        }
        self.consistency = consistency
        created = try fields.optionalInteger(5) ?? 0
        rootCheck = try fields.optional(6, count: 16)
        cutKey = try fields.optional(7, count: 96)
    }
}

extension Config.Cutting {
    fileprivate var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.u32(minimum)
        writer.u32(average)
        writer.u32(maximum)
        return writer.bytes
    }

    fileprivate init(_ bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes, what: "config")
        minimum = try reader.u32()
        average = try reader.u32()
        maximum = try reader.u32()
        guard minimum >= 256, average > minimum, maximum > average, maximum <= Limits.chunkBytes
        else {
            throw reader.malformed("its cutting parameters make no sense")
        }
    }
}
