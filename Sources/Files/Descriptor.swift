import CLinux

/// An open file, closed when it goes out of scope.
package struct Descriptor: ~Copyable, Sendable {
    /// Negative once closed.
    package private(set) var number: Int32
    package let path: Path
    private let calls: SystemCalls

    /// Adopts an open descriptor.
    package init(adopting number: Int32, path: Path, calls: SystemCalls) {
        self.number = number
        self.path = path
        self.calls = calls
    }

    /// Opens for reading.
    package init(reading path: Path, calls: SystemCalls) throws(FileError) {
        try self.init(path, flags: repo_read_flags(), mode: 0, calls: calls, action: "open")
    }

    /// Opens a file that is there for writing; follows no link.
    package init(writing path: Path, calls: SystemCalls) throws(FileError) {
        try self.init(path, flags: repo_write_flags(), mode: 0, calls: calls, action: "open")
    }

    /// Opens a file that is there for reading and writing; follows no link.
    package init(changing path: Path, calls: SystemCalls) throws(FileError) {
        try self.init(path, flags: repo_change_flags(), mode: 0, calls: calls, action: "open")
    }

    /// Creates a new file, readable by its owner only; fails where something stands there already.
    package init(creating path: Path, mode: mode_t = 0o600, calls: SystemCalls) throws(FileError) {
        try self.init(
            path, flags: repo_create_exclusive_flags(), mode: mode, calls: calls, action: "create")
    }

    package init(_ path: Path, flags: Int32, mode: mode_t, calls: SystemCalls, action: String)
        throws(FileError)
    {
        let number = retrying { Int(calls.open(path, flags, mode)) }
        guard number >= 0 else { throw FileError(action, path, code: Int32(-number)) }
        self.init(adopting: Int32(number), path: path, calls: calls)
    }

    deinit { if number >= 0 { _ = calls.close(number) } }

    /// Closes and reports what the kernel has to say about it: a network file system tells a failed
    /// write only here.
    package mutating func close() throws(FileError) {
        let result = calls.close(number)
        number = -1
        // After EINTR the descriptor is gone on Linux; closing again could close somebody else's.
        if result < 0 && result != -EINTR { throw FileError("close", path, code: -result) }
    }

    /// Lets go of the open descriptor: closing it is the caller's business now.
    package mutating func release() -> Int32 {
        defer { number = -1 }
        return number
    }

    /// Reads what is there, up to the buffer's size; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        let count = retrying { calls.read(number, base, buffer.count) }
        guard count >= 0 else { throw FileError("read", path, code: Int32(-count)) }
        guard count <= buffer.count else { throw FileError("read", path, code: EIO) }
        return count
    }

    /// Reads from `offset` until the buffer is full or the file ends; returns the number of bytes
    /// read.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError)
        -> Int
    {
        var done = 0
        while done < buffer.count {
            let count = retrying {
                calls.pread(
                    number, buffer.baseAddress! + done, buffer.count - done, Int64(offset + done))
            }
            guard count >= 0 else { throw FileError("read", path, code: Int32(-count)) }
            if count == 0 { break }
            guard count <= buffer.count - done else { throw FileError("read", path, code: EIO) }
            done += count
        }
        return done
    }

    /// Writes all of `bytes` where the file stands.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                calls.write(number, bytes.baseAddress! + done, bytes.count - done)
            }
            guard count > 0, count <= bytes.count - done else {
                throw FileError("write", path, code: count < 0 ? Int32(-count) : EIO)
            }
            done += count
        }
    }

    /// Writes all of `bytes` where the file stands, at a multiple of 4 KiB, and past the page cache
    /// where that can be: what is there is what the database needs tomorrow, which a backup should
    /// not push out.
    package func writePastCache(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var done = 0
        if Int(bitPattern: bytes.baseAddress) % Self.blockBytes == 0,
            calls.setDirect(number, true) == 0
        {
            defer { _ = calls.setDirect(number, false) }
            let whole = bytes.count / Self.blockBytes * Self.blockBytes
            while done < whole {
                let count = retrying {
                    calls.write(number, bytes.baseAddress! + done, whole - done)
                }
                // A file system may allow it and refuse it then, or want larger blocks.
                if count == -Int(EINVAL) { break }
                guard count > 0, count <= whole - done else {
                    throw FileError("write", path, code: count < 0 ? Int32(-count) : EIO)
                }
                done += count
                if !count.isMultiple(of: Self.blockBytes) { break }
            }
        }
        try write(UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }

    private static let blockBytes = 4096

    /// Writes all of `bytes` at `offset`.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                calls.pwrite(
                    number, bytes.baseAddress! + done, bytes.count - done, Int64(offset + done))
            }
            guard count > 0, count <= bytes.count - done else {
                throw FileError("write", path, code: count < 0 ? Int32(-count) : EIO)
            }
            done += count
        }
    }

    /// Returns when everything written is durable. A failure is final: the pages that failed may be
    /// gone, so the file must be given up, never flushed again.
    package func flush() throws(FileError) {
        let result = calls.fsync(number)
        if result < 0 { throw FileError("flush", path, code: -result) }
    }

    /// Cuts or extends the file to `length` bytes.
    package func truncate(to length: Int) throws(FileError) {
        let result = retrying { Int(calls.truncate(number, Int64(length))) }
        if result < 0 { throw FileError("truncate", path, code: Int32(-result)) }
    }

    package func status() throws(FileError) -> stat {
        var status = stat()
        let result = calls.fstat(number, &status)
        if result < 0 { throw FileError("examine", path, code: -result) }
        return status
    }

    /// The offset of the next data or hole (`SEEK_DATA`, `SEEK_HOLE`) at or after `offset`; nil
    /// past the last.
    package func seek(_ whence: Int32, from offset: Int) throws(FileError) -> Int? {
        let result = calls.seek(number, Int64(offset), whence)
        if result == -Int(ENXIO) { return nil }
        guard result >= 0 else { throw FileError("seek in", path, code: Int32(-result)) }
        return result
    }
}

/// Makes the call again for as long as a signal interrupts it.
@inline(__always)
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result != -Int(EINTR) { return result }
    }
}
