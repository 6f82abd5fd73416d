import CLinux
import Files
import TestSupport

/// What a disk holds after the power went: everything that was flushed, and of the rest what chance
/// left.
///
/// A name is durable once its directory was flushed after it was given; the two halves of a rename
/// are two names. What was written to a file is durable once the file was flushed. No order is kept
/// among what is not durable.
struct Disk {
    /// What becomes of what was not flushed.
    enum Survival: CaseIterable {
        /// The cut came late: all of it is there.
        case all
        case none
        /// Each name by itself is there or not; each sector of a file that was written is as it was,
        /// new, zeros or anything.
        case some
    }

    private(set) var directories: Set<Path> = []
    private(set) var files: [Path: [UInt8]] = [:]

    private static let sectorBytes = 512

    /// - Parameter events: all up to the cut.
    init(
        after events: ArraySlice<Recorder.Event>, _ survival: Survival, _ random: inout SeededRandom
    ) {
        var flushed: [Path: Int] = [:]
        var fileFlushed: [Int: Int] = [:]
        for (place, event) in zip(events.indices, events) {
            switch event {
            case .flushDirectory(let path): flushed[path] = place
            case .flush(let file): fileFlushed[file] = place
            default: continue
            }
        }
        func survives() -> Bool {
            switch survival {
            case .all: true
            case .none: false
            case .some: random.number(0...1) == 1
            }
        }
        var names: [Path: Int] = [:]
        var contents: [Int: [UInt8]] = [:]
        for (place, event) in zip(events.indices, events) {
            func isThere(_ path: Path) -> Bool {
                if let flush = flushed[path.parent], flush > place { return true }
                return survives()
            }
            switch event {
            case .makeDirectory(let path):
                if isThere(path) { directories.insert(path) }
            case .create(let file, let path), .link(let file, let path):
                if isThere(path) { names[path] = file }
            case .rename(let file, let from, let to):
                if isThere(to) { names[to] = file }
                if isThere(from), names[from] == file { names[from] = nil }
            case .remove(let file, let path):
                if isThere(path), names[path] == file { names[path] = nil }
            case .write(let file, let offset, let bytes):
                let isDurable = fileFlushed[file].map { $0 > place } ?? false
                if isDurable || survival == .all {
                    contents[file, default: []].write(bytes, at: offset)
                } else if survival == .some {
                    contents[file, default: []].tear(bytes, at: offset, Self.sectorBytes, &random)
                }
            case .truncate(let file, let length):
                let isDurable = fileFlushed[file].map { $0 > place } ?? false
                if isDurable || survives() {
                    var content = contents[file] ?? []
                    content += repeatElement(0, count: max(0, length - content.count))
                    contents[file] = Array(content.prefix(length))
                }
            case .flush, .flushDirectory, .said: continue
            }
        }
        for (path, file) in names { files[path] = contents[file] ?? [] }
    }

    /// Makes the files of it, as far as they can be reached.
    /// - Parameters:
    ///   - root: what was watched.
    ///   - place: an empty directory.
    func write(of root: Path, to place: Path) throws {
        func moved(_ path: Path) -> Path {
            Path(bytes: place.bytes + path.bytes.dropFirst(root.bytes.count))
        }
        let kernel = SystemCalls.kernel
        var reached: Set<Path> = [root]
        for path in directories.sorted() where reached.contains(path.parent) {
            reached.insert(path)
            guard kernel.mkdir(moved(path), 0o700) == 0 else { throw FileError("make", path, code: EIO) }
        }
        for (path, bytes) in files where reached.contains(path.parent) {
            try bytes.withUnsafeBytes {
                try Directories(kernel).create(moved(path), $0, durable: false)
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func write(_ bytes: some Collection<UInt8>, at offset: Int) {
        let end = offset + bytes.count
        if count < end { self += repeatElement(0, count: end - count) }
        replaceSubrange(offset..<end, with: bytes)
    }

    /// Writes bytes of which only some sectors reach the disk.
    fileprivate mutating func tear(
        _ bytes: [UInt8], at offset: Int, _ sectorBytes: Int, _ random: inout SeededRandom
    ) {
        var start = 0
        while start < bytes.count {
            // Sectors are those of the file.
            let end = Swift.min(
                bytes.count, (offset + start) / sectorBytes * sectorBytes + sectorBytes - offset)
            switch random.number(0...7) {
            case 0...2: write(bytes[start..<end], at: offset + start)
            case 3: write([UInt8](repeating: 0, count: end - start), at: offset + start)
            case 4: write(random.bytes(end - start), at: offset + start)
            default: break
            }
            start = end
        }
    }
}
