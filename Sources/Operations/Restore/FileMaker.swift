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

    /// Whether what stands there already stays where it is of the right kind: what it holds is compared
    /// later. A file is made of the right length.
    var keepsWhatFits = false
    /// Whether a directory may go that stands where something else belongs.
    var removesTrees = false
    /// Kept files that have several names: one that belongs to two files is parted.
    private var kept: Set<[UInt64]> = []

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

    func makeTarget(mode: mode_t = 0o755) throws { try directories.make(target, mode: mode) }

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
            if keepsWhatFits, try fits(standing, entry, path) {
                count += 1
                if entry.hardLink != nil { return nil }
                if standing.kind == .file { try resize(path, standing, to: entry.byteCount) }
                return path
            }
            guard overwrites, removesTrees || standing.kind != .directory else {
                throw OperationError.alreadyThere("\(path)")
            }
            try removeTree(path)
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
            if keepsWhatFits {
                var file = try Descriptor(creating: path, calls: surroundings.systemCalls)
                if entry.byteCount > 0 { try file.truncate(to: entry.byteCount) }
                try file.close()
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

    /// Whether what stands there is what the entry says, but for content and attributes.
    private mutating func fits(_ standing: stat, _ entry: CatalogEntry, _ path: Path) throws -> Bool {
        if let link = entry.hardLink {
            let first = try directories.status(target / Path(bytes: link))
            return first?.st_ino == standing.st_ino && first?.st_dev == standing.st_dev
        }
        guard standing.kind.rawValue == entry.kind else { return false }
        switch standing.kind {
        case .file:
            let inode = [UInt64(standing.st_dev), UInt64(standing.st_ino)]
            return standing.st_nlink == 1 || kept.insert(inode).inserted
        case .symbolicLink:
            var bytes = [CChar](repeating: 0, count: 4096)
            let count = surroundings.systemCalls.readlink(path, &bytes, bytes.count)
            let wanted = (entry.linkTarget ?? []).map { CChar(bitPattern: $0) }
            return count >= 0 && bytes[..<count].elementsEqual(wanted)
        case .characterDevice, .blockDevice:
            return entry.special.map { repo_device($0.major, $0.minor) } == standing.st_rdev
        default: return true
        }
    }

    private func resize(_ path: Path, _ standing: stat, to byteCount: Int) throws {
        if !isRoot, standing.st_mode & 0o600 != 0o600 {
            // Our own, though we may not write it: its mode is set at the end.
            _ = surroundings.systemCalls.changeMode(path, standing.st_mode & 0o777 | 0o600)
        }
        guard Int(standing.st_size) != byteCount else { return }
        var file = try Descriptor(changing: path, calls: surroundings.systemCalls)
        try file.truncate(to: byteCount)
        try file.close()
    }

    /// Removes what stands at a path, with all that lies in it; follows no link.
    func removeTree(_ path: Path) throws {
        guard try directories.status(path)?.kind == .directory else {
            return try directories.remove(path)
        }
        for name in try directories.names(path) ?? [] { try removeTree(path / name) }
        let result = surroundings.systemCalls.rmdir(path)
        if result < 0 { throw FileError("remove", path, code: -result) }
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
