import Files
import WireFormat

/// Where a run is written: a new file, or memory.
protocol RunSink: AnyObject {
    func write(_ bytes: RawSpan, at offset: Int) throws(FileError)
}

/// Writes a run from entries that come in order, holding two small buffers however many they are.
/// The header is written last: a run cut short has none.
struct RunWriter {
    private var header: RunHeader
    private let sink: any RunSink
    private var entries: Stretch
    private var lines: Stretch
    /// The line being filled, at the end of `lines`.
    private var line = 0
    private var last: Entry?

    private static let entriesBuffered = 2048
    private static let linesBuffered = 1024

    /// Writes the tables.
    /// - Parameter entriesMax: at least as many as will be appended.
    init(
        to sink: any RunSink, sequence: UInt64, objects: [ObjectID], rows: [PackRow],
        outlines: [NumberedOutline], entriesMax: Int
    ) throws(FileError) {
        header = RunHeader(
            sequence: sequence, entryCount: 0, objectCount: objects.count, packCount: rows.count,
            outlineBytes: RunHeader.outlineBytes(of: outlines),
            lineCount: Line.count(forEntries: entriesMax))
        self.sink = sink
        var tables: [UInt8] = []
        tables.reserveCapacity(header.linesOffset - header.objectsOffset)
        for object in objects { tables += object.bytes }
        for row in rows { row.append(to: &tables) }
        for (number, bytes) in outlines {
            for word in [UInt32(number), UInt32(bytes.count)] {
                withUnsafeBytes(of: word.littleEndian) { tables += $0 }
            }
            tables += bytes.copy
        }
        tables += repeatElement(0, count: header.linesOffset - header.objectsOffset - tables.count)
        header.tablesChecksum = tables.withUnsafeBytes { WordChecksum.of($0) }
        try sink.write(tables.span.bytes, at: header.objectsOffset)
        lines = Stretch(at: header.linesOffset, pieces: Self.linesBuffered, of: Line.byteCount)
        entries = Stretch(
            at: header.entriesOffset, pieces: Self.entriesBuffered, of: Entry.byteCount)
        try lines.add(to: sink) { Line.setStart($0, 0) }
    }

    /// Adds an entry that is not less than the one before; an equal one is left out.
    mutating func append(_ entry: Entry) throws(FileError) {
        if let last {
            if last == entry { return }
            precondition(last < entry, "entries come in order")
        }
        last = entry
        let (line, _) = Line.position(of: entry.high, lines: header.lineCount)
        while self.line < line { try startLine() }
        lines.changeLast { Line.add($0, entry.middle) }
        try entries.add(to: sink) { entry.store(to: $0) }
        header.entryCount += 1
    }

    /// Writes what is left and the header.
    mutating func finish() throws(FileError) {
        while line < header.lineCount { try startLine() }
        try lines.flush(to: sink)
        try entries.flush(to: sink)
        header.linesChecksum = lines.checksum.value
        header.entriesChecksum = entries.checksum.value
        try sink.write(header.bytes.span.bytes, at: 0)
    }

    private mutating func startLine() throws(FileError) {
        line += 1
        let start = header.entryCount
        try lines.add(to: sink) { Line.setStart($0, start) }
    }
}

/// A growing row of pieces of one size, written when its buffer is full. The last piece stays in
/// the buffer until the next is added, so that it can be changed.
private struct Stretch {
    private(set) var checksum = WordChecksum()
    private let pieceByteCount: Int
    private var buffer: [UInt8]
    private var used = 0
    private var offset: Int

    /// `pieces` times `byteCount` must be a multiple of eight, for the checksum.
    init(at offset: Int, pieces: Int, of byteCount: Int) {
        self.offset = offset
        pieceByteCount = byteCount
        buffer = [UInt8](repeating: 0, count: pieces * byteCount)
    }

    /// Adds a piece of zeros and lets `fill` write to it.
    mutating func add(to sink: any RunSink, _ fill: (UnsafeMutableRawPointer) -> Void)
        throws(FileError)
    {
        if used == buffer.count { try flush(to: sink) }
        used += pieceByteCount
        let byteCount = pieceByteCount
        changeLast {
            $0.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            fill($0)
        }
    }

    /// Lets `change` write to the last piece: as many bytes as a piece has.
    @inline(__always)
    mutating func changeLast(_ change: (UnsafeMutableRawPointer) -> Void) {
        let at = used - pieceByteCount
        precondition(at >= 0)
        buffer.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { change(base + at) }
        }
    }

    mutating func flush(to sink: any RunSink) throws(FileError) {
        buffer.withUnsafeBytes { checksum.add(UnsafeRawBufferPointer(rebasing: $0[..<used])) }
        try sink.write(buffer.span.bytes.extracting(0..<used), at: offset)
        offset += used
        used = 0
    }
}
