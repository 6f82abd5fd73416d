import Files
import Snapshots
import Vault
import WireFormat

/// Restores files and directories below a directory.
struct FilesRestore: ~Copyable {
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let patterns: [PathPattern]
    private let top: [UInt8]?
    private var maker: FileMaker
    private(set) var bytes = 0
    /// Of files that are not wanted under their first name but under another: the name that gets
    /// the content.
    private var heirs: [[UInt8]: [UInt8]] = [:]
    /// Where the next byte of the data stream belongs, and what is left of the part that holds it.
    private var rest: StreamPart?
    private var proof: FileProof?

    init(_ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings) {
        self.reader = reader
        self.surroundings = surroundings
        patterns = request.include.map { PathPattern($0) }
        top = request.top.map { $0 + [UInt8(ascii: "/")] }
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
        if !patterns.isEmpty { try findHeirs() }
        var catalog = try catalog()
        let data = try reader.manifest.stream(.data).map { try reader.read($0) }
        let total = reader.manifest.stream(.data)?.byteCount
        while let found = try catalog.next() {
            guard let entry = below(top, found) else {
                try take(found, data) { _ in }
                continue
            }
            if isWanted(entry.path) {
                // An heir has its content already.
                if entry.hardLink.flatMap({ heirs[$0] }) != entry.path { try make(entry, data) }
            } else if let heir = heirs[entry.path] {
                var renamed = entry
                renamed.path = heir
                try make(renamed, data)
            } else {
                try take(entry, data) { _ in }
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

    /// An entry as it is seen from the top; nil where it lies elsewhere.
    private func below(_ top: [UInt8]?, _ entry: CatalogEntry) -> CatalogEntry? {
        guard let top else { return entry }
        guard entry.path.starts(with: top), entry.hardLink?.starts(with: top) ?? true else {
            return nil
        }
        var moved = entry
        moved.path.removeFirst(top.count)
        moved.hardLink?.removeFirst(top.count)
        return moved
    }

    private func catalog() throws -> CatalogReader {
        CatalogReader(try reader.read(try reader.stream(.catalog)), snapshot: reader.snapshot)
    }

    private func isWanted(_ path: [UInt8]) -> Bool { patterns.choose(path) }

    /// The content of a file with several names stands with the first: where that is not wanted,
    /// the first name that is takes its place.
    private mutating func findHeirs() throws {
        var catalog = try catalog()
        while let entry = try catalog.next() {
            guard let first = entry.hardLink, !isWanted(first), isWanted(entry.path),
                heirs[first] == nil
            else {
                continue
            }
            heirs[first] = entry.path
        }
    }

    private mutating func make(_ entry: CatalogEntry, _ data: StreamReader?) throws {
        var entry = entry
        entry.hardLink = entry.hardLink.map { heirs[$0] ?? $0 }
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
