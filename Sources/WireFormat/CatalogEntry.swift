/// One file, directory, link or device of a catalog (docs/format.md, section 11).
package struct CatalogEntry: Equatable, Sendable {
    package struct Time: Equatable, Sendable {
        package let seconds: Int64
        package let nanoseconds: UInt32

        package init(seconds: Int64, nanoseconds: UInt32) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    package struct Attribute: Equatable, Sendable {
        package let name: [UInt8]
        package let value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package enum Reservation: UInt8, Sendable {
        case changedWhileRead = 1
        case unreadable = 2
    }

    /// Relative, without `.` and `..`.
    package var path: [UInt8]
    /// As in section 11: 1 file, 2 directory, 3 symbolic link, 4 and 5 devices, 6 fifo, 7 socket.
    package var kind: UInt8
    package var mode: UInt32 = 0
    package var user: UInt32 = 0
    package var group: UInt32 = 0
    package var userName: [UInt8] = []
    package var groupName: [UInt8] = []
    package var modified: Time?
    package var changed: Time?
    package var device: UInt64 = 0
    package var inode: UInt64 = 0
    /// Bytes of the data stream that are its content.
    package var byteCount = 0
    package var linkTarget: [UInt8]?
    package var hardLink: [UInt8]?
    package var special: (major: UInt32, minor: UInt32)?
    package var attributes: [Attribute] = []
    package var reservation: Reservation?
    package var holes: [Range<Int>] = []
    /// Of a member of an archive: where its content stands in the data stream, but for its holes.
    package var ranges: [Range<Int>]?
    /// Poly1305 (16 bytes) of the content, under the key of the data stream's checksum.
    package var checksum: [UInt8]?

    package init(path: [UInt8], kind: UInt8) {
        self.path = path
        self.kind = kind
    }

    package static func == (a: Self, b: Self) -> Bool { a.body == b.body }
}

extension CatalogEntry {
    /// Length and fields, as the catalog holds them.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.counted(body)
        return writer.bytes
    }

    private var body: [UInt8] {
        var entry = EntryWriter()
        entry.field(1, critical: true, path)
        entry.field(2, critical: true, [kind])
        entry.varints(3, UInt64(mode))
        entry.varints(4, UInt64(user), UInt64(group))
        if !userName.isEmpty || !groupName.isEmpty {
            var names = ByteWriter()
            names.counted(userName)
            names.counted(groupName)
            entry.field(5, names.bytes)
        }
        if let modified { entry.field(6, modified.bytes) }
        if let changed { entry.field(7, changed.bytes) }
        if inode != 0 { entry.varints(8, device, inode) }
        if byteCount > 0 { entry.varints(9, critical: true, UInt64(byteCount)) }
        if let linkTarget { entry.field(10, critical: true, linkTarget) }
        if let hardLink { entry.field(11, critical: true, hardLink) }
        if let special { entry.varints(12, UInt64(special.major), UInt64(special.minor)) }
        for attribute in attributes {
            var value = ByteWriter()
            value.counted(attribute.name)
            value.raw(attribute.value)
            entry.field(13, value.bytes)
        }
        if let reservation { entry.field(14, [reservation.rawValue]) }
        if !holes.isEmpty {
            var value = ByteWriter()
            value.ranges(holes)
            entry.field(15, value.bytes)
        }
        if let ranges {
            var value = ByteWriter()
            value.ranges(ranges)
            entry.field(16, critical: true, value.bytes)
        }
        if let checksum { entry.field(17, checksum) }
        return entry.bytes
    }

    /// - Parameters:
    ///   - bytes: the fields, without their length.
    ///   - isMember: whether it is a member of an archive.
    package init(_ bytes: [UInt8], what: String, isMember: Bool = false) throws(WireError) {
        self.init(path: [], kind: 0)
        var entry = EntryReader(bytes, what: what, known: 1...(isMember ? 16 : 17), repeated: 13)
        var hasContent = false
        while let (tag, value) = try entry.next() {
            var reader = ByteReader(value, what: what)
            switch tag {
            case 1: path = reader.rest()
            case 2:
                kind = try reader.u8()
                guard (1...7).contains(kind) else {
                    throw .unknown("\(what) holds a file of a kind this program does not know")
                }
            case 3: mode = UInt32(try reader.count(atMost: 0o7777))
            case 4:
                user = UInt32(try reader.count(atMost: Int(UInt32.max)))
                group = UInt32(try reader.count(atMost: Int(UInt32.max)))
            case 5:
                userName = try reader.counted(atMost: Limits.nameBytes)
                groupName = try reader.counted(atMost: Limits.nameBytes)
            case 6: modified = try Time(&reader)
            case 7: changed = try Time(&reader)
            case 8:
                device = try reader.varint()
                inode = try reader.varint()
            case 9:
                byteCount = try reader.count(atMost: 1 << 62)
                hasContent = true
            case 10: linkTarget = reader.rest()
            case 11: hardLink = reader.rest()
            case 12:
                special = (
                    UInt32(try reader.count(atMost: Int(UInt32.max))),
                    UInt32(try reader.count(atMost: Int(UInt32.max)))
                )
            case 13:
                let name = try reader.counted(atMost: Limits.nameBytes)
                attributes.append(Attribute(name: name, value: reader.rest()))
            case 14:
                reservation = Reservation(rawValue: try reader.u8())
            case 15: holes = try reader.ranges()
            case 16 where isMember: ranges = try reader.ranges()
            case 16:
                throw .unknown("\(what) holds a file whose content stands in pieces")
            default: checksum = try reader.raw(16)
            }
            try reader.finish()
        }
        if isMember { try checkContent(what) }
        guard Self.isSafe(path), kind != 0, hardLink.map(Self.isSafe) ?? true else {
            throw .malformed(
                "\(what) is malformed: an entry has no kind, or a path that leaves its directory")
        }
        let isDevice = kind == 4 || kind == 5
        guard !hasContent || (kind == 1 && hardLink == nil), linkTarget == nil || kind == 3,
            special == nil || isDevice
        else { throw .malformed("\(what) is malformed: an entry has what its kind has not") }
        // A second name leaves to the first what they share.
        guard hardLink != nil || (linkTarget != nil) == (kind == 3) && (special != nil) == isDevice
        else { throw .malformed("\(what) is malformed: an entry lacks what its kind has") }
    }

    /// Ranges and holes of a member make up its length.
    private func checkContent(_ what: String) throws(WireError) {
        var stored = 0
        for range in (ranges ?? []) + holes {
            guard range.count <= 1 << 62 - stored else {
                throw .malformed("\(what) is malformed: a member is too long")
            }
            stored += range.count
        }
        guard stored == byteCount, holes.last.map({ $0.upperBound <= byteCount }) ?? true else {
            throw .malformed("\(what) is malformed: a member has another length than its content")
        }
    }

    /// The content of a member: which bytes of the data stream stand where in the file.
    package var pieces: [(stream: Range<Int>, offset: Int)] {
        var pieces: [(stream: Range<Int>, offset: Int)] = []
        var offset = 0
        var holes = holes[...]
        for range in ranges ?? [] {
            var start = range.lowerBound
            while start < range.upperBound {
                if let hole = holes.first, hole.lowerBound <= offset {
                    offset = max(offset, hole.upperBound)
                    holes.removeFirst()
                    continue
                }
                let room = holes.first.map { $0.lowerBound - offset } ?? .max
                let count = min(range.upperBound - start, room)
                pieces.append((start..<(start + count), offset))
                start += count
                offset += count
            }
        }
        return pieces
    }

    /// Whether a path is relative and stays below where it starts.
    private static func isSafe(_ path: [UInt8]) -> Bool {
        !path.isEmpty && !path.contains(0)
            && path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .allSatisfy {
                    !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
                }
    }
}

extension CatalogEntry.Time {
    fileprivate var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(seconds)
        writer.integer(nanoseconds)
        return writer.bytes
    }

    fileprivate init(_ reader: inout ByteReader) throws(WireError) {
        seconds = try reader.integer()
        nanoseconds = try reader.integer()
        guard nanoseconds < 1_000_000_000 else {
            throw reader.malformed("a time has too many nanoseconds")
        }
    }
}

