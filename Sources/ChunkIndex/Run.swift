import CLinux
import Files
import WireFormat

/// An immutable sorted set of entries under one header, in a file or in memory.
///
/// A class: lookups, merges and the list of runs share one mapping and one descriptor, and whoever
/// still reads a run that was merged away keeps it alive.
final class Run: Sendable {
    let header: RunHeader
    /// The file's name in the index's directory; nil in memory.
    let name: Path?
    /// Whether the entries are memory too, not only the tables and lines.
    let mapsEntries: Bool
    /// The run up to its entries, or the whole of it. Immutable, and alive as long as `owner`.
    nonisolated(unsafe) let front: UnsafeRawPointer
    private let owner: any AnyObject & Sendable
    private let file: PartlyMappedFile?

    /// Takes a run in a file; nil where it is none, or not sound as far as its header and tables
    /// tell.
    /// - Parameter entryBytesMax: the most bytes of entries to map; more are read when needed.
    init?(file: consuming Descriptor, name: Path, entryBytesMax: Int) throws(FileError) {
        let length = Int(try file.status().st_size)
        var start = [UInt8](repeating: 0, count: RunHeader.byteCount)
        var span = start.mutableSpan
        let count = try span.withUnsafeMutableBytes { (bytes) throws(FileError) in
            try file.read(at: 0, into: bytes)
        }
        guard count == start.count, let header = start.withUnsafeBytes({ RunHeader($0) }),
            header.fileByteCount == length
        else { return nil }
        let mapsEntries = length - header.entriesOffset <= entryBytesMax
        let mapped = try PartlyMappedFile(
            mapping: mapsEntries ? length : header.entriesOffset, of: file)
        guard Self.tablesAreSound(header, mapped.front), let front = mapped.front.baseAddress else {
            return nil
        }
        self.header = header
        self.name = name
        self.mapsEntries = mapsEntries
        self.front = front
        self.file = mapped
        owner = mapped
    }

    /// Takes a run in memory.
    init?(_ image: RunImage) {
        guard let header = RunHeader(image.bytes), header.fileByteCount <= image.bytes.count,
            Self.tablesAreSound(header, image.bytes), let front = image.bytes.baseAddress
        else { return nil }
        self.header = header
        name = nil
        mapsEntries = true
        self.front = front
        file = nil
        owner = image
    }

    private static func tablesAreSound(_ header: RunHeader, _ front: UnsafeRawBufferPointer) -> Bool
    {
        let tables = UnsafeRawBufferPointer(
            rebasing: front[header.objectsOffset..<header.linesOffset])
        return WordChecksum.of(tables) == header.tablesChecksum
    }

    /// How much memory the entries take; 0 where they are read when needed.
    var mappedEntryBytes: Int { mapsEntries ? header.entryCount * Entry.byteCount : 0 }

    /// The index objects whose content is in the run.
    var objects: [ObjectID] {
        (0..<header.objectCount).map { number in
            let at = front + (header.objectsOffset + number * RunHeader.objectByteCount)
            return ObjectID(UnsafeRawBufferPointer(start: at, count: ObjectID.byteCount).bytes)
        }
    }

    var packRows: [PackRow] { (0..<header.packCount).map(packRow) }

    /// - Parameter number: less than the number of rows.
    @inline(__always)
    func packRow(_ number: Int) -> PackRow {
        PackRow(at: front + (header.packsOffset + number * PackRow.byteCount))
    }
}

// MARK: Reading as a whole

extension Run {
    /// Copies entries to the front of `buffer`, which has room for them; false where they cannot be
    /// read.
    func readEntries(_ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= header.entryCount)
        let offset = header.entriesOffset + range.lowerBound * Entry.byteCount
        let piece = UnsafeMutableRawBufferPointer(
            rebasing: buffer[..<(range.count * Entry.byteCount)])
        return read(at: offset, into: piece)
    }

    /// Whether all of the run is as it was written. Reads everything.
    var isSound: Bool {
        checksum(of: header.linesOffset..<header.entriesOffset) == header.linesChecksum
            && checksum(of: header.entriesOffset..<header.fileByteCount) == header.entriesChecksum
    }

    private func checksum(of range: Range<Int>) -> UInt64? {
        var checksum = WordChecksum()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var at = range.lowerBound
        while at < range.upperBound {
            let count = min(buffer.count, range.upperBound - at)
            let isRead = buffer.withUnsafeMutableBytes { bytes in
                let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                guard read(at: at, into: piece) else { return false }
                checksum.add(UnsafeRawBufferPointer(piece))
                return true
            }
            guard isRead else { return nil }
            at += count
        }
        return checksum.value
    }

    // From the file even where it is mapped: what streams by once need not stay resident.
    private func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard let file else {
            // In memory the run is whole, and `offset` and the count are within it.
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(start: front + offset, count: buffer.count))
            return true
        }
        return (try? file.read(at: offset, into: buffer)) == buffer.count
    }
}
