import WireFormat

/// What a run knows of a pack, or of the 65,536 frames from `part` x 65,536 on of a pack that has
/// more.
///
/// On disk: id 16, length of the pack's file u32, class u8, part u8, last frame u16.
struct PackRow {
    static let byteCount = 24
    static let framesPerPart = 1 << 16

    let id: ObjectID
    let packByteCount: UInt32
    /// As the file says it: unchecked.
    let rawClass: UInt8
    let part: UInt8
    /// The highest frame of this part: one more bound that a damaged entry must pass.
    var frameLast: UInt16

    init(id: ObjectID, packByteCount: UInt32, rawClass: UInt8, part: UInt8, frameLast: UInt16) {
        self.id = id
        self.packByteCount = packByteCount
        self.rawClass = rawClass
        self.part = part
        self.frameLast = frameLast
    }

    /// - Parameter bytes: 24 of them.
    @inline(__always)
    init(at bytes: UnsafeRawPointer) {
        id = ObjectID(UnsafeRawBufferPointer(start: bytes, count: ObjectID.byteCount).bytes)
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        packByteCount = UInt32(truncatingIfNeeded: word)
        rawClass = UInt8(truncatingIfNeeded: word >> 32)
        part = UInt8(truncatingIfNeeded: word >> 40)
        frameLast = UInt16(truncatingIfNeeded: word >> 48)
    }

    func append(to bytes: inout [UInt8]) {
        bytes += id.bytes
        let word =
            UInt64(packByteCount) | UInt64(rawClass) << 32 | UInt64(part) << 40 | UInt64(
                frameLast) << 48
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
    }

    /// nil where a damaged entry names a frame that this part does not have.
    @inline(__always)
    func place(_ frame: UInt16) -> ChunkPlace? {
        guard frame <= frameLast else { return nil }
        return ChunkPlace(pack: id, frame: Int(part) * Self.framesPerPart + Int(frame))
    }
}

/// The rows of several tables, sorted and each once, and how each table's numbers read in it.
/// Numbers keep their order, so that entries sorted under the old numbers are sorted under the new.
struct JoinedPackRows {
    private(set) var rows: [PackRow] = []
    /// For each table, the new number of each of its rows.
    private(set) var numbers: [[UInt32]]

    init(_ tables: [[PackRow]]) {
        numbers = tables.map { [UInt32](repeating: 0, count: $0.count) }
        var sources: [(table: Int, row: Int)] = []
        sources.reserveCapacity(tables.reduce(0) { $0 + $1.count })
        for table in tables.indices {
            for row in tables[table].indices { sources.append((table, row)) }
        }
        // Of rows for the same pack the first table's counts.
        sources.sort {
            let (a, b) = (tables[$0.table][$0.row], tables[$1.table][$1.row])
            return Self.precedes(a, b) || (!Self.precedes(b, a) && $0.table < $1.table)
        }
        for source in sources {
            let row = tables[source.table][source.row]
            if let last = rows.last, last.id == row.id, last.part == row.part {
                rows[rows.count - 1].frameLast = max(last.frameLast, row.frameLast)
            } else {
                rows.append(row)
            }
            numbers[source.table][source.row] = UInt32(rows.count - 1)
        }
    }

    private static func precedes(_ a: PackRow, _ b: PackRow) -> Bool {
        let (x, y) = (a.id.words, b.id.words)
        if x.0 != y.0 { return x.0.byteSwapped < y.0.byteSwapped }
        if x.1 != y.1 { return x.1.byteSwapped < y.1.byteSwapped }
        return a.part < b.part
    }
}

extension JoinedPackRows {
    /// The rows of new packs. `numbers[i][part]` is the number of the i-th pack's row.
    init(_ packs: [IndexedPack]) {
        self.init(packs.map(Self.rows))
    }

    private static func rows(of pack: IndexedPack) -> [PackRow] {
        precondition(
            UInt32(exactly: pack.byteCount) != nil
                && pack.frames.count <= 256 * PackRow.framesPerPart,
            "a pack larger than any decoder of directories lets pass")
        let parts = max(
            1, (pack.frames.count + PackRow.framesPerPart - 1) / PackRow.framesPerPart)
        return (0..<parts).map { part in
            let frames = min(
                PackRow.framesPerPart, pack.frames.count - part * PackRow.framesPerPart)
            return PackRow(
                id: pack.id, packByteCount: UInt32(pack.byteCount),
                rawClass: pack.contentClass.rawValue,
                part: UInt8(part), frameLast: UInt16(max(frames, 1) - 1))
        }
    }
}