/// A table of a dump and where its bytes lie in the data stream (docs/format.md, section 11).
package struct TableEntry: Equatable, Sendable {
    /// Database or schema.
    package var space: String
    package var name: String
    package var ranges: [Range<Int>]

    package init(space: String, name: String, ranges: [Range<Int>]) {
        self.space = space
        self.name = name
        self.ranges = ranges
    }

    /// Length and fields, as the stream holds them.
    package var bytes: [UInt8] {
        var entry = EntryWriter()
        entry.field(1, Array(space.utf8))
        entry.field(2, Array(name.utf8))
        var value = ByteWriter()
        value.ranges(ranges)
        entry.field(3, value.bytes)
        var writer = ByteWriter()
        writer.counted(entry.bytes)
        return writer.bytes
    }

    /// - Parameter bytes: the fields, without their length.
    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        self.init(space: "", name: "", ranges: [])
        var entry = EntryReader(bytes, what: what, known: 1...3)
        while let (tag, value) = try entry.next() {
            switch tag {
            case 1: space = try Self.text(value, what: what)
            case 2: name = try Self.text(value, what: what)
            default:
                var reader = ByteReader(value, what: what)
                ranges = try reader.ranges()
                try reader.finish()
            }
        }
    }

    private static func text(_ value: [UInt8], what: String) throws(WireError) -> String {
        guard let text = String(validating: value, as: UTF8.self) else {
            throw .malformed("\(what) is malformed: a name is no text")
        }
        return text
    }
}

