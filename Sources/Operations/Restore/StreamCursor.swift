import Faults
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// Reads a stream from any place on: of its list only the nodes on the way there, of its content only
/// the chunks that are asked for, each verified, on the thread that asks. The checksum of the whole
/// is for those who read the whole (`StreamReader`).
///
/// A class: who reads entries from it and who moves it are not the same.
final class StreamCursor {
    /// What stands at a place: one chunk, or a part of it, or zeros.
    struct Piece: Equatable {
        enum Content: Equatable {
            /// From `offset` on, of a chunk of so many bytes.
            case chunk(ChunkID, offset: Int, byteCount: Int)
            case zeros
            /// Of a short stream that the manifest holds itself.
            case plain
        }

        let content: Content
        /// Bytes from the place to where the piece ends.
        let count: Int
    }

    private let snapshot: SnapshotReader
    private let stream: Manifest.Stream
    private let what: String
    /// Nil where the manifest holds the content itself.
    private var list: ListCursor?
    private let plain: [UInt8]
    /// The place that is read next.
    private(set) var position = 0

    /// The chunk whose bytes were given out last.
    private var last: (id: ChunkID, bytes: Slice)?

    init(_ stream: Manifest.Stream, _ snapshot: SnapshotReader) throws {
        self.snapshot = snapshot
        self.stream = stream
        what = "a stream of snapshot \(snapshot.snapshot.id.short)"
        if case .content(let bytes) = stream.list {
            plain = bytes
        } else {
            plain = []
            list = ListCursor(try snapshot.list(stream))
        }
    }

    func move(to position: Int) { self.position = position }

    /// What stands at the position; nil at the end of the stream.
    func piece() throws -> Piece? {
        guard position < stream.byteCount else {
            guard position == stream.byteCount else { throw malformed("it is shorter than said") }
            return nil
        }
        guard list != nil else {
            return Piece(content: .plain, count: stream.byteCount - position)
        }
        guard let found = try list?.piece(at: position) else {
            throw malformed("its list ends too early")
        }
        let rest = found.range.upperBound - position
        guard let id = found.id else { return Piece(content: .zeros, count: rest) }
        return Piece(
            content: .chunk(
                id, offset: position - found.range.lowerBound, byteCount: found.range.count),
            count: rest)
    }

    /// The next bytes, to the end of their chunk at most; goes on behind them.
    /// - Parameter countMax: so many at most.
    /// - Returns: nil at the end of the stream.
    func part(_ countMax: Int = .max) throws -> StreamPart? {
        guard let piece = try piece() else { return nil }
        let count = min(countMax, piece.count)
        defer { position += count }
        switch piece.content {
        case .zeros: return .zeros(count)
        case .plain:
            return .bytes(Slice(copying: Array(plain[position..<(position + count)])))
        case .chunk(let id, let offset, let byteCount):
            let bytes = try bytes(of: id, byteCount)
            let start = bytes.range.lowerBound + offset
            return .bytes(Slice(bytes.buffer, start..<(start + count)))
        }
    }

    /// Hands over a range of the stream, in order.
    func read(_ range: Range<Int>, _ body: (StreamPart) throws -> Void) throws {
        move(to: range.lowerBound)
        var fetches = CursorFetches(stream, snapshot, range)
        defer { fetches?.end() }
        while position < range.upperBound {
            fetches?.goAhead(of: position)
            if let signal = snapshot.surroundings.stopRequested() {
                throw Interrupted(signal: signal)
            }
            guard let part = try part(range.upperBound - position) else {
                throw malformed("it is shorter than said")
            }
            try body(part)
        }
    }

    fileprivate static let windowBytes = 16 << 20

    private func bytes(of id: ChunkID, _ byteCount: Int) throws -> Slice {
        if let last, last.id == id { return last.bytes }
        guard stream.contentClass == .list || snapshot.context.keyring.opensData else {
            throw SealingError.lacksKey("open stored data")
        }
        let bytes = try snapshot.lists.chunk(id)
        guard bytes.count == byteCount else { throw malformed("a chunk has another length") }
        last = (id, bytes)
        return bytes
    }

    private func malformed(_ why: String) -> WireError {
        .malformed("\(what) is malformed: \(why)")
    }
}

/// Has fetched what a range of a stream needs, window by window, where the store is far.
private struct CursorFetches {
    private let snapshot: SnapshotReader
    private let range: Range<Int>
    private var list: ListCursor
    private var plan: FetchPlan
    /// So far it is told what is needed.
    private var told: Int
    /// What was told of the window that is being read, and of the next.
    private var stretches: [Int] = []
    private var last: FoundChunk?

    /// Nil where nothing is to be fetched ahead.
    init?(_ stream: Manifest.Stream, _ snapshot: SnapshotReader, _ range: Range<Int>) {
        guard let fetching = snapshot.fetching, stream.contentClass == .data else { return nil }
        if case .content = stream.list { return nil }
        guard let list = try? snapshot.list(stream) else { return nil }
        self.list = ListCursor(list)
        self.snapshot = snapshot
        self.range = range
        plan = FetchPlan(fetching, snapshot.finder)
        told = range.lowerBound
    }

    /// Tells the next window when the one before it is begun.
    mutating func goAhead(of position: Int) {
        while told < range.upperBound, told - position < StreamCursor.windowBytes {
            let end = min(range.upperBound, told + StreamCursor.windowBytes)
            stretches.append(gather(told..<end))
            plan.tell(goesOn: false)
            told = end
            if stretches.count > 2 {
                for _ in 0..<stretches.removeFirst() { plan.stretchDone() }
            }
        }
    }

    mutating func end() { plan.end() }

    /// What cannot be found is told by who reads it.
    private mutating func gather(_ window: Range<Int>) -> Int {
        var stretch = Stretch()
        var count = 0
        var (last, plan) = (last, plan)
        _ = try? list.pieces(in: window) { piece in
            guard let id = piece.id else { return true }
            let found = try snapshot.finder.find(id, after: last)
            last = found
            stretch.append(found)
            if stretch.byteCount >= 1 << 20 {
                plan.gather(stretch)
                count += 1
                stretch = Stretch()
            }
            return true
        }
        if stretch.byteCount > 0 {
            plan.gather(stretch)
            count += 1
        }
        (self.last, self.plan) = (last, plan)
        return count
    }
}
