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

/// Walks files and directories depth first, names in order, a directory before what lies in it.
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
        var seen: Set<[UInt8]> = []
        for path in selection.paths {
            let name = Self.catalogPath(path)
            // The same place named twice, or a place inside another, is saved once.
            guard seen.insert(name).inserted else { continue }
            guard let status = try directories.status(path) else {
                throw FileError("find", path, code: ENOENT)
            }
            if name.isEmpty {
                try walkInside(path, name, device: status.st_dev, &seen, body, problem)
            } else {
                try walk(
                    FoundFile(path: path, catalogPath: name, status: status), device: status.st_dev,
                    &seen, body, problem)
            }
        }
    }

    private func walk(
        _ found: FoundFile, device: dev_t, _ seen: inout Set<[UInt8]>,
        _ body: (FoundFile) throws -> Void,
        _ problem: (Path, any Error) -> Void
    ) throws {
        try body(found)
        guard found.status.kind == .directory,
            !selection.staysOnFileSystem || found.status.st_dev == device
        else {
            return
        }
        try walkInside(found.path, found.catalogPath, device: device, &seen, body, problem)
    }

    private func walkInside(
        _ directory: Path, _ name: [UInt8], device: dev_t, _ seen: inout Set<[UInt8]>,
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
            if patterns.contains(where: { $0.matches(catalogPath) }) || seen.contains(catalogPath) {
                continue
            }
            do {
                // What goes while the walk goes on was not there.
                guard let status = try directories.status(path) else { continue }
                try walk(
                    FoundFile(path: path, catalogPath: catalogPath, status: status), device: device,
                    &seen, body,
                    problem)
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
