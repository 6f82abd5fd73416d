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
    private var list: ListReader?
    private let plain: [UInt8]
    /// The place that is read next.
    private(set) var position = 0

    /// The entry read last: the chunk it is or repeats, nil for zeros; and where it lies.
    private var chunk: (id: ChunkID, byteCount: Int)?
    private var range = 0..<0
    /// The chunk whose bytes were given out last.
    private var last: (id: ChunkID, bytes: Slice)?

    /// What is so near ahead is reached entry by entry, not through the tree.
    private static let nearBytes = 1 << 20

    init(_ stream: Manifest.Stream, _ snapshot: SnapshotReader) throws {
        self.snapshot = snapshot
        self.stream = stream
        what = "a stream of snapshot \(snapshot.snapshot.id.short)"
        if case .content(let bytes) = stream.list {
            plain = bytes
        } else {
            plain = []
            list = try snapshot.list(stream)
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
        try find()
        guard let chunk else {
            return Piece(content: .zeros, count: range.upperBound - position)
        }
        let offset = (position - range.lowerBound) % chunk.byteCount
        return Piece(
            content: .chunk(chunk.id, offset: offset, byteCount: chunk.byteCount),
            count: chunk.byteCount - offset)
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
        while position < range.upperBound {
            if let signal = snapshot.surroundings.stopRequested() {
                throw Interrupted(signal: signal)
            }
            guard let part = try part(range.upperBound - position) else {
                throw malformed("it is shorter than said")
            }
            try body(part)
        }
    }

    /// Makes the entry read last the one that holds the position.
    private func find() throws {
        if position < range.lowerBound || position - range.upperBound > Self.nearBytes {
            let start = try list?.seek(to: position) ?? 0
            (chunk, range) = (nil, start..<start)
        }
        while position >= range.upperBound {
            let start = range.upperBound
            switch try list?.next() {
            case .chunk(let id, let byteCount):
                chunk = (id, byteCount)
                range = start..<(start + byteCount)
            case .zeros(let count):
                chunk = nil
                range = start..<(start + count)
            case .again(let times):
                guard let chunk else { throw malformed("it repeats nothing") }
                range = start..<(start + times * chunk.byteCount)
            case nil: throw malformed("its list ends too early")
            }
        }
    }

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
