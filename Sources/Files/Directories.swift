import CLinux

/// Directories and names: what is there, made, removed.
package struct Directories: Sendable {
    package let calls: SystemCalls

    package init(_ calls: SystemCalls) { self.calls = calls }

    /// The status of what stands at `path`, links not followed; nil where nothing does.
    package func status(_ path: Path) throws(FileError) -> stat? {
        var status = stat()
        let result = calls.lstat(path, &status)
        if result == -ENOENT || result == -ENOTDIR { return nil }
        if result < 0 { throw FileError("examine", path, code: -result) }
        return status
    }

    /// The same, links followed.
    package func statusFollowing(_ path: Path) throws(FileError) -> stat? {
        var status = stat()
        let result = calls.stat(path, &status)
        if result == -ENOENT || result == -ENOTDIR { return nil }
        if result < 0 { throw FileError("examine", path, code: -result) }
        return status
    }

    /// The names in a directory, sorted by their bytes; nil where the directory does not exist.
    package func names(_ path: Path) throws(FileError) -> [Path]? {
        switch calls.names(path) {
        case .found(let names): return names.sorted()
        case .failed(-ENOENT): return nil
        case .failed(let code): throw FileError("list", path, code: -code)
        }
    }

    /// Makes a directory and its missing parents, readable by their owner only, each made durable
    /// in its parent.
    package func make(_ path: Path, mode: mode_t = 0o700) throws(FileError) {
        if let status = try statusFollowing(path) {
            guard status.kind == .directory else {
                throw FileError("make the directory", path, code: ENOTDIR)
            }
            return
        }
        let parent = path.parent
        if parent != path { try make(parent, mode: mode) }
        let result = calls.mkdir(path, mode)
        if result < 0 && result != -EEXIST {
            throw FileError("make the directory", path, code: -result)
        }
        try flush(parent)
    }

    /// Makes the entries of a directory durable.
    package func flush(_ path: Path) throws(FileError) {
        let directory = try Descriptor(
            path, flags: repo_directory_flags(), mode: 0, calls: calls, action: "open")
        try directory.flush()
    }

    /// Removes a file; nothing there is no error.
    package func remove(_ path: Path) throws(FileError) {
        let result = calls.unlink(path)
        if result < 0 && result != -ENOENT { throw FileError("remove", path, code: -result) }
    }

    /// Gives `from` the name `to`, taking the place of whatever has it.
    package func rename(_ from: Path, to: Path) throws(FileError) {
        let result = calls.rename(from, to)
        if result < 0 { throw FileError("rename to", to, code: -result) }
    }

    /// Gives `from` the name `to` unless something has it already (`EEXIST`).
    package func renameWithoutReplacing(_ from: Path, to: Path) throws(FileError) {
        var result = calls.renameNoReplace(from, to)
        if result == -EINVAL || result == -ENOSYS {
            // Some network file systems know no such rename: a hard link refuses just as
            // atomically.
            result = calls.link(from, to)
            if result == 0 { try remove(from) }
        }
        if result < 0 { throw FileError("create", to, code: -result) }
    }

    /// The whole of a small file.
    /// - Parameter limit: the most bytes to accept; a larger file is refused with `EFBIG`.
    package func contents(of path: Path, limit: Int) throws(FileError) -> [UInt8] {
        let file = try Descriptor(reading: path, calls: calls)
        var bytes: [UInt8] = []
        // Sized by what arrives, not by what the file says of itself: it may be a pipe.
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try readBlock(file, &block)
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw FileError("read", path, code: EFBIG) }
            bytes += block[..<count]
        }
    }

    private func readBlock(_ file: borrowing Descriptor, _ block: inout [UInt8]) throws(FileError)
        -> Int
    {
        var failure: FileError?
        var count = 0
        block.withUnsafeMutableBytes { buffer in
            do throws(FileError) { count = try file.read(into: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return count
    }
}
