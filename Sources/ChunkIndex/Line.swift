/// A line: the 64 bytes of a run that decide a lookup, one cache line for some 48 entries.
///
/// Bytes 0 to 3 say where the line's entries start; the other 480 bits are a Bloom filter over
/// their ids. Ids are keyed hashes, so cutting the range of the first eight bytes evenly gives
/// lines of even size; and since lines are in the order of the entries, a merge writes them as it
/// goes, however large the run. Chunks that are not there cost this one line and, in one case of a
/// hundred, a look at the entries.
enum Line {
    static let byteCount = 64
    private static let entriesPerLine = 48
    private static let startBits: UInt64 = 32
    private static let filterBits: UInt64 = 480
    // Five probes of twelve bits each fit one word; six would find 0.1 % more of the absent.
    private static let probes = 5

    /// The number of lines for so many entries; a run has one more, which says where the last ends.
    static func count(forEntries entries: Int) -> Int {
        max(1, (entries + entriesPerLine - 1) / entriesPerLine)
    }

    /// The line that `high` belongs to and how far into it, in parts of 2^64.
    @inline(__always)
    static func position(of high: UInt64, lines: Int) -> (line: Int, fraction: UInt64) {
        let product = high.multipliedFullWidth(by: UInt64(lines))
        return (Int(product.high), product.low)
    }

    /// The number of the line's first entry, as the file says it: unchecked.
    @inline(__always)
    static func start(_ line: UnsafeRawPointer) -> Int {
        Int(UInt32(littleEndian: line.loadUnaligned(as: UInt32.self)))
    }

    static func setStart(_ line: UnsafeMutableRawPointer, _ start: Int) {
        line.storeBytes(of: UInt32(start).littleEndian, as: UInt32.self)
    }

    /// Whether an entry whose id has this second word may be in the line.
    @inline(__always)
    static func mayHold(_ line: UnsafeRawPointer, _ middle: UInt64) -> Bool {
        var all: UInt8 = 1
        for probe in 0..<probes {
            // At most 511: the line has 512 bits.
            let bit = bit(middle, probe)
            all &= line.load(fromByteOffset: Int(bit >> 3), as: UInt8.self) >> UInt8(bit & 7)
        }
        return all & 1 == 1
    }

    static func add(_ line: UnsafeMutableRawPointer, _ middle: UInt64) {
        for probe in 0..<probes {
            let bit = bit(middle, probe)
            let byte =
                line.load(fromByteOffset: Int(bit >> 3), as: UInt8.self) | 1 << UInt8(bit & 7)
            line.storeBytes(of: byte, toByteOffset: Int(bit >> 3), as: UInt8.self)
        }
    }

    @inline(__always)
    private static func bit(_ middle: UInt64, _ probe: Int) -> UInt64 {
        startBits + (((middle >> UInt64(12 * probe)) & 0xfff) * filterBits) >> 12
    }
}
