import WireFormat

/// One copy of one chunk, as it is sorted and merged: 32 bytes in memory, 30 in a run.
///
/// On disk: chunk id 24, pack number u24, frame u16, check u8. The pack number has three bytes,
/// not four, to pay for the check: entries are not validated when a run is opened, and a flipped
/// bit must not show a wrong place.
struct Entry: Comparable {
    static let byteCount = 30
    static let packNumberMax = 1 << 24 - 1

    /// The chunk id, most significant byte first, so that comparing words compares bytes.
    let high, middle, low: UInt64
    /// The number of the pack's row, then 16 bits of frame.
    let location: UInt64

    init(_ id: ChunkID, packNumber: Int, frame: UInt16) {
        high = id.words.0.byteSwapped
        middle = id.words.1.byteSwapped
        low = id.words.2.byteSwapped
        location = UInt64(packNumber) << 16 | UInt64(frame)
    }

    private init(high: UInt64, middle: UInt64, low: UInt64, location: UInt64) {
        (self.high, self.middle, self.low, self.location) = (high, middle, low, location)
    }

    var id: ChunkID { ChunkID(words: (high.byteSwapped, middle.byteSwapped, low.byteSwapped)) }
    var packNumber: Int { Int(location >> 16) }
    var frame: UInt16 { UInt16(truncatingIfNeeded: location) }

    /// The same chunk and frame under another pack number.
    func renumbered(_ packNumber: Int) -> Entry {
        Entry(
            high: high, middle: middle, low: low,
            location: UInt64(packNumber) << 16 | UInt64(frame))
    }

    static func < (a: Entry, b: Entry) -> Bool {
        if a.high != b.high { return a.high < b.high }
        if a.middle != b.middle { return a.middle < b.middle }
        if a.low != b.low { return a.low < b.low }
        return a.location < b.location
    }

    // MARK: 30 bytes. `bytes` must have so many; every caller works in whole entries inside a
    // checked length.

    /// nil where the check says that the bytes have changed since they were written.
    @inline(__always)
    init?(at bytes: UnsafeRawPointer) {
        let words = Self.words(at: bytes)
        let tail = Self.tail(at: bytes)
        let value = tail & 0xff_ffff_ffff
        guard UInt8(truncatingIfNeeded: tail >> 40) == Self.check(words, value) else { return nil }
        high = words.0.byteSwapped
        middle = words.1.byteSwapped
        low = words.2.byteSwapped
        location = (value & 0xff_ffff) << 16 | value >> 24
    }

    func store(to bytes: UnsafeMutableRawPointer) {
        let words = (high.byteSwapped, middle.byteSwapped, low.byteSwapped)
        let value = location >> 16 | (location & 0xffff) << 24
        let tail = value | UInt64(Self.check(words, value)) << 40
        bytes.storeBytes(of: words.0.littleEndian, as: UInt64.self)
        bytes.storeBytes(of: words.1.littleEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: words.2.littleEndian, toByteOffset: 16, as: UInt64.self)
        bytes.storeBytes(
            of: UInt32(truncatingIfNeeded: tail).littleEndian, toByteOffset: 24, as: UInt32.self)
        bytes.storeBytes(of: UInt16(tail >> 32).littleEndian, toByteOffset: 28, as: UInt16.self)
    }

    /// The words of the chunk id, as `ChunkID.words` has them.
    @inline(__always)
    static func words(at bytes: UnsafeRawPointer) -> (UInt64, UInt64, UInt64) {
        (word(bytes, 0), word(bytes, 8), word(bytes, 16))
    }

    /// The first eight bytes of the chunk id, most significant first.
    @inline(__always)
    static func high(at bytes: UnsafeRawPointer) -> UInt64 { word(bytes, 0).byteSwapped }

    // The last six bytes, read as the upper part of the last eight so as not to reach past the
    // entry.
    @inline(__always)
    private static func tail(at bytes: UnsafeRawPointer) -> UInt64 { word(bytes, 22) >> 16 }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Every byte is turned by its position and all are joined by exclusive or: no change of a
    /// single byte can leave it as it was, nor one of the same bit in two neighbours. A row of
    /// zeros does not pass.
    @inline(__always)
    private static func check(_ words: (UInt64, UInt64, UInt64), _ value: UInt64) -> UInt8 {
        let joined =
            words.0 ^ (words.1 << 8 | words.1 >> 56) ^ (words.2 << 16 | words.2 >> 48)
            ^ (value << 24 | value >> 40)
        var sum: UInt8 = 0xa5
        for position in 0..<8 {
            let byte = UInt8(truncatingIfNeeded: joined >> UInt64(8 * position))
            sum ^= byte << UInt8(position) | byte >> UInt8(8 - position)
        }
        return sum
    }
}
