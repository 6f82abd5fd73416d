import CLinux
import Files
import WireFormat

/// The directory of the runs' files. Several processes may use it at once: nobody locks, files
/// appear whole under random names and are never changed, and whoever has a file open keeps it when
/// its name goes.
struct RunDirectory: Sendable {
    private let path: Path
    private let calls: SystemCalls
    private let directories: Directories
    private let randomBytes: @Sendable (Int) -> [UInt8]

    // The digit is the format's version: a program with another leaves these files alone.
    private static let runPrefix = "run3-"
    private static let partPrefix = "part3-"
    private static let randomByteCount = 16
    // A file being written is touched all the time: a day old, its writer is dead.
    private static let partSecondsMax = 86_400
    private static let listingsMax = 8

    /// Makes the directory where it is missing.
    init(_ path: Path, calls: SystemCalls, randomBytes: @escaping @Sendable (Int) -> [UInt8])
        throws(FileError)
    {
        self.path = path
        self.calls = calls
        directories = Directories(calls)
        self.randomBytes = randomBytes
        try directories.make(path)
    }

    /// Opens the sound runs, newest first. Damaged ones are removed; what cannot be opened is
    /// passed over.
    /// - Parameter entryBytesMax: the most bytes of entries to map in all; the smallest runs come
    ///   first.
    func open(entryBytesMax: Int) throws(FileError) -> [Run] {
        var runs: [Run] = []
        for _ in 0..<Self.listingsMax {
            var left = entryBytesMax
            var hasLost = false
            runs = []
            for name in try namesBySize() {
                switch open(name, entryBytesMax: left) {
                case .sound(let run):
                    left -= run.mappedEntryBytes
                    runs.append(run)
                case .damaged: try? directories.remove(path / name)
                case .lost: hasLost = true
                case .unreadable: break
                }
            }
            // Another process has just merged what was listed: its new run is in the next listing.
            if !hasLost { break }
        }
        return runs.sorted {
            if $0.header.sequence != $1.header.sequence {
                return $0.header.sequence > $1.header.sequence
            }
            return ($0.name ?? "") < ($1.name ?? "")
        }
    }

    /// Makes a run of what `fill` writes, and takes it up under its name once it is durable; nil
    /// where `fill` returns false: then nothing is left behind.
    func make(
        entryBytesMax: Int, _ fill: (any RunSink) throws(FileError) -> Bool
    ) throws(FileError) -> Run? {
        let random = hexadecimal(randomBytes(Self.randomByteCount))
        let (name, part) = (Path(Self.runPrefix + random), path / (Self.partPrefix + random))
        do throws(FileError) {
            guard let modified = try write(part, fill) else {
                try? directories.remove(part)
                return nil
            }
            removeForsaken(before: modified - Self.partSecondsMax)
            // Opened before it has its name: what cannot be read back is not offered to others.
            let file = try Descriptor(reading: part, calls: calls)
            guard let run = try Run(file: file, name: name, entryBytesMax: entryBytesMax) else {
                throw FileError("read back", part, code: EIO)
            }
            try directories.renameWithoutReplacing(part, to: path / name)
            do throws(FileError) {
                try directories.flush(path)
            } catch {
                try? directories.remove(path / name)
                throw error
            }
            return run
        } catch {
            try? directories.remove(part)
            throw error
        }
    }

    /// Removes the run's file. Whoever has it open keeps it.
    func remove(_ run: Run) throws(FileError) {
        if let name = run.name { try directories.remove(path / name) }
    }

    // MARK: Inside

    private enum Opened {
        case sound(Run)
        case damaged
        case lost
        case unreadable
    }

    private func open(_ name: Path, entryBytesMax: Int) -> Opened {
        do throws(FileError) {
            let file = try Descriptor(reading: path / name, calls: calls)
            guard let run = try Run(file: file, name: name, entryBytesMax: entryBytesMax) else {
                return .damaged
            }
            return .sound(run)
        } catch {
            return error.code == ENOENT ? .lost : .unreadable
        }
    }

    /// The names of what may be runs, smallest file first.
    private func namesBySize() throws(FileError) -> [Path] {
        var found: [(size: Int64, name: Path)] = []
        for name in try directories.names(path) ?? [] where Self.has(Self.runPrefix, name) {
            guard let status = try? directories.status(path / name) else {
                // Perhaps it has just gone: opening it will tell.
                found.append((0, name))
                continue
            }
            if status.kind == .file { found.append((Int64(status.st_size), name)) }
        }
        return found.sorted { $0.size == $1.size ? $0.name < $1.name : $0.size < $1.size }.map(
            \.name)
    }

    /// Writes a new file and returns when it was last modified, by the file system's clock.
    private func write(
        _ path: Path, _ fill: (any RunSink) throws(FileError) -> Bool
    ) throws(FileError) -> Int? {
        let sink = FileSink(try Descriptor(creating: path, calls: calls))
        guard try fill(sink) else { return nil }
        return try sink.close()
    }

    /// Removes what processes that died while writing have left.
    private func removeForsaken(before seconds: Int) {
        for name in (try? directories.names(path)) ?? [] where Self.has(Self.partPrefix, name) {
            guard let status = try? directories.status(path / name), status.st_mtim.tv_sec < seconds
            else { continue }
            try? directories.remove(path / name)
        }
    }

    private static func has(_ prefix: String, _ name: Path) -> Bool {
        name.bytes.starts(with: prefix.utf8)
    }
}

/// A new run's file.
private final class FileSink: RunSink {
    private var file: Descriptor

    init(_ file: consuming Descriptor) { self.file = file }

    func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        try bytes.withUnsafeBytes { (bytes) throws(FileError) in try file.write(bytes, at: offset) }
    }

    /// Returns, once all is durable, the second in which the file was last modified.
    func close() throws(FileError) -> Int {
        try file.flush()
        let status = try file.status()
        try file.close()
        return status.st_mtim.tv_sec
    }
}
