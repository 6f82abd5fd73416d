// The names of things: fixed numbers of bytes, kept in registers' worth of words so that they
// compare and hash fast. Byte order in memory is the order on disk; a word is the little-endian
// reading of eight of those bytes.

/// The name of an object: 16 random bytes, never reused (docs/format.md, "Names").
package struct ObjectID: Hashable, Sendable {
    package static let byteCount = 16
    package let words: (UInt64, UInt64)

    /// - Parameter bytes: exactly 16.
    package init(_ bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "an object id has 16 bytes")
        words = (bytes.word(at: 0), bytes.word(at: 8))
    }

    package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

/// Who deduplicates with whom. Full keys share domain 0; every write key has one of its own.
package struct DomainID: Hashable, Sendable {
    package static let byteCount = 8
    package static let shared = DomainID(word: 0)
    package let word: UInt64

    package init(word: UInt64) { self.word = word }

    /// - Parameter bytes: exactly 8.
    package init(_ bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "a domain has 8 bytes")
        word = bytes.word(at: 0)
    }
}

/// The name of a chunk: the first 24 bytes of a keyed hash of its class and plaintext.
package struct ChunkID: Hashable, Sendable {
    package static let byteCount = 24
    package let words: (UInt64, UInt64, UInt64)

    package init(words: (UInt64, UInt64, UInt64)) { self.words = words }

    /// - Parameter bytes: exactly 24.
    package init(_ bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "a chunk id has 24 bytes")
        words = (bytes.word(at: 0), bytes.word(at: 8), bytes.word(at: 16))
    }

    package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    // The id is itself a keyed hash: one word of it is hash enough.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// 32 bytes: a SHA-256, an HMAC, a commitment.
package struct Digest32: Hashable, Sendable {
    package static let byteCount = 32
    package let words: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter bytes: exactly 32.
    package init(_ bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "a digest has 32 bytes")
        words = (bytes.word(at: 0), bytes.word(at: 8), bytes.word(at: 16), bytes.word(at: 24))
    }

    package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.3)
    }
}

/// A fixed number of bytes that stands for itself on disk and is shown in hexadecimal.
package protocol FixedBytes: Sendable, Hashable, Comparable, CustomStringConvertible {
    static var byteCount: Int { get }
    /// The bytes in the order of the disk.
    var bytes: [UInt8] { get }
    init(_ bytes: RawSpan)
}

extension FixedBytes {
    /// Lowercase hexadecimal, two digits a byte.
    package var description: String { hexadecimal(bytes) }

    package static func < (a: Self, b: Self) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

    /// Reads lowercase or uppercase hexadecimal of exactly the right length.
    package init?(hexadecimal text: some StringProtocol) {
        guard let bytes = bytesOfHexadecimal(text), bytes.count == Self.byteCount else {
            return nil
        }
        self.init(bytes.span.bytes)
    }

    /// Takes exactly `byteCount` bytes.
    package init(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
}

extension ObjectID: FixedBytes {
    package var bytes: [UInt8] { bytesOfWords(words.0, words.1) }

    // Names are sorted by the ten thousand: as whole words, the first byte the most significant.
    package static func < (a: Self, b: Self) -> Bool {
        let (x, y) = (a.words.0.byteSwapped, b.words.0.byteSwapped)
        return x == y ? a.words.1.byteSwapped < b.words.1.byteSwapped : x < y
    }

    /// The first 8 digits, as people see it.
    package var short: String { String(description.prefix(8)) }
}
extension DomainID: FixedBytes {
    package var bytes: [UInt8] { bytesOfWords(word) }
}
extension ChunkID: FixedBytes {
    package var bytes: [UInt8] { bytesOfWords(words.0, words.1, words.2) }
}
extension Digest32: FixedBytes {
    package var bytes: [UInt8] { bytesOfWords(words.0, words.1, words.2, words.3) }
}

/// What a pack, an envelope or a chunk holds.
package enum ContentClass: UInt8, Sendable, CaseIterable {
    case data = 0
    case list = 1
}

extension RawSpan {
    /// The eight bytes at `offset`, least significant first.
    func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

private func bytesOfWords(_ words: UInt64...) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8)
    for word in words {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
    }
    return bytes
}

/// Lowercase hexadecimal, two digits a byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes that `text` spells, or nil where it is not an even number of hexadecimal digits.
package func bytesOfHexadecimal(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
        default: return nil
        }
        if let first = high {
            bytes.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return high == nil ? bytes : nil
}
