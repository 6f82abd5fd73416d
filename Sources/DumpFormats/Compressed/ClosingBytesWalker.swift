/// Looks for the closing bytes of an xz or bzip2 stream, where there is no decompressor. That they
/// are there says nothing of what is inside.
///
/// Sources: the .xz file format 1.2.0, section 2.1.2; bzip2's end-of-stream magic, which is not
/// aligned to bytes.
struct ClosingBytesWalker: StreamWalker {
    private static let tailBytes = 64

    private let format: StreamFormat
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var byteCount: UInt64 = 0

    init(_ format: StreamFormat) { self.format = format }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        if head.count < 12 { head.append(contentsOf: bytes.part(0, 12 - head.count)) }
        tail.append(contentsOf: bytes.part(from: bytes.count - Self.tailBytes))
        if tail.count > Self.tailBytes { tail.removeFirst(tail.count - Self.tailBytes) }
        byteCount += UInt64(bytes.count)
    }

    mutating func finish(_ report: inout StreamReport) {
        var findings = Findings()
        findings.warnOfCompression(format, inner: nil)
        findings.fill(&report)
        let hasEnded = format == .xz ? endsAsXz : endsAsBzip2
        report.end =
            hasEnded
            ? .notPromised
            : .missing(at: byteCount, inside: "", wanted: "the end of the \(format.rawValue) data")
    }

    /// A footer of 12 bytes: a CRC32 of the next six, the size of the index, the flags of the
    /// header, `YZ`. Zeros may follow, in fours.
    private var endsAsXz: Bool {
        tail.withUnsafeBytes { bytes in
            let zeros = bytes.trailingZeros / 4 * 4
            let footer = bytes.part(bytes.count - zeros - 12, bytes.count - zeros)
            guard footer.count == 12, byteCount >= 32, footer.matches("YZ", at: 10) else {
                return false
            }
            return footer.littleEndian(at: 0, bytes: 4) == UInt64(crc32(footer.part(4, 10)))
                && footer.part(8, 10).elementsEqual(head[6..<8])
        }
    }

    /// The magic, a checksum of 32 bits, then up to 7 bits to fill the byte.
    private var endsAsBzip2: Bool {
        var bits: UInt128 = 0
        for byte in tail.suffix(11) { bits = bits << 8 | UInt128(byte) }
        let mask: UInt128 = 1 << 48 - 1
        return (0..<8).contains { padding in
            bits >> UInt128(32 + padding) & mask == 0x1772_4538_5090
        }
    }
}

/// CRC-32 as zlib and xz compute it, for a few bytes.
private func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt32 = ~0
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
}
