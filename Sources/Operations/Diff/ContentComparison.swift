import CLinux
import Snapshots
import Vault
import WireFormat
import Workers

/// Some bytes, and where in a data stream they stand; what stands nowhere is zeros.
struct PlacedContent {
    let byteCount: Int
    /// In order; `offset` is the place among these bytes.
    let pieces: [(stream: Range<Int>, offset: Int)]

    static let empty = PlacedContent(byteCount: 0, pieces: [])

    init(byteCount: Int, pieces: [(stream: Range<Int>, offset: Int)]) {
        self.byteCount = byteCount
        self.pieces = pieces
    }

    /// Ranges of a stream, one after the other.
    init(_ ranges: [Range<Int>]) {
        var end = 0
        pieces = ranges.map { range in
            defer { end += range.count }
            return (range, end)
        }
        byteCount = end
    }
}

/// Tells whether bytes of two streams are the same, from their lists as far as these tell it: equal
/// chunks at equal places are equal bytes. Only where the two are cut differently, as at the edges
/// of files that share chunks with their neighbors, their bytes are read.
struct ContentComparison {
    /// Nil where there is no data stream, because nothing has content.
    let first: StreamCursor?
    let second: StreamCursor?
    /// Whether both name their chunks by one key: only then do names tell anything.
    let areNamesComparable: Bool
    private let surroundings: Surroundings

    init(_ first: SnapshotReader, _ second: SnapshotReader) throws {
        func cursor(_ reader: SnapshotReader) throws -> StreamCursor? {
            try reader.manifest.stream(.data).map { try StreamCursor($0, reader) }
        }
        self.first = try cursor(first)
        self.second = try cursor(second)
        surroundings = first.surroundings
        areNamesComparable = first.snapshot.domain == second.snapshot.domain
    }

    func areEqual(_ a: PlacedContent, _ b: PlacedContent) throws -> Bool {
        guard a.byteCount == b.byteCount else { return false }
        var (a, b) = (Side(a, first), Side(b, second))
        while let one = try a.piece(), let other = try b.piece() {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            let count = min(one.count, other.count)
            switch compare(one, other) {
            case true?:
                a.skip(count)
                b.skip(count)
            case false?: return false
            case nil:
                guard try equal(try a.take(count), try b.take(count)) else { return false }
            }
        }
        return true
    }

    /// What the lists tell of two pieces; nil where they tell nothing.
    private func compare(_ one: StreamCursor.Piece, _ other: StreamCursor.Piece) -> Bool? {
        switch (one.content, other.content) {
        case (.zeros, .zeros): return true
        case (.chunk(let a, let offset, let count), .chunk(let b, let otherOffset, let otherCount))
        where areNamesComparable:
            if a == b && offset == otherOffset { return true }
            // Two whole chunks of one length: one name, or other bytes.
            let areWhole = one.count == count && other.count == otherCount
            return areWhole && count == otherCount ? false : nil
        default: return nil
        }
    }

    private func equal(_ a: StreamPart, _ b: StreamPart) throws -> Bool {
        switch (a, b) {
        case (.zeros, .zeros): true
        case (.bytes(let bytes), .zeros), (.zeros, .bytes(let bytes)):
            bytes.withBytes { $0.allSatisfy { $0 == 0 } }
        case (.bytes(let a), .bytes(let b)):
            a.withBytes { a in
                b.withBytes { b in
                    guard a.count == b.count, let one = a.baseAddress, let other = b.baseAddress
                    else { return a.count == b.count }
                    return memcmp(one, other, a.count) == 0
                }
            }
        }
    }

    /// A walk through one of the two.
    private struct Side {
        private let byteCount: Int
        private var pieces: ArraySlice<(stream: Range<Int>, offset: Int)>
        private let cursor: StreamCursor?
        private var offset = 0

        init(_ content: PlacedContent, _ cursor: StreamCursor?) {
            byteCount = content.byteCount
            pieces = content.pieces[...]
            self.cursor = cursor
        }

        /// What comes next; nil at the end.
        mutating func piece() throws -> StreamCursor.Piece? {
            guard offset < byteCount else { return nil }
            while let piece = pieces.first, piece.offset + piece.stream.count <= offset {
                pieces.removeFirst()
            }
            guard let place = pieces.first else {
                return StreamCursor.Piece(content: .zeros, count: byteCount - offset)
            }
            guard place.offset <= offset else {
                return StreamCursor.Piece(content: .zeros, count: place.offset - offset)
            }
            cursor?.move(to: place.stream.lowerBound + offset - place.offset)
            guard let found = try cursor?.piece() else {
                throw WireError.malformed("a file reaches beyond the data of its snapshot")
            }
            return StreamCursor.Piece(
                content: found.content,
                count: min(found.count, place.offset + place.stream.count - offset))
        }

        mutating func skip(_ count: Int) { offset += count }

        /// The bytes of what comes next.
        /// - Parameter count: no more than `piece` has.
        mutating func take(_ count: Int) throws -> StreamPart {
            defer { offset += count }
            guard let place = pieces.first, place.offset <= offset else { return .zeros(count) }
            cursor?.move(to: place.stream.lowerBound + offset - place.offset)
            return try cursor?.part(count) ?? .zeros(count)
        }
    }
}
