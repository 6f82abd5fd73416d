import Glibc

/// Searching in bytes; the only file that calls the C library.
///
/// Callers keep positions within `0...count`: every function here checks what it is given against
/// `count` and reads nothing beyond.
extension UnsafeRawBufferPointer {
    /// The position of the next `byte` at or after `start`.
    @inline(__always)
    func position(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start < count, let base = baseAddress else { return nil }
        guard let found = memchr(base + start, Int32(byte), count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    func hasPrefix(_ text: StaticString) -> Bool { matches(text, at: 0) }

    func matches(_ text: StaticString, at start: Int) -> Bool {
        let wanted = text.utf8CodeUnitCount
        guard start >= 0, start <= count, count - start >= wanted, let base = baseAddress else {
            return wanted == 0
        }
        return memcmp(base + start, text.utf8Start, wanted) == 0
    }

    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && matches(text, at: 0)
    }

    func hasPrefix(_ bytes: [UInt8]) -> Bool {
        guard count >= bytes.count, let base = baseAddress else { return bytes.isEmpty }
        return bytes.withUnsafeBytes { other in
            other.baseAddress.map { memcmp(base, $0, other.count) == 0 } ?? true
        }
    }

    /// The position of the first occurrence of a text at or after `start`.
    func position(of text: StaticString, from start: Int = 0) -> Int? {
        let wanted = text.utf8CodeUnitCount
        guard wanted > 0 else { return start }
        let first = text.utf8Start.pointee
        var at = start
        while let found = position(of: first, from: at) {
            if matches(text, at: found) { return found }
            at = found + 1
        }
        return nil
    }

    /// The position of the last occurrence of a text.
    func lastPosition(of text: StaticString) -> Int? {
        var at = count - text.utf8CodeUnitCount
        while at >= 0 {
            if matches(text, at: at) { return at }
            at -= 1
        }
        return nil
    }

    /// A part of these bytes; the bounds are brought within what is there.
    func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        let from = Swift.min(Swift.max(start, 0), count)
        let to = Swift.min(Swift.max(end, from), count)
        return UnsafeRawBufferPointer(rebasing: self[from..<to])
    }

    func part(from start: Int) -> UnsafeRawBufferPointer { part(start, count) }

    /// Whether all bytes are zero.
    var isZero: Bool {
        guard let base = baseAddress, count > 0 else { return true }
        return self[0] == 0 && memcmp(base, base + 1, count - 1) == 0
    }

    /// How many zero bytes stand at the end.
    var trailingZeros: Int {
        var at = count
        while at > 0, self[at - 1] == 0 { at -= 1 }
        return count - at
    }

    /// Whether a byte occurs an odd number of times.
    func hasOddCount(of byte: UInt8) -> Bool {
        typealias Lane = SIMD16<UInt8>
        let wanted = Lane(repeating: byte)
        let one = Lane(repeating: 1)
        var odd = Lane.zero
        var at = 0
        while at + 16 <= count {
            // within bounds: at + 16 <= count
            let lane = loadUnaligned(fromByteOffset: at, as: Lane.self)
            odd ^= Lane.zero.replacing(with: one, where: lane .== wanted)
            at += 16
        }
        var isOdd = odd.wrappedSum() & 1 == 1
        while at < count {
            if self[at] == byte { isOdd.toggle() }
            at += 1
        }
        return isOdd
    }

    /// An unsigned integer of 1 to 8 bytes, little-endian; 0 where it does not fit in.
    func littleEndian(at start: Int, bytes: Int) -> UInt64 {
        guard start >= 0, bytes <= 8, start + bytes <= count else { return 0 }
        var value: UInt64 = 0
        for index in 0..<bytes { value |= UInt64(self[start + index]) << UInt64(8 * index) }
        return value
    }

    /// The first bytes as text, ill-formed UTF-8 repaired.
    func text(upTo limit: Int) -> String { String(decoding: part(0, limit), as: UTF8.self) }

    var name: String { text(upTo: Limits.nameBytesMax) }
    var path: String { text(upTo: Limits.pathBytesMax) }
}

extension UnsafeRawBufferPointer {
    /// The decimal number at the beginning, if there is one that fits.
    var leadingNumber: UInt64? {
        var value: UInt64 = 0
        var at = 0
        while at < count, Ascii.isDigit(self[at]) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(self[at] - 0x30))
            if overflow || carry { return nil }
            value = sum
            at += 1
        }
        return at > 0 ? value : nil
    }
}

/// The few bytes that the grammars here turn on.
enum Ascii {
    static let newline: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let tab: UInt8 = 0x09
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x27
    static let doubleQuote: UInt8 = 0x22
    static let backtick: UInt8 = 0x60
    static let backslash: UInt8 = 0x5C
    static let dash: UInt8 = 0x2D
    static let slash: UInt8 = 0x2F
    static let star: UInt8 = 0x2A
    static let dollar: UInt8 = 0x24
    static let hash: UInt8 = 0x23
    static let semicolon: UInt8 = 0x3B
    static let bang: UInt8 = 0x21
    static let openParenthesis: UInt8 = 0x28
    static let openBracket: UInt8 = 0x5B
    static let closeBracket: UInt8 = 0x5D
    static let less: UInt8 = 0x3C

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
    }
    /// What may stand in an unquoted PostgreSQL identifier.
    static func isIdentifier(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == 0x5F || byte == dollar || byte >= 0x80
    }
}
