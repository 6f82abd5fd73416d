import CLinux
import Files
import Vault
import WireFormat

/// Makes files, directories, links and devices below a directory. It follows no link, and leaves
/// nothing existing overwritten unasked.
struct FileMaker {
    /// No system takes a longer one.
    private static let pathBytesMax = 4096

    private let target: Path
    private let overwrites: Bool
    private let surroundings: Surroundings
    private let directories: Directories
    private let isRoot: Bool

    private(set) var count = 0
    private(set) var notes: [String] = []
    private var notesLeft = 100
    /// Directories whose times and modes are set last: what is made in them would change the times.
    private var made: [CatalogEntry] = []
    private var lastParent: Path?

    init(_ target: Path, overwrites: Bool, _ surroundings: Surroundings) {
        self.target = target
        self.overwrites = overwrites
        self.surroundings = surroundings
        directories = Directories(surroundings.systemCalls)
        isRoot = geteuid() == 0
    }

    func makeTarget() throws { try directories.make(target, mode: 0o755) }

    /// Makes what an entry says, all but the content of a file.
    /// - Returns: what still needs its attributes, and a file its content; nil where nothing does.
    mutating func make(_ entry: CatalogEntry) throws -> Path? {
        let path = target / Path(bytes: entry.path)
        guard entry.path.count <= Self.pathBytesMax else {
            throw FileError(
                "restore", Path(bytes: Array(entry.path.prefix(200))), code: ENAMETOOLONG)
        }
        try makeParent(path.parent)
        let standing = try directories.status(path)
        if let standing, !(entry.kind == FileKind.directory.rawValue && standing.kind == .directory)
        {
            guard overwrites, standing.kind != .directory else {
                throw OperationError.alreadyThere("\(path)")
            }
            try directories.remove(path)
        }
        count += 1
        if let link = entry.hardLink {
            let result = surroundings.systemCalls.link(target / Path(bytes: link), path)
            if result < 0 { throw FileError("link", path, code: -result) }
            return nil
        }
        switch FileKind(rawValue: entry.kind) {
        case .directory:
            if standing == nil {
                let result = surroundings.systemCalls.mkdir(path, 0o700)
                if result < 0 { throw FileError("make the directory", path, code: -result) }
            }
            made.append(entry)
            return nil
        case .file:
            if entry.reservation == .unreadable {
                note("\(Path(bytes: entry.path)) could not be read when it was saved")
                // What could be read of it stands in the stream, and belongs to no other file.
                if entry.byteCount == 0 { return nil }
            }
        case .symbolicLink:
            let result = surroundings.systemCalls.symlink(Path(bytes: entry.linkTarget ?? []), path)
            if result < 0 { throw FileError("make the link", path, code: -result) }
        default:
            let device = entry.special.map { repo_device($0.major, $0.minor) } ?? 0
            let result = surroundings.systemCalls.makeNode(path, nodeMode(entry), device)
            note(result, "make", path)
            if result < 0 { return nil }
        }
        return path
    }

    /// Gives directories their attributes.
    mutating func finish() throws {
        for entry in made.reversed() {
            try setAttributes(entry, target / Path(bytes: entry.path))
        }
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
        if parent != target {
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

    /// Owner first (it clears set-user-id bits), then attributes, mode and time.
    mutating func setAttributes(_ entry: CatalogEntry, _ path: Path) throws {
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

    mutating func note(_ text: String) {
        notesLeft -= 1
        if notesLeft > 0 { notes.append(text) }
    }
}
