import CLinux
import Files
import PackStore
import Sealing
import WireFormat
import Workers

/// An open file that several threads read, closed with its last holder.
final class SharedFile: Sendable {
    let descriptor: Descriptor
    let number: Int

    init(_ descriptor: consuming Descriptor, number: Int) {
        self.descriptor = descriptor
        self.number = number
    }
}

/// A chunk or a run of zeros as a snapshot has it, and where it belongs in files that are there.
struct LocalPiece: Sendable {
    struct Part: Sendable {
        let file: SharedFile
        let offset: Int
        /// Which bytes of the piece.
        let range: Range<Int>
    }

    /// Nil for zeros.
    let id: ChunkID?
    let byteCount: Int
    var parts: [Part]

    /// Whether the files have all of its bytes; otherwise its name says nothing of them.
    var isWhole: Bool { id == nil || parts.reduce(0) { $0 + $1.range.count } == byteCount }
}

/// Reads what is there and tells what of it is not as the snapshot has it. One a thread.
final class LocalCompare: PipelineWorker {
    private let namer: ChunkNamer
    private let buffer: Buffer

    /// The most bytes of a piece.
    static let pieceBytesMax = 1 << 20

    init(namer: consuming ChunkNamer) {
        self.namer = namer
        buffer = Buffer(capacity: Self.pieceBytesMax)
    }

    /// The pieces that differ.
    func run(_ pieces: [LocalPiece]) throws -> [LocalPiece] {
        try pieces.filter { try !isThere($0) }
    }

    private func isThere(_ piece: LocalPiece) throws -> Bool {
        guard piece.isWhole else { return false }
        for part in piece.parts {
            let count = try part.file.descriptor.read(
                at: part.offset, into: buffer.room(part.range))
            guard count == part.range.count else { return false }
            if piece.id == nil, !Self.isZero(buffer.bytes(part.range)) { return false }
        }
        return piece.id.map { $0 == namer.id(of: buffer.bytes(0..<piece.byteCount)) } ?? true
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // It is what it is one byte on, and begins with zero.
        guard let base = bytes.baseAddress, let first = bytes.first else { return true }
        return first == 0 && memcmp(base, base + 1, bytes.count - 1) == 0
    }
}
