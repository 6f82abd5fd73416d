import CLinux
import Faults
import Files
import WireFormat

/// Objects as files below a directory.
///
/// An object is written under `tmp/`, flushed, and renamed to its name without replacing anything,
/// so that a name never shows half an object; then its directory is flushed.
package struct DirectoryStore: ObjectStore {
    package let root: Path
    private let calls: SystemCalls
    private let directories: Directories
    private let randomBytes: @Sendable (Int) throws -> [UInt8]
    private let isDurable: Bool

    /// - Parameter isDurable: false for a cache, where nothing is lost that cannot be had again.
    package init(
        _ root: Path, calls: SystemCalls, randomBytes: @escaping @Sendable (Int) throws -> [UInt8],
        isDurable: Bool = true
    ) {
        self.isDurable = isDurable
        self.root = root
        self.calls = calls
        directories = Directories(calls)
        self.randomBytes = randomBytes
    }

    package var location: String { "\(root)" }
    package var isNear: Bool { true }

    private func path(_ name: ObjectName) -> Path { root / name.description }

    package func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        switch name {
        case .tombstone, .record: try withReserve { try create(name, bytes) }
        default: try create(name, bytes)
        }
    }

    private func create(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        let temporary = root / "tmp" / hexadecimal(try randomBytes(ObjectID.byteCount))
        try directories.make(root / "tmp")
        do {
            try directories.create(temporary, bytes, durable: isDurable)
        } catch {
            // A file that has this name already is somebody else's.
            if error.code != EEXIST { try? directories.remove(temporary) }
            throw error
        }
        do {
            try place(temporary, as: name)
        } catch {
            // What failed is told; that the remains cannot be removed either would only hide it.
            try? directories.remove(temporary)
            throw error
        }
    }

    /// Gives a file the name of an object, if nothing has it.
    private func place(_ file: Path, as name: ObjectName) throws {
        let target = path(name)
        try directories.make(target.parent)
        do {
            try directories.renameWithoutReplacing(file, to: target)
        } catch {
            if error.code == EEXIST { throw StorageError.exists(name) }
            throw error
        }
        if isDurable { try directories.flush(target.parent) }
    }

    package func byteCount(of name: ObjectName) throws -> Int? {
        try directories.status(path(name)).map { Int($0.st_size) }
    }

    package func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        do {
            return try Descriptor(reading: path(name), calls: calls).read(at: offset, into: buffer)
        } catch {
            if error.code == ENOENT { throw StorageError.missing(name) }
            throw error
        }
    }

    package func list(_ folder: Folder) throws -> [StoredObject] {
        var found: [StoredObject] = []
        try walk(Path(folder.path), into: &found)
        return found
    }

    private func walk(_ relative: Path, into found: inout [StoredObject]) throws {
        for name in try directories.names(root / relative) ?? [] {
            let child = relative / name
            // A file that goes while it is listed was not there.
            guard let status = try directories.status(root / child) else { continue }
            switch status.kind {
            case .directory: try walk(child, into: &found)
            case .file:
                guard let name = ObjectName(child.description) else { continue }
                found.append(
                    StoredObject(
                        name: name, byteCount: Int(status.st_size), modified: status.modified))
            default: continue
            }
        }
    }

    /// A file on a bad sector can be renamed where it cannot be copied.
    package func rename(_ name: ObjectName, to other: ObjectName) throws {
        do { try place(path(name), as: other) } catch let error as FileError
            where error.code == ENOENT
        {
            throw StorageError.missing(name)
        }
        if isDurable { try directories.flush(path(name).parent) }
    }

    package func remove(_ name: ObjectName) throws {
        try directories.remove(path(name))
        if isDurable, try directories.status(path(name).parent) != nil {
            try directories.flush(path(name).parent)
        }
    }
}

extension stat {
    /// Milliseconds since 1970.
    fileprivate var modified: Int64 {
        Int64(st_mtim.tv_sec) * 1000 + Int64(st_mtim.tv_nsec) / 1_000_000
    }
}

extension DirectoryStore {
    private var temporaries: Path { root / "tmp" }

    /// The file system's clock: that of a server, where it is mounted from one.
    package func now() throws -> Int64 { try withReserve { try modifiedNow() } }

    private func modifiedNow() throws -> Int64 {
        try directories.make(temporaries)
        let probe = temporaries / hexadecimal(try randomBytes(ObjectID.byteCount))
        var file = try Descriptor(creating: probe, calls: calls)
        defer { try? directories.remove(probe) }
        let now = try file.status().modified
        try file.close()
        return now
    }

    package func removeRemains(before time: Int64) throws -> Int {
        var byteCount = 0
        for name in try directories.names(temporaries) ?? [] {
            guard name != Self.reserveName,
                let status = try directories.status(temporaries / name), status.kind == .file,
                status.modified < time
            else { continue }
            try directories.remove(temporaries / name)
            byteCount += Int(status.st_size)
        }
        return byteCount
    }

    private static let reserveName: Path = "reserve"
    /// Some thirty tombstones and records, a block each: with every snapshot that goes there is more.
    private static let reserveBytes = 128 << 10

    private var reserve: Path { temporaries / Self.reserveName }

    package func makeReserve() {
        guard isDurable else { return }
        let bytes = Self.noise
        // Where there is less room, less is kept.
        for byteCount in [bytes.count, bytes.count / 4, bytes.count / 16] {
            do {
                if let status = try directories.status(reserve) {
                    guard status.st_size < byteCount else { return }
                    try directories.remove(reserve)
                }
                try directories.make(temporaries)
                return try bytes.withUnsafeBytes {
                    try directories.create(
                        reserve, UnsafeRawBufferPointer(rebasing: $0[..<byteCount]), durable: true)
                }
            } catch {
                try? directories.remove(reserve)
            }
        }
    }

    /// Bytes that no file system makes shorter.
    private static var noise: [UInt8] {
        var state: UInt64 = 1
        return (0..<reserveBytes).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
    }

    /// Where there is no room the reserve goes, and it is tried once more, also where another thread has
    /// taken it.
    private func withReserve<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as FileError where error.isForRoom {
            try? directories.remove(reserve)
            // It may have its name already, where only the flush of its directory failed.
            do { return try body() } catch StorageError.exists { throw error }
        }
    }

    /// Whether a new repository may be made here: nothing there, or an empty directory.
    package func isFree() throws -> Bool {
        guard let status = try directories.statusFollowing(root) else { return true }
        guard status.kind == .directory else { return false }
        return try (directories.names(root) ?? []).isEmpty
    }
}