/// The short fields of entries: u8 tag, varint length, value.
private struct EntryWriter {
    private var writer = ByteWriter()
    var bytes: [UInt8] { writer.bytes }

    mutating func field(_ tag: UInt8, critical: Bool = false, _ value: [UInt8]) {
        writer.u8(tag | (critical ? 0x80 : 0))
        writer.counted(value)
    }

    mutating func varints(_ tag: UInt8, critical: Bool = false, _ values: UInt64...) {
        var value = ByteWriter()
        for number in values { value.varint(number) }
        field(tag, critical: critical, value.bytes)
    }
}

private struct EntryReader {
    private var reader: ByteReader
    private let known: ClosedRange<UInt8>
    /// The field that may stand more than once.
    private let repeated: UInt8?
    private var last: UInt8 = 0

    init(_ bytes: [UInt8], what: String, known: ClosedRange<UInt8>, repeated: UInt8? = nil) {
        reader = ByteReader(bytes, what: what)
        self.known = known
        self.repeated = repeated
    }

    /// The next field that is known.
    mutating func next() throws(WireError) -> (tag: UInt8, value: [UInt8])? {
        while !reader.isAtEnd {
            let tag = try reader.u8()
            let number = tag & 0x7f
            let value = try reader.counted(atMost: Limits.catalogEntryBytes)
            guard number > 0 else { throw reader.malformed("an entry has a field 0") }
            guard number >= last else {
                throw reader.malformed("the fields of an entry are out of order")
            }
            guard number > last || number == repeated || !known.contains(number) else {
                throw reader.malformed("a field of an entry stands twice")
            }
            last = number
            if known.contains(number) { return (number, value) }
            if tag & 0x80 != 0 {
                throw .unknown(
                    "\(reader.what) needs something this program does not know (entry field \(number))"
                )
            }
        }
        return nil
    }
}

extension ByteWriter {
    /// Ascending ranges, as gaps and lengths.
    fileprivate mutating func ranges(_ ranges: [Range<Int>]) {
        varint(ranges.count)
        var end = 0
        for range in ranges {
            varint(range.lowerBound - end)
            varint(range.count)
            end = range.upperBound
        }
    }
}

extension ByteReader {
    fileprivate mutating func ranges() throws(WireError) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var end = 0
        for _ in 0..<(try count(atMost: remaining / 2 + 1)) {
            let start = try count(atMost: 1 << 61)
            let length = try count(atMost: 1 << 61)
            // The sum of the two cannot overflow, that with `end` could.
            guard start + length <= 1 << 62 - end else { throw malformed("its ranges overflow") }
            ranges.append((end + start)..<(end + start + length))
            end += start + length
        }
        return ranges
    }
}
