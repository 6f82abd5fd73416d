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
    /// Where the next byte of the data stream belongs, and what is left of the part that holds it.
    private var rest: StreamPart?
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
        var catalog = try reader.entries(.catalog)
        let data = try reader.manifest.stream(.data).map { try reader.read($0) }
        let total = reader.manifest.stream(.data)?.byteCount
        while let found = try catalog.next() {
            if let entry = wanted.entry(found) {
                try make(entry, data)
            } else {
                try take(found, data) { _ in }
            }
            surroundings.progress(Progress(bytes: bytes, bytesTotal: total))
        }
        // The end of the stream is where the whole is proven.
        if let data {
            guard try rest == nil && data.part() == nil else {
                throw WireError.malformed(
                    "the data of snapshot \(reader.snapshot.id.short) is longer than its files")
            }
        }
        if let proven = proof.take() { try proven.finish() }
        try maker.finish()
    }

    private mutating func make(_ entry: CatalogEntry, _ data: StreamReader?) throws {
        guard let path = try maker.make(entry) else { return }
        if entry.kind == FileKind.file.rawValue {
            try writeFile(entry, path, data)
        }
        try maker.setAttributes(entry, path)
    }

    private mutating func writeFile(_ entry: CatalogEntry, _ path: Path, _ data: StreamReader?)
        throws
    {
        var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
        let output = Output(file.number, path: path, isSparse: true, surroundings)
        try take(entry, data) { try output.write($0) }
        try output.finish()
        try file.close()
        bytes += entry.byteCount
    }

    /// Hands the content of a file, which comes next in the data stream, to `body`.
    private mutating func take(
        _ entry: CatalogEntry, _ data: StreamReader?, _ body: (StreamPart) throws -> Void
    ) throws {
        var left = entry.byteCount
        while left > 0 {
            guard let part = try rest ?? data?.part() else {
                throw WireError.malformed(
                    "the data of snapshot \(reader.snapshot.id.short) ends before its files do")
            }
            rest = nil
            var now = part
            if part.count > left {
                let (first, later) = part.split(at: left)
                (now, rest) = (first, later)
            }
            proof?.take(now)
            try body(now)
            left -= now.count
        }
        try proof?.end(entry)
    }
}
