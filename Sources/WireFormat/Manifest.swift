/// What one `add` saved (docs/format.md, section 11).
package struct Manifest: Equatable, Sendable {
    /// Who wrote the stream: names only, never the values of options.
    package struct Producer: Equatable, Sendable {
        package var program: String?
        package var options: [String]
        package var exitStatus: Int64?
        package var standardError: [UInt8]

        package init(
            program: String? = nil, options: [String] = [], exitStatus: Int64? = nil,
            standardError: [UInt8] = []
        ) {
            self.program = program
            self.options = options
            self.exitStatus = exitStatus
            self.standardError = standardError
        }
    }

    /// What the stream tells of itself.
    package struct Facts: Equatable, Sendable {
        package var tool: String?
        package var toolVersion: String?
        package var serverVersion: String?
        package var innerFormat: String?
        package var databases: [String]
        package var notes: [String]
        package var endOffset: Int?

        package init(
            tool: String? = nil, toolVersion: String? = nil, serverVersion: String? = nil,
            innerFormat: String? = nil, databases: [String] = [], notes: [String] = [],
            endOffset: Int? = nil
        ) {
            self.tool = tool
            self.toolVersion = toolVersion
            self.serverVersion = serverVersion
            self.innerFormat = innerFormat
            self.databases = databases
            self.notes = notes
            self.endOffset = endOffset
        }
    }

    package enum Role: UInt8, Sendable {
        case data = 1
        case tables = 2
        case catalog = 3
        case members = 4
    }

    package enum List: Equatable, Sendable {
        case inline([ListEntry])
        case root(ChunkID)
        /// No list: the bytes themselves, of a short stream of class list.
        case content([UInt8])
    }

    package struct Stream: Equatable, Sendable {
        package var role: Role
        package var contentClass: ContentClass
        package var byteCount: Int
        /// Key (32 bytes) and Poly1305 of the stream under it (16 bytes).
        package var checksumKey: [UInt8]
        package var checksum: [UInt8]
        /// Whether the checksum is that of the checksums of the catalog's files, in their order.
        package var sumsFiles = false
        package var list: List
        package var name: String?
        /// docs/format.md, section 14.
        package var cuttingRule: UInt16

        package init(
            role: Role, contentClass: ContentClass, byteCount: Int, checksumKey: [UInt8],
            checksum: [UInt8],
            list: List, name: String? = nil, cuttingRule: UInt16
        ) {
            self.role = role
            self.contentClass = contentClass
            self.byteCount = byteCount
            self.checksumKey = checksumKey
            self.checksum = checksum
            self.list = list
            self.name = name
            self.cuttingRule = cuttingRule
        }
    }

    /// Segments of a small snapshot, kept in the manifest itself.
    package struct InlineSegments: Equatable, Sendable {
        package var directory: PackDirectory
        package var bytes: [UInt8]

        package init(directory: PackDirectory, bytes: [UInt8]) {
            self.directory = directory
            self.bytes = bytes
        }
    }

    package var head: Head
    package var producer: Producer?
    package var facts: Facts?
    package var streams: [Stream]
    package var inline: InlineSegments?

    package init(
        head: Head, producer: Producer? = nil, facts: Facts? = nil, streams: [Stream],
        inline: InlineSegments? = nil
    ) {
        self.head = head
        self.producer = producer
        self.facts = facts
        self.streams = streams
        self.inline = inline
    }

    package func stream(_ role: Role) -> Stream? { streams.first { $0.role == role } }
}

extension Manifest {
    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.field(.critical(1), head.bytes(inManifest: true))
        fields.optional(producer) { $0.field(.plain(2), $1.bytes) }
        fields.optional(facts) { $0.field(.plain(3), $1.bytes) }
        for stream in streams { fields.field(.critical(4), stream.bytes) }
        fields.optional(inline) {
            var inner = FieldWriter()
            inner.field(.critical(1), $1.directory.bytes)
            inner.field(.critical(2), $1.bytes)
            $0.field(.critical(5), inner.bytes)
        }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...5, repeated: [4])
        head = try Head(try fields.required(1), inManifest: true, what: what)
        producer = try fields.optional(2).map { value throws(WireError) in
            try Producer(value, what: what)
        }
        facts = try fields.optional(3).map { value throws(WireError) in try Facts(value, what: what)
        }
        streams = []
        for value in fields.all(4) {
            let stream = try Stream(value, what: what)
            guard self.stream(stream.role) == nil else {
                throw fields.malformed("two streams have one role")
            }
            streams.append(stream)
        }
        guard !streams.isEmpty else { throw fields.malformed("it has no stream") }
        inline = try fields.optional(5).map { value throws(WireError) in
            let inner = try FieldReader(value, what: what, known: 1...2)
            return try InlineSegments(inner)
        }
    }
}

