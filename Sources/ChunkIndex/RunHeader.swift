/// The first 128 bytes of a run and where everything else in it lies:
///
///     header 128 | ids of index objects, 16 each | pack rows, 24 each | outlines of packs
///     | zeros to a multiple of 64 | lines, 64 each, one more than counted | entries, 30 each
///
/// All little-endian. Opening checks the header, the tables and the file's length; lines and
/// entries have checksums of their own for when a run is read as a whole, and are doubted wherever
/// they are read.
struct RunHeader: Equatable {
    static let byteCount = 128
    static let version: UInt32 = 3
    static let objectByteCount = 16
    static let objectsMax = 1 << 24
    static let packsMax = Entry.packNumberMax + 1
    static let outlineBytesMax = 1 << 34
    static let entriesMax = Int(UInt32.max)

    /// The larger, the newer.
    var sequence: UInt64
    var entryCount: Int
    var objectCount: Int
    var packCount: Int
    var outlineBytes: Int
    var lineCount: Int
    /// Over the ids, the pack rows, the outlines and the zeros after them.
    var tablesChecksum: UInt64 = 0
    var linesChecksum: UInt64 = 0
    var entriesChecksum: UInt64 = 0

    var objectsOffset: Int { Self.byteCount }
    var packsOffset: Int { objectsOffset + objectCount * Self.objectByteCount }
    var outlinesOffset: Int { packsOffset + packCount * PackRow.byteCount }
    var linesOffset: Int { (outlinesOffset + outlineBytes + 63) & ~63 }
    var entriesOffset: Int { linesOffset + (lineCount + 1) * Line.byteCount }
    var fileByteCount: Int { entriesOffset + entryCount * Entry.byteCount }

    init(
        sequence: UInt64, entryCount: Int, objectCount: Int, packCount: Int,
        outlineBytes: Int, lineCount: Int
    ) {
        self.sequence = sequence
        self.entryCount = entryCount
        self.objectCount = objectCount
        self.packCount = packCount
        self.outlineBytes = outlineBytes
        self.lineCount = lineCount
    }

    /// nil where these are not the first bytes of a sound run of this version. All counts are
    /// within their limits then, so that none of the offsets can overflow.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        func word(_ number: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: number * 8, as: UInt64.self))
        }
        func count(_ number: Int, max: Int) -> Int? {
            Int(exactly: word(number)).flatMap { $0 <= max ? $0 : nil }
        }
        guard word(0) == Self.magic, word(1) == UInt64(Self.version),
            word(15) == WordChecksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<120])),
            let entryCount = count(3, max: Self.entriesMax),
            let objectCount = count(4, max: Self.objectsMax),
            let packCount = count(5, max: Self.packsMax),
            let lineCount = count(6, max: Line.count(forEntries: Self.entriesMax)), lineCount > 0,
            let outlineBytes = count(10, max: Self.outlineBytesMax)
        else { return nil }
        sequence = word(2)
        self.entryCount = entryCount
        self.objectCount = objectCount
        self.packCount = packCount
        self.outlineBytes = outlineBytes
        self.lineCount = lineCount
        tablesChecksum = word(7)
        linesChecksum = word(8)
        entriesChecksum = word(9)
    }

    var bytes: [UInt8] {
        var words: [UInt64] = [
            Self.magic, UInt64(Self.version), sequence, UInt64(entryCount), UInt64(objectCount),
            UInt64(packCount),
            UInt64(lineCount), tablesChecksum, linesChecksum, entriesChecksum,
            UInt64(outlineBytes),
        ]
        words += repeatElement(0, count: 15 - words.count)
        words = words.map(\.littleEndian)
        words.append(words.withUnsafeBytes { WordChecksum.of($0) }.littleEndian)
        return words.withUnsafeBytes { Array($0) }
    }

    // "repo run", read little-endian.
    private static let magic: UInt64 = 0x6e75_7220_6f70_6572
}
