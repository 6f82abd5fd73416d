import Files
import Vault
import WireFormat
import Workers

/// Restores the members of an archive as files below a directory: what unpacking the archive would
/// give.
///
/// Their bytes interleave in the stream, which is read once, from its beginning to its end, or of it what
/// is wanted: each part goes to its place in its file.
struct MembersRestore {
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let request: RestoreRequest
    private var maker: FileMaker
    private(set) var bytes = 0
    /// Members that are wanted and have content: where it goes.
    private var files: [(entry: CatalogEntry, path: Path)] = []
    /// Whether some members are not wanted.
    private var isPart = false

    init(_ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings) {
        self.reader = reader
        self.surroundings = surroundings
        self.request = request
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
        let ranges = isPart ? writer.ranges.ifFew(of: stream) : nil
        let total = ranges.map { $0.reduce(0) { $0 + $1.count } } ?? stream.byteCount
        let data = try reader.read(stream, only: ranges)
        while let part = try data.part() {
            try writer.take(part, at: data.partStart)
            surroundings.progress(Progress(bytes: data.byteCount, bytesTotal: total))
        }
        try writer.finish()
        bytes = writer.byteCount
        for (entry, path) in files { try maker.setAttributes(entry, path) }
        try maker.finish()
    }

    private mutating func makeMembers() throws {
        let wanted = try WantedEntries(request, reader.members)
        isPart = !wanted.areAll
        var members = try reader.members()
        while let found = try members.next() {
            guard let entry = wanted.entry(found) else { continue }
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
    private let places: [Place]
    private let surroundings: Surroundings
    private var next = 0
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
        places = try InterleavedPlaces(files).places
    }

    /// What is written, by places in the stream.
    var ranges: JoinedRanges {
        var ranges = JoinedRanges()
        for place in places where !place.stream.isEmpty { ranges.add(place.stream) }
        return ranges
    }

    /// Takes the next part of the stream that is wanted, given where it begins.
    func take(_ part: StreamPart, at start: Int) throws {
        let whole = start..<(start + part.count)
        while next < places.count, places[next].stream.lowerBound < whole.upperBound {
            let place = places[next]
            let now = place.stream.clamped(to: whole)
            if !now.isEmpty {
                try write(part, now.lowerBound - whole.lowerBound, now, place)
            }
            guard place.stream.upperBound <= whole.upperBound else { return }
            next += 1
        }
    }

    private func write(_ part: StreamPart, _ start: Int, _ now: Range<Int>, _ place: Place) throws {
        byteCount += now.count
        // Holes: the file has its length already.
        guard case .bytes(let slice) = part else { return }
        let file = try file(place)
        try slice.withBytes {
            try file.file.write(
                UnsafeRawBufferPointer(rebasing: $0[start..<(start + now.count)]),
                at: place.offset + now.lowerBound - place.stream.lowerBound)
        }
    }

    private func file(_ place: Place) throws -> OpenFile {
        uses += 1
        if let file = open[place.file] {
            file.use = uses
            return file
        }
        if open.count >= Self.openMax, let oldest = open.min(by: { $0.value.use < $1.value.use }) {
            open[oldest.key] = nil
            try oldest.value.file.close()
        }
        let file = OpenFile(
            try Descriptor(writing: place.path, calls: surroundings.systemCalls))
        file.use = uses
        open[place.file] = file
        return file
    }

    func finish() throws {
        for file in open.values { try file.file.close() }
        open = [:]
        guard next == places.count else {
            throw WireError.malformed("the members reach beyond the stream")
        }
    }
}
