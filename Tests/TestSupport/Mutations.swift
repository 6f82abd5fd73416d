/// What damages bytes the way disks, networks and attackers do, the same way for the same seed.
extension SeededRandom {
    /// A changed copy: one to four small harms, now and then with a piece of `other` put in.
    package mutating func mutated(_ bytes: [UInt8], splicing other: [UInt8] = []) -> [UInt8] {
        var result = bytes
        for _ in 0..<number(1...4) { harm(&result, other) }
        return result
    }

    private mutating func harm(_ bytes: inout [UInt8], _ other: [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = self.bytes(number(0...8))
            return
        }
        let at = number(0...(bytes.count - 1))
        let length = number(1...min(16, bytes.count - at))
        switch number(0...9) {
        case 0: bytes[at] ^= 1 << UInt8(number(0...7))
        case 1: bytes[at] = UInt8(truncatingIfNeeded: next())
        case 2: bytes[at] = Self.edges[number(0...(Self.edges.count - 1))]
        case 3: bytes.removeLast(number(1...bytes.count))
        case 4: bytes.removeSubrange(at..<(at + length))
        case 5: bytes.insert(contentsOf: self.bytes(length), at: at)
        case 6: bytes.insert(contentsOf: bytes[at..<(at + length)], at: at)
        case 7: for index in at..<(at + length) { bytes[index] = 0xff }
        case 8: write(Self.lengths[number(0...(Self.lengths.count - 1))], to: &bytes, at: at)
        default:
            guard !other.isEmpty else { return bytes.swapAt(at, number(0...(bytes.count - 1))) }
            let from = number(0...(other.count - 1))
            bytes.replaceSubrange(at..<(at + length), with: other[from...].prefix(number(1...64)))
        }
    }

    /// Overwrites a length field, wherever one may be.
    private func write(_ value: UInt64, to bytes: inout [UInt8], at offset: Int) {
        for shift in 0..<8
        where offset + shift < bytes.count && (shift == 0 || value >> UInt64(8 * shift) > 0) {
            bytes[offset + shift] = UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))
        }
    }

    private static let edges: [UInt8] = [
        0, 1, 2, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff,
    ]
    private static let lengths: [UInt64] = [
        0xffff, 0x1_0000, 0x10_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, 1 << 61,
        1 << 62, .max >> 1, .max,
    ]
}

/// The seed of this run, printed: what a failure needs to be seen again.
package func announcedSeed(_ test: String = #function) -> UInt64 {
    print("\(test): REPO_TEST_SEED=\(testSeed)")
    return testSeed
}
