/// A checksum against rot, not against people: the index is a cache that nobody signs. Any change
/// confined to one eight-byte word always changes it, since each step maps words one to one. About
/// 5 GB/s.
struct WordChecksum {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    private var byteCount: UInt64 = 0

    var value: UInt64 { Self.mixed(state ^ byteCount) }

    /// Takes in more bytes. Every piece but the last must be a multiple of eight long, or the same
    /// bytes in other pieces give another sum.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var state = self.state
        var at = 0
        while at + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            state = Self.mixed(state ^ word)
            at += 8
        }
        if at < bytes.count {
            var word: UInt64 = 0
            for byte in bytes[at...].reversed() { word = word << 8 | UInt64(byte) }
            state = Self.mixed(state ^ word)
        }
        self.state = state
        byteCount += UInt64(bytes.count)
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var checksum = WordChecksum()
        checksum.add(bytes)
        return checksum.value
    }

    @inline(__always)
    private static func mixed(_ word: UInt64) -> UInt64 {
        let product = word &* 0xd6e8_feb8_6659_fd93
        return product ^ product >> 32
    }
}
