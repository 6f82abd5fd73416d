/// Writes fields of tag, length and value in ascending order of their tags (docs/format.md, section
/// 1).
package struct FieldWriter {
    private var writer = ByteWriter()
    private var last: UInt16 = 0

    package init() {}

    package var bytes: [UInt8] { writer.bytes }

    package mutating func field(_ tag: Field, _ value: [UInt8]) {
        precondition(tag.number >= last, "fields are written in order")
        last = tag.number
        writer.integer(tag.number | (tag.isCritical ? 0x8000 : 0))
        writer.u32(value.count)
        writer.raw(value)
    }

    package mutating func integer<T: FixedWidthInteger>(_ tag: Field, _ value: T) {
        var bytes = ByteWriter()
        bytes.integer(value)
        field(tag, bytes.bytes)
    }

    package mutating func text(_ tag: Field, _ value: String) { field(tag, Array(value.utf8)) }
    package mutating func id(_ tag: Field, _ value: some FixedBytes) { field(tag, value.bytes) }

    package mutating func optional<T>(_ value: T?, _ write: (inout FieldWriter, T) -> Void) {
        if let value { write(&self, value) }
    }
}

/// A field's number, and whether a reader that does not know it must refuse the object.
package struct Field: Sendable {
    package let number: UInt16
    package let isCritical: Bool

    package static func plain(_ number: UInt16) -> Field {
        Field(number: number, isCritical: false)
    }
    package static func critical(_ number: UInt16) -> Field {
        Field(number: number, isCritical: true)
    }
}

/// The fields of an object, by number. Values stay where they lie until they are asked for.
package struct FieldReader {
    private let bytes: [UInt8]
    private var values: [UInt16: [Range<Int>]] = [:]
    /// What is being read, for errors.
    let what: String

    /// - Parameters:
    ///   - range: where in `bytes` the fields lie; nil for all of them.
    ///   - known: the numbers this reader understands; a critical one outside is refused.
    ///   - repeated: those of them that may stand more than once.
    package init(
        _ bytes: [UInt8], in range: Range<Int>? = nil, what: String, known: ClosedRange<UInt16>,
        repeated: Set<UInt16> = []
    ) throws(WireError) {
        self.bytes = bytes
        self.what = what
        var reader = ByteReader(bytes, in: range ?? 0..<bytes.count, what: what)
        var last: UInt16 = 0
        var count = 0
        while !reader.isAtEnd {
            let tag = try reader.integer(UInt16.self)
            let number = tag & 0x7fff
            let value = try reader.skip(try reader.u32())
            guard number > 0 else { throw reader.malformed("it has a field 0") }
            guard number >= last else { throw reader.malformed("its fields are out of order") }
            last = number
            count += 1
            guard count <= Limits.fieldsPerObject else {
                throw reader.malformed("it has too many fields")
            }
            guard known.contains(number) else {
                if tag & 0x8000 != 0 {
                    throw .unknown(
                        "\(what) needs something this program does not know (field \(number))")
                }
                continue
            }
            guard values[number] == nil || repeated.contains(number) else {
                throw reader.malformed("field \(number) stands twice")
            }
            values[number, default: []].append(value)
        }
    }

    package func malformed(_ rule: String) -> WireError {
        .malformed("\(what) is malformed: \(rule)")
    }

    package func all(_ number: UInt16) -> [[UInt8]] {
        (values[number] ?? []).map { Array(bytes[$0]) }
    }
    package func has(_ number: UInt16) -> Bool { values[number] != nil }

    /// Where a value lies, for those that must not be copied to just anywhere.
    package func range(_ number: UInt16, count: Int? = nil) throws(WireError) -> Range<Int>? {
        guard let range = values[number]?.first else { return nil }
        if let count, range.count != count {
            throw malformed("field \(number) has \(range.count) bytes instead of \(count)")
        }
        return range
    }

    package func optional(_ number: UInt16, count: Int? = nil) throws(WireError) -> [UInt8]? {
        try range(number, count: count).map { Array(bytes[$0]) }
    }

    package func required(_ number: UInt16, count: Int? = nil) throws(WireError) -> [UInt8] {
        guard let value = try optional(number, count: count) else {
            throw malformed("field \(number) is missing")
        }
        return value
    }

    package func integer<T: FixedWidthInteger>(_ number: UInt16, _ type: T.Type = T.self)
        throws(WireError) -> T
    {
        var reader = ByteReader(try required(number, count: MemoryLayout<T>.size), what: what)
        return try reader.integer()
    }

    package func optionalInteger<T: FixedWidthInteger>(
        _ number: UInt16, _ type: T.Type = T.self
    ) throws(WireError) -> T? {
        has(number) ? try integer(number, type) : nil
    }

    /// A u64 that fits into a signed word.
    package func length(_ number: UInt16) throws(WireError) -> Int {
        guard let value = Int(exactly: try integer(number, UInt64.self)) else {
            throw malformed("field \(number) is too large")
        }
        return value
    }

    package func optionalLength(_ number: UInt16) throws(WireError) -> Int? {
        has(number) ? try length(number) : nil
    }

    package func id<ID: FixedBytes>(_ number: UInt16, _ type: ID.Type = ID.self) throws(WireError)
        -> ID
    {
        ID(try required(number, count: ID.byteCount))
    }

    package func optionalID<ID: FixedBytes>(_ number: UInt16, _ type: ID.Type = ID.self)
        throws(WireError) -> ID?
    {
        try optional(number, count: ID.byteCount).map { ID($0) }
    }

    package func ids<ID: FixedBytes>(_ number: UInt16, _ type: ID.Type = ID.self) throws(WireError)
        -> [ID]
    {
        var ids: [ID] = []
        for value in all(number) {
            guard value.count == ID.byteCount else {
                throw malformed("field \(number) has the wrong length")
            }
            ids.append(ID(value))
        }
        return ids
    }

    package func text(_ number: UInt16, atMost limit: Int = Limits.nameBytes) throws(WireError)
        -> String?
    {
        try optional(number).map { value throws(WireError) in try text(value, number, limit) }
    }

    package func texts(_ number: UInt16, atMost limit: Int = Limits.nameBytes) throws(WireError)
        -> [String]
    {
        var texts: [String] = []
        for value in all(number) { texts.append(try text(value, number, limit)) }
        return texts
    }

    private func text(_ value: [UInt8], _ number: UInt16, _ limit: Int) throws(WireError) -> String
    {
        guard value.count <= limit, let text = String(validating: value, as: UTF8.self) else {
            throw malformed("field \(number) is no text of at most \(limit) bytes")
        }
        return text
    }
}
