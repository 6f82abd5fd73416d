import Files
import Snapshots
import Vault
import WireFormat

/// Restores files and directories below a directory.
struct FilesRestore: ~Copyable {
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let request: RestoreRequest
    private var maker: FileMaker
    private(set) var bytes = 0
    /// What is left of the last part of the data stream, and where it stands there.
    private var rest: (start: Int, part: StreamPart)?
    private var proof: FileProof?

    init(_ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings) {
        self.reader = reader
        self.surroundings = surroundings
        self.request = request
        maker = FileMaker(request.target, overwrites: request.overwrite, surroundings)
        proof = FileProof(reader.manifest.stream(.data), snapshot: reader.snapshot.id.short)
    }

    var count: Int { maker.count }
    var notes: [String] { maker.notes }

    consuming func run() throws -> FilesRestore {
        var run = self
        try run.restore()
        return run
    }

    private mutating func restore() throws {
        try maker.makeTarget()
        let reader = reader
        let wanted = try WantedEntries(request) { try reader.entries(.catalog) }
        let stream = reader.manifest.stream(.data)
        var ranges: [Range<Int>]?
        if let stream { ranges = try self.ranges(of: wanted, in: stream) }
        var catalog = try reader.entries(.catalog)
        let data = try stream.map { try reader.read($0, only: ranges) }
        let total = ranges.map { $0.reduce(0) { $0 + $1.count } } ?? stream?.byteCount
        while let found = try catalog.next() {
            if let entry = wanted.entry(found) {
                try make(entry, at: catalog.contentStart, data)
            } else if ranges == nil {
                try take(found, at: catalog.contentStart, data) { _ in }
            }
            surroundings.progress(Progress(bytes: bytes, bytesTotal: total))
        }
        // The end of the stream is where the whole is proven.
        let isWhole = reader.losses?.isEmpty ?? true
        if let data, ranges == nil, isWhole {
            guard try rest == nil && data.part() == nil else {
                throw WireError.malformed(
                    "the data of snapshot \(reader.snapshot.id.short) is longer than its files")
            }
        }
        if let proven = proof.take(), ranges == nil, isWhole { try proven.finish() }
        try maker.finish()
    }

    /// Where in the stream the content of what is wanted stands; nil where that is the greater part:
    /// then all is read, and the whole is proven.
    private func ranges(
        of wanted: WantedEntries, in stream: Manifest.Stream
    ) throws -> [Range<Int>]? {
        guard !wanted.areAll else { return nil }
        var ranges = JoinedRanges()
        var catalog = try reader.entries(.catalog)
        while let found = try catalog.next() {
            guard found.byteCount > 0, wanted.entry(found) != nil else { continue }
            ranges.add(catalog.contentStart..<(catalog.contentStart + found.byteCount))
        }
        return ranges.ifFew(of: stream)
    }

    private mutating func make(_ entry: CatalogEntry, at start: Int, _ data: StreamReader?) throws {
        guard let path = try maker.make(entry) else { return }
        if entry.kind == FileKind.file.rawValue {
            try writeFile(entry, at: start, path, data)
        }
        try maker.setAttributes(entry, path)
    }

    private mutating func writeFile(
        _ entry: CatalogEntry, at start: Int, _ path: Path, _ data: StreamReader?
    ) throws {
        var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
        let output = Output(file.number, path: path, isSparse: true, surroundings)
        try take(entry, at: start, data) { try output.write($0) }
        try output.finish()
        try file.close()
        bytes += entry.byteCount
    }

    /// Hands the content of a file to `body`. Nothing before it in the data stream is asked for later.
    private mutating func take(
        _ entry: CatalogEntry, at start: Int, _ data: StreamReader?,
        _ body: (StreamPart) throws -> Void
    ) throws {
        var position = start
        let end = start + entry.byteCount
        while position < end {
            guard let (at, part) = try rest ?? next(data), at <= position else {
                throw WireError.malformed(
                    "the data of snapshot \(reader.snapshot.id.short) ends before its files do")
            }
            let partEnd = at + part.count
            rest = nil
            guard let now = part.clamped(at: at, to: position..<end) else { continue }
            position += now.count
            if position < partEnd { rest = (position, part.split(at: position - at).1) }
            proof?.take(now)
            try body(now)
        }
        do { try proof?.end(entry) } catch {
            let lost = reader.losses?.lost(.data, in: start..<end) ?? []
            guard !lost.isEmpty else { throw error }
        }
    }

    private func next(_ data: StreamReader?) throws -> (start: Int, part: StreamPart)? {
        guard let data, let part = try data.part() else { return nil }
        return (data.partStart, part)
    }
}
