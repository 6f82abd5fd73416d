/// Lengths that tell little (docs/format.md, section 1).
package enum Padding {
    /// Padmé: the length rounded up so that at most log log of its bits are kept; never more than
    /// 12 % longer.
    package static func padme(_ length: Int) -> Int {
        guard length >= 2 else { return length }
        let exponent = length.bitWidth - 1 - length.leadingZeroBitCount
        let kept = exponent.bitWidth - exponent.leadingZeroBitCount
        let mask = (1 << max(0, exponent - kept)) - 1
        return (length + mask) & ~mask
    }

    private static let least = 256

    /// `u32 length | content | zeros`.
    package static func pad(_ content: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: content.count + content.count / 8 + least)
        writer.u32(content.count)
        writer.raw(content)
        writer.zeros(max(least, padme(writer.count)) - writer.count)
        return writer.bytes
    }

    package static func unpad(_ padded: [UInt8], what: String) throws(WireError) -> [UInt8] {
        Array(padded[try content(of: padded, what: what)])
    }

    /// Where the content lies: for secrets, which are not copied out.
    package static func content(
        of padded: [UInt8], what: String
    ) throws(WireError) -> Range<Int> {
        var reader = ByteReader(padded, what: what)
        let content = try reader.skip(try reader.u32())
        guard padded.count == max(least, padme(4 + content.count)) else {
            throw reader.malformed("its padding has the wrong length")
        }
        guard padded[content.upperBound...].allSatisfy({ $0 == 0 }) else {
            throw reader.malformed("its padding is not zero")
        }
        return content
    }
}
