/// Takes an object apart, refusing what does not fit. Everything it is given is bad input until
/// proven.
package struct ByteReader {
    private let bytes: [UInt8]
    package private(set) var offset: Int
    private let end: Int
    /// What is being read, for errors: `the directory of pack 3f9c...`.
    package let what: String

    package init(_ bytes: [UInt8], what: String) {
        self.init(bytes, in: 0..<bytes.count, what: what)
    }

    /// Reads only a part of `bytes`, which must lie inside.
    package init(_ bytes: [UInt8], in range: Range<Int>, what: String) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.count,
            "a reader stays inside its bytes")
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
        self.what = what
    }

    package var remaining: Int { end - offset }
    package var isAtEnd: Bool { offset == end }

    package func malformed(_ rule: String) -> WireError {
        .malformed("\(what) is malformed: \(rule)")
    }

    private mutating func take(_ count: Int) throws(WireError) -> Int {
        guard count >= 0, count <= remaining else { throw malformed("it ends too early") }
        defer { offset += count }
        return offset
    }

    package mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(WireError)
        -> T
    {
        let at = try take(MemoryLayout<T>.size)
        return bytes.withUnsafeBytes {
            T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self))
        }
    }

    package mutating func u8() throws(WireError) -> UInt8 { bytes[try take(1)] }
    package mutating func u16() throws(WireError) -> Int { Int(try integer(UInt16.self)) }
    package mutating func u32() throws(WireError) -> Int { Int(try integer(UInt32.self)) }

    /// A u64 that must fit into a signed word.
    package mutating func u64() throws(WireError) -> Int {
        guard let value = Int(exactly: try integer(UInt64.self)) else {
            throw malformed("a number is too large")
        }
        return value
    }

    package mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try u8()
            if shift == 63 && byte > 1 { throw malformed("a number has more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    throw malformed("a number is not in its shortest form")
                }
                return value
            }
            shift += 7
            if shift > 63 { throw malformed("a number has more than 64 bits") }
        }
    }

    /// A varint of at most `limit`; where that is below zero there is none.
    package mutating func count(atMost limit: Int) throws(WireError) -> Int {
        let value = try varint()
        guard limit >= 0, value <= UInt64(limit) else {
            throw malformed("\(value) exceeds the limit of \(limit)")
        }
        return Int(value)
    }

    package mutating func raw(_ count: Int) throws(WireError) -> [UInt8] {
        Array(bytes[try skip(count)])
    }

    /// Where the next `count` bytes lie, which are passed over.
    package mutating func skip(_ count: Int) throws(WireError) -> Range<Int> {
        let at = try take(count)
        return at..<(at + count)
    }

    /// A length as varint, at most `limit`, then that many bytes.
    package mutating func counted(atMost limit: Int) throws(WireError) -> [UInt8] {
        try raw(try count(atMost: limit))
    }

    package mutating func id<ID: FixedBytes>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        ID(try raw(ID.byteCount))
    }

    package mutating func chunkID() throws(WireError) -> ChunkID {
        ChunkID(words: (try integer(), try integer(), try integer()))
    }

    package mutating func zeros(_ count: Int) throws(WireError) {
        for _ in 0..<count where try u8() != 0 { throw malformed("reserved bytes are not zero") }
    }

    /// A reader of the next `count` bytes, which are skipped here.
    package mutating func part(_ count: Int, what: String) throws(WireError) -> ByteReader {
        ByteReader(bytes, in: try skip(count), what: what)
    }

    package mutating func rest() -> [UInt8] {
        defer { offset = end }
        return Array(bytes[offset..<end])
    }

    package func finish() throws(WireError) {
        guard isAtEnd else { throw malformed("\(remaining) bytes follow its end") }
    }
}
