import CLinux
import Faults
import Files
import Snapshots
import Vault
import WireFormat

/// Makes what is there as a snapshot has it, and touches nothing else: what differs is found by the
/// names of chunks, and only that is fetched. Stopped and run again it goes on.
struct InPlaceRestore {
    private let request: RestoreRequest
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let wanted: WantedEntries
    private var maker: FileMaker
    /// Members that have content.
    private var members: [(entry: CatalogEntry, path: Path)] = []
    private(set) var bytesCompared = 0
    private(set) var bytesWritten = 0

    init(
        _ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings
    ) throws {
        self.request = request
        self.reader = reader
        self.surroundings = surroundings
        wanted = try WantedEntries(request) { try Self.entries(reader) }
        maker = FileMaker(request.target, overwrites: true, surroundings)
        maker.keepsWhatFits = true
        maker.removesTrees = request.deletes
    }

    var count: Int { maker.count }
    var notes: [String] { maker.notes }

    consuming func run() throws -> InPlaceRestore {
        var run = self
        try run.restore()
        return run
    }

    private var isArchive: Bool { reader.manifest.stream(.members) != nil }

    private mutating func restore() throws {
        try maker.makeTarget(mode: isArchive ? 0o700 : 0o755)
        try forEachEntry { run, entry in
            let path = try run.maker.make(entry)
            if let path, run.isArchive, entry.kind == FileKind.file.rawValue {
                run.members.append((entry, path))
            }
        }
        if let data = reader.manifest.stream(.data) {
            let written = try pass(data, .write)
            if !written.isEmpty {
                try flush(written.values.sorted())
                // A server that runs on the files would have changed them meanwhile.
                _ = try pass(data, .prove(Set(written.keys)))
            }
        }
        try forEachEntry { run, entry in
            guard entry.hardLink == nil, entry.kind != FileKind.directory.rawValue,
                entry.reservation != .unreadable || entry.byteCount > 0
            else { return }
            try run.maker.setAttributes(entry, run.request.target / Path(bytes: entry.path))
        }
        try removeExtras()
        try maker.finish()
    }

    private mutating func pass(_ stream: Manifest.Stream, _ purpose: ComparePass.Purpose) throws
        -> [Int: Path]
    {
        let pass = try ComparePass(reader, stream, try places(), purpose, surroundings)
        if case .write = purpose {
            for (number, (entry, path)) in members.enumerated() {
                for hole in entry.holes { try pass.takeHole(hole, of: path, number: number) }
            }
        }
        try pass.run()
        bytesCompared = max(bytesCompared, pass.bytesCompared)
        bytesWritten += pass.bytesWritten
        return pass.written
    }

    private func places() throws -> any PlaceSource {
        if isArchive { return try InterleavedPlaces(members.map { ($0.path, $0.entry.pieces) }) }
        return CatalogPlaces(try Self.entries(reader), target: request.target, wanted)
    }

    private func flush(_ paths: [Path]) throws {
        for path in paths {
            let file = try Descriptor(changing: path, calls: surroundings.systemCalls)
            try file.flush()
        }
    }

    // MARK: entries

    private static func entries(_ reader: SnapshotReader) throws -> CatalogReader {
        try reader.entries(reader.manifest.stream(.members) == nil ? .catalog : .members)
    }

    /// Everything that is wanted, under the name that it gets.
    private mutating func forEachEntry(
        _ body: (inout InPlaceRestore, CatalogEntry) throws -> Void
    ) throws {
        var catalog = try Self.entries(reader)
        while let found = try catalog.next() {
            if let entry = wanted.entry(found) { try body(&self, entry) }
        }
    }

    // MARK: what the snapshot does not have

    private mutating func removeExtras() throws {
        guard wanted.areAll else { return }
        var known = KnownPaths()
        try forEachEntry { _, entry in known.add(entry) }
        let extras = try ExtraFiles(request.target, known, isWhole: isArchive, surroundings)
            .find()
        guard !extras.isEmpty else { return }
        if request.deletes {
            for path in extras { try maker.removeTree(path) }
            maker.note(
                "\(extras.count) that the snapshot does not have \(extras.count == 1 ? "was" : "were") removed"
            )
        } else {
            let named = extras.prefix(3).map { "\($0)" }.joined(separator: ", ")
            maker.note(
                "\(extras.count) more \(extras.count == 1 ? "stays" : "stay") there, such as \(named): --delete removes what the snapshot does not have"
            )
        }
    }
}

/// Makes a file as a stream is, and writes only what differs.
/// - Returns: how many bytes were compared, and written.
func restoreFileInPlace(
    _ path: Path, _ reader: SnapshotReader, _ surroundings: Surroundings
) throws -> (compared: Int, written: Int) {
    let stream = try reader.stream(.data)
    let directories = Directories(surroundings.systemCalls)
    if try directories.status(path) == nil {
        var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
        try file.close()
        try directories.flush(path.parent)
    }
    let file = try Descriptor(changing: path, calls: surroundings.systemCalls)
    let status = try file.status()
    guard status.kind == .file else { throw FileError("restore to", path, code: EINVAL) }
    if Int(status.st_size) != stream.byteCount { try file.truncate(to: stream.byteCount) }
    func pass(_ purpose: ComparePass.Purpose) throws -> ComparePass {
        let pass = try ComparePass(
            reader, stream, WholePlace(path, byteCount: stream.byteCount), purpose, surroundings)
        try pass.run()
        return pass
    }
    let first = try pass(.write)
    try file.flush()
    if first.bytesWritten > 0 { _ = try pass(.prove([0])) }
    return (first.bytesCompared, first.bytesWritten)
}

/// Files changed by somebody else while they were restored.
package struct ChangedWhileRestored: Explained {
    let path: Path

    package var message: String { "\(path) changed while it was restored" }
    package var hint: String? {
        "is a server running on it? stop it and run the same command again: what is right is kept"
    }
}
