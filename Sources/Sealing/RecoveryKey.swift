/// The root key as people write it down (docs/format.md, section 3): 56 digits of Crockford's base
/// 32.
package enum RecoveryKey {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private static let rootBytes = 32
    private static let checkBytes = 3
    private static let digitCount = 56

    /// 14 groups of 4 digits, joined by `-`. Secret.
    package static func text(of root: borrowing Secret) -> String {
        // As long as they will be: bytes that grow leave copies behind.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rootBytes + checkBytes)
        root.withBytes { bytes += $0 }
        bytes += check(bytes)
        var text: [UInt8] = []
        text.reserveCapacity(digitCount + digitCount / 4)
        defer {
            bytes.wipe()
            text.wipe()
        }
        var bits: UInt64 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt64(byte)
            count += 8
            while count >= 5 {
                count -= 5
                if text.count % 5 == 4 { text.append(UInt8(ascii: "-")) }
                text.append(digits[Int(truncatingIfNeeded: bits >> UInt64(count)) & 31])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what `text(of:)` wrote, whatever a person did to case, spaces, dashes and look-alikes;
    /// lines that begin with `#` are comments.
    package static func root(of text: [UInt8]) throws(SealingError) -> Secret {
        var values: [UInt8] = []
        values.reserveCapacity(digitCount)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rootBytes + checkBytes)
        defer {
            values.wipe()
            bytes.wipe()
        }
        for line in text.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#")
        {
            for character in line {
                switch character {
                case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                    continue
                default:
                    guard let value = value(of: character), values.count < digitCount else {
                        throw .malformed("the recovery key")
                    }
                    values.append(value)
                }
            }
        }
        guard values.count == digitCount else {
            throw .malformed(
                "the recovery key: it has \(digitCount) digits, this one \(values.count)")
        }
        var bits: UInt64 = 0
        var count = 0
        for value in values {
            bits = bits << 5 | UInt64(value)
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
            }
        }
        let stated = Array(bytes.suffix(checkBytes))
        bytes.removeLast(checkBytes)
        guard equalInConstantTime(check(bytes), stated) else {
            throw .malformed("the recovery key: a digit is wrong, its check does not hold")
        }
        return Secret(moving: &bytes)
    }

    private static func value(of character: UInt8) -> UInt8? {
        let upper =
            character >= UInt8(ascii: "a") && character <= UInt8(ascii: "z")
            ? character - 32 : character
        switch upper {
        case UInt8(ascii: "O"): return 0
        case UInt8(ascii: "I"), UInt8(ascii: "L"): return 1
        default: return digits.firstIndex(of: upper).map { UInt8($0) }
        }
    }

    private static func check(_ root: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(Array("repo recovery v1".utf8), root).prefix(checkBytes))
    }
}
