import Files
import Vault
import WireFormat

/// The paths of a snapshot.
struct KnownPaths {
    enum Kind {
        case directory, other
        /// A directory of which the snapshot says nothing, but that something of it lies in it.
        case way
    }

    private var kinds: [PathName: Kind] = [:]

    mutating func add(_ entry: CatalogEntry) {
        kinds[PathName(entry.path)] =
            entry.kind == FileKind.directory.rawValue ? .directory : .other
        for end in entry.path.indices where entry.path[end] == UInt8(ascii: "/") {
            let parent = PathName(entry.path[..<end])
            if kinds[parent] == nil { kinds[parent] = .way }
        }
    }

    func kind(of path: [UInt8]) -> Kind? { kinds[PathName(path)] }
}

/// Finds what stands in the directories of a snapshot and is not of it.
struct ExtraFiles {
    private let target: Path
    private let known: KnownPaths
    private let isWhole: Bool
    private let directories: Directories

    /// - Parameter isWhole: whether the target itself is the snapshot's: an archive is unpacked into it,
    ///   files may lie far below it.
    init(_ target: Path, _ known: KnownPaths, isWhole: Bool, _ surroundings: Surroundings) {
        self.target = target
        self.known = known
        self.isWhole = isWhole
        directories = Directories(surroundings.systemCalls)
    }

    /// The topmost of them, in order.
    func find() throws -> [Path] {
        var extras: [Path] = []
        try look(below: [], isOwn: isWhole, &extras)
        return extras
    }

    /// - Parameter isOwn: whether the directory is the snapshot's, so that all in it should be.
    private func look(below path: [UInt8], isOwn: Bool, _ extras: inout [Path]) throws {
        let directory = path.isEmpty ? target : target / Path(bytes: path)
        for name in try directories.names(directory) ?? [] {
            let child = path.isEmpty ? name.bytes : path + [UInt8(ascii: "/")] + name.bytes
            switch known.kind(of: child) {
            case .directory: try look(below: child, isOwn: true, &extras)
            case .way: try look(below: child, isOwn: isWhole, &extras)
            case .other: continue
            case nil: if isOwn { extras.append(target / Path(bytes: child)) }
            }
        }
    }
}
