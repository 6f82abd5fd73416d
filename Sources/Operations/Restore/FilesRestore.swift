import CLinux
import Files
import Snapshots
import Vault
import WireFormat

/// Restores files and directories below a directory. It follows no link, and leaves nothing
/// existing overwritten unasked.
struct FilesRestore {
    private let request: RestoreRequest
    private let reader: SnapshotReader
    private let surroundings: Surroundings
    private let directories: Directories
    private let patterns: [PathPattern]
    private let isRoot: Bool

    private(set) var bytes = 0
    private(set) var count = 0
    private(set) var notes: [String] = []
    private var notesLeft = 100
    /// Directories whose times and modes are set last: what is made in them would change the times.
    private var made: [CatalogEntry] = []
    private var lastParent: Path?
    /// Of files that are not wanted under their first name but under another: the name that gets
    /// the content.
    private var heirs: [[UInt8]: [UInt8]] = [:]
    /// Where the next byte of the data stream belongs, and what is left of the part that holds it.
    private var rest: StreamPart?

    init(_ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings) {
        self.request = request
        self.reader = reader
        self.surroundings = surroundings
        directories = Directories(surroundings.systemCalls)
        patterns = request.include.map { PathPattern($0) }
        isRoot = geteuid() == 0
    }

    consuming func run() throws -> FilesRestore {
        var run = self
        try run.restore()
        return run
    }

