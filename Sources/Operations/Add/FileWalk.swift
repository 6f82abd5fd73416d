import CLinux
import Files
import Vault
import WireFormat

/// A file, directory, link or device that was found, in the order of a catalog.
struct FoundFile {
    let path: Path
    /// As it will stand in the catalog: relative.
    let catalogPath: [UInt8]
    let status: stat
}

/// Walks files and directories depth first, names in order, a directory before what lies in it: in one
/// order each time, so that snapshots can be held against each other.
struct FileWalk {
    private let selection: FileSelection
    private let patterns: [PathPattern]
    private let directories: Directories

    init(_ selection: FileSelection, _ surroundings: Surroundings) {
        self.selection = selection
        patterns = selection.excluded.map { PathPattern($0) }
        directories = Directories(surroundings.systemCalls)
    }

    /// - Parameter problem: told of what cannot be examined or listed; the walk goes on.
    func run(_ body: (FoundFile) throws -> Void, problem: (Path, any Error) -> Void) throws {
        var named = Named(selection.paths.map { Self.catalogPath($0) })
        // A place inside another is saved where the walk through that one comes by; what it does
        // not come by, because it is excluded or on another file system, is walked at last, in an
        // order that has directories before what lies in them.
        func isInside(_ path: Path) -> Bool { named.isInsideAnother(Self.catalogPath(path)) }
        let last = selection.paths.filter(isInside).sorted {
            Self.catalogPath($0).lexicographicallyPrecedes(Self.catalogPath($1))
        }
        let first = selection.paths.filter { !isInside($0) }.sorted {
            ParentFiles.comes(Self.catalogPath($0), before: Self.catalogPath($1))
        }
        for path in first + last {
            let name = Self.catalogPath(path)
            // The same place named twice is saved once.
            guard named.take(name) else { continue }
            guard let status = try directories.status(path) else {
                throw FileError("find", path, code: ENOENT)
            }
            if name.isEmpty {
                try walkInside(path, name, device: status.st_dev, &named, body, problem)
            } else {
                try walk(
                    FoundFile(path: path, catalogPath: name, status: status), device: status.st_dev,
                    &named, body, problem)
            }
        }
    }

    /// The places that were asked for by name, as they will stand in the catalog.
    private struct Named {
        private let all: Set<[UInt8]>
        private var left: Set<[UInt8]>

        init(_ names: [[UInt8]]) {
            all = Set(names)
            left = all
        }

        func contains(_ name: [UInt8]) -> Bool { all.contains(name) }

        func isInsideAnother(_ name: [UInt8]) -> Bool {
            !name.isEmpty
                && (all.contains([])
                    || name.indices.contains {
                        name[$0] == UInt8(ascii: "/") && all.contains(Array(name[..<$0]))
                    })
        }

        /// Whether the walk is still to come by this place.
        mutating func take(_ name: [UInt8]) -> Bool { left.remove(name) != nil }
    }

    private func walk(
        _ found: FoundFile, device: dev_t, _ named: inout Named,
        _ body: (FoundFile) throws -> Void,
        _ problem: (Path, any Error) -> Void
    ) throws {
        try body(found)
        guard found.status.kind == .directory,
            !selection.staysOnFileSystem || found.status.st_dev == device
        else {
            return
        }
        try walkInside(found.path, found.catalogPath, device: device, &named, body, problem)
    }

    private func walkInside(
        _ directory: Path, _ name: [UInt8], device: dev_t, _ named: inout Named,
        _ body: (FoundFile) throws -> Void, _ problem: (Path, any Error) -> Void
    ) throws {
        let names: [Path]
        do {
            names = try directories.names(directory) ?? []
        } catch {
            problem(directory, error)
            return
        }
        for child in names {
            let path = directory / child
            let catalogPath = name.isEmpty ? child.bytes : name + [UInt8(ascii: "/")] + child.bytes
            let isNamed = named.contains(catalogPath)
            // What is named is saved, whatever is excluded.
            let isLeftOut =
                isNamed
                ? !named.take(catalogPath) : patterns.contains(where: { $0.matches(catalogPath) })
            if isLeftOut { continue }
            do {
                // What goes while the walk goes on was not there.
                guard let status = try directories.status(path) else { continue }
                try walk(
                    FoundFile(path: path, catalogPath: catalogPath, status: status),
                    device: isNamed ? status.st_dev : device, &named, body, problem)
            } catch let error as FileError where error.path == path && error.action == "examine" {
                problem(path, error)
            }
        }
    }

    /// The path in the catalog: without a leading slash, `.` and `..`, so that restoring stays
    /// below its target.
    static func catalogPath(_ path: Path) -> [UInt8] {
        var components: [[UInt8]] = []
        for part in path.bytes.split(separator: UInt8(ascii: "/")) {
            let component = Array(part)
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                if !components.isEmpty { components.removeLast() }
                continue
            }
            components.append(component)
        }
        return Array(components.joined(separator: [UInt8(ascii: "/")]))
    }
}