extension Manifest.InlineSegments {
    fileprivate init(_ fields: FieldReader) throws(WireError) {
        bytes = try fields.required(2)
        guard bytes.count <= Limits.inlineSegmentBytes else {
            throw fields.malformed("its inline segments are too long")
        }
        directory = try PackDirectory(
            try fields.required(1), body: 0..<bytes.count, what: fields.what)
        guard directory.segments.reduce(0, { $0 + $1.sealedBytes }) == bytes.count else {
            throw fields.malformed("something follows its inline segments")
        }
        guard directory.envelopes.allSatisfy({ $0.header.contentClass == .data }) else {
            throw fields.malformed("its inline segments are of another class than data")
        }
        let bases = Set(directory.baseSegments)
        guard directory.segments.allSatisfy({ !bases.contains(directory.name(of: $0)) }) else {
            throw fields.malformed("an inline segment is a base")
        }
    }
}

extension Manifest.Producer {
    private static let errorBytes = 64 << 10

    fileprivate var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.optional(program) { $0.text(.plain(1), $1) }
        for option in options { fields.text(.plain(2), option) }
        fields.optional(exitStatus) { $0.integer(.plain(3), $1) }
        if !standardError.isEmpty { fields.field(.plain(4), standardError) }
        return fields.bytes
    }

    fileprivate init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...4, repeated: [2])
        program = try fields.text(1, atMost: 4096)
        options = try fields.texts(2, atMost: 4096)
        exitStatus = try fields.optionalInteger(3)
        standardError = try fields.optional(4) ?? []
        guard standardError.count <= Self.errorBytes else {
            throw fields.malformed("its standard error is too long")
        }
    }
}

extension Manifest.Facts {
    private static let textBytes = 64 << 10

    fileprivate var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.optional(tool) { $0.text(.plain(1), $1) }
        fields.optional(toolVersion) { $0.text(.plain(2), $1) }
        fields.optional(serverVersion) { $0.text(.plain(3), $1) }
        fields.optional(innerFormat) { $0.text(.plain(4), $1) }
        for database in databases { fields.text(.plain(5), database) }
        for note in notes { fields.text(.plain(6), note) }
        fields.optional(endOffset) { $0.integer(.plain(7), UInt64($1)) }
        return fields.bytes
    }

    fileprivate init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...7, repeated: [5, 6])
        tool = try fields.text(1, atMost: Self.textBytes)
        toolVersion = try fields.text(2, atMost: Self.textBytes)
        serverVersion = try fields.text(3, atMost: Self.textBytes)
        innerFormat = try fields.text(4, atMost: Self.textBytes)
        databases = try fields.texts(5, atMost: Self.textBytes)
        notes = try fields.texts(6, atMost: Self.textBytes)
        endOffset = try fields.optionalLength(7)
    }
}

extension Manifest.Stream {
    fileprivate var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.integer(.critical(1), role.rawValue)
        fields.integer(.critical(2), contentClass.rawValue)
        fields.integer(.critical(3), UInt64(byteCount))
        fields.field(.critical(4), checksumKey + checksum)
        switch list {
        case .inline(let entries): fields.field(.critical(5), ListNode.leaf(entries).bytes)
        case .root(let id): fields.id(.critical(6), id)
        case .content: break
        }
        fields.optional(name) { $0.text(.plain(7), $1) }
        fields.integer(.plain(8), cuttingRule)
        if case .content(let bytes) = list { fields.field(.critical(9), bytes) }
        if sumsFiles { fields.integer(.critical(10), UInt8(1)) }
        return fields.bytes
    }

    fileprivate init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...10)
        guard let role = Manifest.Role(rawValue: try fields.integer(1)),
            let contentClass = ContentClass(rawValue: try fields.integer(2))
        else { throw .unknown("\(what) holds a stream this program does not know") }
        guard contentClass == (role == .data ? .data : .list) else {
            throw fields.malformed("a stream is of another class than its role")
        }
        self.role = role
        self.contentClass = contentClass
        byteCount = try fields.length(3)
        let check = try fields.required(4, count: 48)
        checksumKey = Array(check.prefix(32))
        checksum = Array(check.suffix(16))
        switch (
            try fields.optional(5), try fields.optionalID(6, ChunkID.self), try fields.optional(9)
        ) {
        case (nil, nil, let content?):
            guard contentClass == .list, content.count == byteCount,
                byteCount <= Limits.inlineContentBytes
            else {
                throw fields.malformed("its inline content has the wrong length or class")
            }
            list = .content(content)
        case (let node?, nil, nil):
            guard case .leaf(let entries) = try ListNode(node, what: what),
                entries.count <= Limits.inlineListEntries
            else { throw fields.malformed("its inline list is no short leaf") }
            list = .inline(entries)
        case (nil, let id?, nil): list = .root(id)
        default: throw fields.malformed("a stream has no list, or two")
        }
        name = try fields.text(7, atMost: 4096)
        cuttingRule = try fields.optionalInteger(8) ?? 0
        switch try fields.optionalInteger(10) as UInt8? {
        case nil: break
        case 1 where role == .data: sumsFiles = true
        case 1: throw fields.malformed("a stream that has no files is summed by files")
        default: throw .unknown("\(what) holds a checksum this program does not know")
        }
    }
}
