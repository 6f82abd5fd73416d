import Files
import Vault
import WireFormat
import Workers

/// Restores the members of an archive as files below a directory: what unpacking the archive would
/// give.
///
/// Their bytes interleave in the stream, which is read once, from its beginning to its end: each
/// part goes to its place in its file.
struct MembersRestore {
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let patterns: [PathPattern]
    private var maker: FileMaker
    private(set) var bytes = 0
    /// Members that are wanted and have content: where it goes.
    private var files: [(entry: CatalogEntry, path: Path)] = []

    init(_ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings) {
        self.reader = reader
        self.surroundings = surroundings
        patterns = request.include.map { PathPattern($0) }
        maker = FileMaker(request.target, overwrites: request.overwrite, surroundings)
    }

    var count: Int { maker.count }
    var notes: [String] { maker.notes }

    consuming func run() throws -> MembersRestore {
        var run = self
        try run.restore()
        return run
    }

    private mutating func restore() throws {
        // A server wants its data directory for itself.
        try maker.makeTarget(mode: 0o700)
        try makeMembers()
        let writer = try PieceWriter(
            files.map { ($0.path, $0.entry.pieces) }, surroundings)
        let stream = try reader.stream(.data)
        let data = try reader.read(stream)
        while let part = try data.part() {
            try writer.take(part)
            surroundings.progress(Progress(bytes: data.byteCount, bytesTotal: stream.byteCount))
        }
        try writer.finish()
        bytes = writer.byteCount
        for (entry, path) in files { try maker.setAttributes(entry, path) }
        try maker.finish()
    }

    private mutating func makeMembers() throws {
        var members = try reader.members()
        // Of members with several names that are not wanted under the first: the one that is.
        var contents: [[UInt8]: CatalogEntry] = [:]
        var names: [[UInt8]: [UInt8]] = [:]
        while let member = try members.next() {
            var entry = member
            let isWanted = patterns.choose(entry.path)
            if let first = entry.hardLink {
                guard isWanted else { continue }
                entry.hardLink = names[first]
                if entry.hardLink == nil, let content = contents[first] {
                    entry = content
                    entry.path = member.path
                    names[first] = member.path
                }
            } else if isWanted {
                names[entry.path] = entry.path
            } else {
                if !patterns.isEmpty { contents[entry.path] = entry }
                continue
            }
            guard let path = try maker.make(entry) else { continue }
            guard entry.kind == FileKind.file.rawValue else {
                try maker.setAttributes(entry, path)
                continue
            }
            var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
            if entry.byteCount > 0 { try file.truncate(to: entry.byteCount) }
            try file.close()
            files.append((entry, path))
        }
    }
}

/// Writes parts of a stream to the files that they belong to.
///
/// A class: it holds open files.
private final class PieceWriter {
    private struct Piece {
        let stream: Range<Int>
        let file: Int
        let offset: Int
    }

    private let paths: [Path]
    private let pieces: [Piece]
    private let surroundings: Surroundings
    private var next = 0
    private var position = 0
    private var open: [Int: OpenFile] = [:]
    private var uses = 0
    private(set) var byteCount = 0

    /// xbstreams of many threads have as many members begun.
    private static let openMax = 64

    private final class OpenFile {
        var file: Descriptor
        var use = 0
        init(_ file: consuming Descriptor) { self.file = file }
    }

    init(
        _ files: [(path: Path, pieces: [(stream: Range<Int>, offset: Int)])],
        _ surroundings: Surroundings
    ) throws {
        self.surroundings = surroundings
        paths = files.map { $0.path }
        pieces = files.enumerated().flatMap { number, file in
            file.pieces.map { Piece(stream: $0.stream, file: number, offset: $0.offset) }
        }.sorted { ($0.stream.lowerBound, $0.file) < ($1.stream.lowerBound, $1.file) }
        for (piece, next) in zip(pieces, pieces.dropFirst())
        where next.stream.lowerBound < piece.stream.upperBound {
            throw WireError.malformed("two members share bytes of the stream")
        }
    }

    /// Takes the next part of the stream.
    func take(_ part: StreamPart) throws {
        let whole = position..<(position + part.count)
        position = whole.upperBound
        while next < pieces.count, pieces[next].stream.lowerBound < whole.upperBound {
            let piece = pieces[next]
            let now = piece.stream.clamped(to: whole)
            if !now.isEmpty {
                try write(part, now.lowerBound - whole.lowerBound, now, piece)
            }
            guard piece.stream.upperBound <= whole.upperBound else { return }
            next += 1
        }
    }

    private func write(_ part: StreamPart, _ start: Int, _ now: Range<Int>, _ piece: Piece) throws {
        byteCount += now.count
        // Holes: the file has its length already.
        guard case .bytes(let slice) = part else { return }
        let file = try file(piece.file)
        try slice.withBytes {
            try file.file.write(
                UnsafeRawBufferPointer(rebasing: $0[start..<(start + now.count)]),
                at: piece.offset + now.lowerBound - piece.stream.lowerBound)
        }
    }

    private func file(_ number: Int) throws -> OpenFile {
        uses += 1
        if let file = open[number] {
            file.use = uses
            return file
        }
        if open.count >= Self.openMax, let oldest = open.min(by: { $0.value.use < $1.value.use }) {
            open[oldest.key] = nil
            try oldest.value.file.close()
        }
        let file = OpenFile(
            try Descriptor(writing: paths[number], calls: surroundings.systemCalls))
        file.use = uses
        open[number] = file
        return file
    }

    func finish() throws {
        for file in open.values { try file.file.close() }
        open = [:]
        guard next == pieces.count else {
            throw WireError.malformed("the members reach beyond the stream")
        }
    }
}
