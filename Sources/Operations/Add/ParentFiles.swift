import CLinux
import Files
import PackStore
import Snapshots
import WireFormat
import Workers

/// The files of the parent, so that those that did not change need not be read again.
///
/// Its catalog is walked beside the tree: both have their paths in one order. What cannot be read of it
/// is as if it were not there: the file is read from the disk.
struct ParentFiles {
    private var entries: EntryReader
    private var cursor: ListCursor?
    private let chunks: ChunkReader
    /// The entry that was not yet passed, and where its content begins in the parent's stream.
    private var next: CatalogEntry?
    private var position = 0
    /// The chunk that was read last: small files share one.
    private var lastChunk: (id: ChunkID, bytes: Slice)?
    /// Files that were changed from here on may have been changed again within the tick of a file
    /// system's clock.
    private let safeBefore: Int64

    private static let what = "the catalog of the parent"
    /// The coarsest tick of a clock that file systems take times from, in milliseconds.
    private static let tick: Int64 = 10

    /// - Parameters:
    ///   - catalog, data: the parent's streams; nil without content.
    ///   - catalogList, dataList: their lists.
    ///   - lists: reads chunks of the parent, of either class.
    ///   - started: when the parent began to be saved.
    init?(
        _ catalog: Manifest.Stream, _ catalogList: ListReader?, _ data: Manifest.Stream?,
        _ dataList: ListReader?, _ chunks: ChunkReader, started: Int64
    ) {
        guard let data, data.sumsFiles else { return nil }
        entries = EntryReader(catalog, list: catalogList, chunks, what: Self.what)
        cursor = dataList.map { ListCursor($0) }
        self.chunks = chunks
        safeBefore = started - Self.tick
        next = readNext()
    }

    private mutating func readNext() -> CatalogEntry? {
        guard let bytes = try? entries.next() else { return nil }
        return try? CatalogEntry(bytes, what: Self.what)
    }

    /// What the parent has of a file that did not change, and where its content stands in the
    /// parent's stream. Asked in the order of the walk.
    mutating func unchanged(_ entry: CatalogEntry, _ status: stat) -> (
        CatalogEntry, content: Range<Int>
    )? {
        while let known = next, Self.comes(known.path, before: entry.path) { pass(known) }
        guard let known = next, known.path == entry.path else { return nil }
        let content = position..<(position + known.byteCount)
        pass(known)
        guard known.kind == entry.kind, known.hardLink == nil, known.reservation == nil,
            known.byteCount == Int(status.st_size), known.modified == entry.modified,
            known.changed == entry.changed, known.inode == entry.inode,
            known.byteCount == 0 || known.checksum != nil,
            let changed = known.changed,
            changed.seconds < safeBefore / 1000
                || (changed.seconds == safeBefore / 1000
                    && Int64(changed.nanoseconds) < safeBefore % 1000 * 1_000_000)
        else { return nil }
        return (known, content)
    }

    private mutating func pass(_ entry: CatalogEntry) {
        position += entry.byteCount
        next = readNext()
    }

    /// The order of a walk: a directory before what lies in it, names in the order of their bytes.
    static func comes(_ a: [UInt8], before b: [UInt8]) -> Bool {
        // No name has a byte that is less than what a slash counts for here.
        a.lexicographicallyPrecedes(b) { first, second in
            (first == UInt8(ascii: "/") ? 0 : first) < (second == UInt8(ascii: "/") ? 0 : second)
        }
    }

    /// Hands over what the list has of a file, where the file begins and ends with entries of its own.
    /// - Parameter body: false ends it.
    /// - Returns: whether the whole file was handed over.
    mutating func entries(of content: Range<Int>, _ body: (ListEntry) throws -> Bool) throws -> Bool
    {
        guard var walk = cursor else { return false }
        defer { cursor = walk }
        do {
            return try walk.pieces(in: content) { piece in
                guard let id = piece.id else { return try body(.zeros(piece.range.count)) }
                guard content.clamped(to: piece.range) == piece.range else { return false }
                return try body(.chunk(id, byteCount: piece.range.count))
            }
        } catch let error as WireError {
            _ = error
            return false
        }
    }

    /// A file's bytes as the parent has them, each verified; nil where not all can be had.
    mutating func bytes(of content: Range<Int>) -> [StreamPart]? {
        var pieces: [ListPiece] = []
        guard var walk = cursor else { return nil }
        defer { cursor = walk }
        guard
            (try? walk.pieces(in: content) {
                pieces.append($0)
                return true
            }) == true
        else { return nil }
        var parts: [StreamPart] = []
        for piece in pieces {
            guard let id = piece.id else {
                parts.append(.zeros(piece.range.count))
                continue
            }
            guard let chunk = chunk(id), chunk.count == piece.range.count,
                let part = StreamPart.bytes(chunk).clamped(
                    at: piece.range.lowerBound, to: content)
            else { return nil }
            parts.append(part)
        }
        return parts
    }

    private mutating func chunk(_ id: ChunkID) -> Slice? {
        if let lastChunk, lastChunk.id == id { return lastChunk.bytes }
        guard let bytes = try? chunks.chunk(id) else { return nil }
        lastChunk = (id, bytes)
        return bytes
    }
}

extension EntryReader {
    /// Reads the entries of a stream of class list.
    /// - Parameters:
    ///   - list: of the stream; nil where the manifest holds its content.
    ///   - chunks: of class list.
    init(_ stream: Manifest.Stream, list: ListReader?, _ chunks: ChunkReader, what: String) {
        var list = list
        var content: [UInt8]?
        if case .content(let bytes) = stream.list { content = bytes }
        self.init(what: what) {
            if let bytes = content {
                content = nil
                return .bytes(Slice(copying: bytes))
            }
            while let entry = try list?.next() {
                switch entry {
                case .chunk(let id, _): return .bytes(try chunks.chunk(id))
                case .zeros(let count): return .zeros(count)
                case .again: throw WireError.malformed("\(what) is malformed: it repeats")
                }
            }
            return nil
        }
    }
}