    private mutating func restore() throws {
        try directories.make(request.target, mode: 0o755)
        if !patterns.isEmpty { try findHeirs() }
        var catalog = try catalog()
        let data = try reader.manifest.stream(.data).map { try reader.read($0) }
        let total = reader.manifest.stream(.data)?.byteCount
        while let entry = try catalog.next() {
            if isWanted(entry.path) {
                // An heir has its content already.
                if entry.hardLink.flatMap({ heirs[$0] }) != entry.path { try make(entry, data) }
            } else if let heir = heirs[entry.path] {
                var renamed = entry
                renamed.path = heir
                try make(renamed, data)
            } else {
                try skip(entry.byteCount, data)
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
        for entry in made.reversed() {
            try setAttributes(entry, request.target / Path(bytes: entry.path))
        }
    }

    private func catalog() throws -> CatalogReader {
        CatalogReader(try reader.read(try reader.stream(.catalog)), snapshot: reader.snapshot)
    }

    private func isWanted(_ path: [UInt8]) -> Bool {
        patterns.isEmpty || patterns.contains { $0.matches(path) }
    }

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
        let path = request.target / Path(bytes: entry.path)
        try makeParent(path.parent)
        let standing = try directories.status(path)
        if let standing, !(entry.kind == FileKind.directory.rawValue && standing.kind == .directory)
        {
            guard request.overwrite, standing.kind != .directory else {
                throw OperationError.alreadyThere("\(path)")
            }
            try directories.remove(path)
        }
        count += 1
        if let link = entry.hardLink {
            let first = Path(bytes: heirs[link] ?? link)
            let result = surroundings.systemCalls.link(request.target / first, path)
            if result < 0 { throw FileError("link", path, code: -result) }
            return
        }
        switch FileKind(rawValue: entry.kind) {
        case .directory:
            if standing == nil {
                let result = surroundings.systemCalls.mkdir(path, 0o700)
                if result < 0 { throw FileError("make the directory", path, code: -result) }
            }
            made.append(entry)
            return
        case .file:
            if entry.reservation == .unreadable {
                note("\(Path(bytes: entry.path)) could not be read when it was saved")
                // What could be read of it stands in the stream, and belongs to no other file.
                if entry.byteCount == 0 { return }
            }
            try writeFile(entry, path, data)
        case .symbolicLink:
            let result = surroundings.systemCalls.symlink(Path(bytes: entry.linkTarget ?? []), path)
            if result < 0 { throw FileError("make the link", path, code: -result) }
        default:
            let device = entry.special.map { repo_device($0.major, $0.minor) } ?? 0
            let result = surroundings.systemCalls.makeNode(path, nodeMode(entry), device)
            note(result, "make", path)
            if result < 0 { return }
        }
        try setAttributes(entry, path)
    }

    private func nodeMode(_ entry: CatalogEntry) -> mode_t {
        let type: Int32 =
            switch FileKind(rawValue: entry.kind) {
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            case .socket: S_IFSOCK
            default: S_IFIFO
            }
        return mode_t(type) | 0o600
    }

    /// Makes the directory something goes into, and makes sure that it is one: a link there could
    /// lead anywhere.
    private mutating func makeParent(_ parent: Path) throws {
        guard parent != lastParent else { return }
        if parent != request.target {
            try makeParent(parent.parent)
            if let status = try directories.status(parent) {
                guard status.kind == .directory else {
                    throw FileError("restore below", parent, code: ENOTDIR)
                }
            } else {
                let result = surroundings.systemCalls.mkdir(parent, 0o755)
                if result < 0 { throw FileError("make the directory", parent, code: -result) }
            }
        }
        lastParent = parent
    }

    private mutating func writeFile(_ entry: CatalogEntry, _ path: Path, _ data: StreamReader?)
        throws
    {
        var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
        let output = Output(file.number, path: path, isSparse: true, surroundings)
        try take(entry.byteCount, data) { try output.write($0) }
        try output.finish()
        try file.close()
        bytes += entry.byteCount
    }

    private mutating func skip(_ count: Int, _ data: StreamReader?) throws {
        try take(count, data) { _ in }
    }

    /// Hands the next `count` bytes of the data stream to `body`.
    private mutating func take(
        _ count: Int, _ data: StreamReader?, _ body: (StreamPart) throws -> Void
    ) throws {
        var left = count
        while left > 0 {
            guard let part = try rest ?? data?.part() else {
                throw WireError.malformed(
                    "the data of snapshot \(reader.snapshot.id.short) ends before its files do")
            }
            rest = nil
            if part.count <= left {
                try body(part)
                left -= part.count
            } else {
                let (now, later) = part.split(at: left)
                try body(now)
                rest = later
                left = 0
            }
        }
    }

    /// Owner first (it clears set-user-id bits), then attributes, mode and time.
    private mutating func setAttributes(_ entry: CatalogEntry, _ path: Path) throws {
        let calls = surroundings.systemCalls
        if isRoot {
            note(calls.changeOwner(path, owner(entry), group(entry)), "set the owner of", path)
        }
        for attribute in entry.attributes {
            let name = String(decoding: attribute.name, as: UTF8.self)
            let result = attribute.value.withUnsafeBytes { value in
                // An empty value still needs an address.
                withUnsafeBytes(of: 0) {
                    calls.setAttribute(
                        path, name, value.baseAddress ?? $0.baseAddress!, value.count)
                }
            }
            note(result, "set the attribute \(name) of", path)
        }
        if entry.kind != FileKind.symbolicLink.rawValue {
            note(calls.changeMode(path, mode_t(entry.mode)), "set the mode of", path)
        }
        if let modified = entry.modified {
            let result = calls.setTimes(path, modified.seconds, Int64(modified.nanoseconds))
            note(result, "set the time of", path)
        }
    }

    /// Names win over numbers where this machine knows the name: a restore may come to another
    /// machine.
    private func owner(_ entry: CatalogEntry) -> uid_t {
        guard !entry.userName.isEmpty else { return entry.user }
        return getpwnam(String(decoding: entry.userName, as: UTF8.self))?.pointee.pw_uid
            ?? entry.user
    }

    private func group(_ entry: CatalogEntry) -> gid_t {
        guard !entry.groupName.isEmpty else { return entry.group }
        return getgrnam(String(decoding: entry.groupName, as: UTF8.self))?.pointee.gr_gid
            ?? entry.group
    }

    /// Notes a system call that failed; the restore goes on.
    private mutating func note(_ result: Int32, _ action: String, _ path: Path) {
        if result < 0 { note(FileError(action, path, code: -result).message) }
    }

    private mutating func note(_ text: String) {
        notesLeft -= 1
        if notesLeft > 0 { notes.append(text) }
    }
}
