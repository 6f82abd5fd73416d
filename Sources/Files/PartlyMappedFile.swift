import CLinux

/// An open file whose front is seen as memory, read-only, while the rest is read by request: for
/// files whose hot part is small and whose cold part would otherwise count as resident. Whoever
/// maps it must be sure that nobody shortens it meanwhile; removing its name does no harm.
///
/// A class: many readers share one mapping and one descriptor, given back with the last.
package final class PartlyMappedFile: Sendable {
    /// The file's first bytes; empty where none were asked for.
    package nonisolated(unsafe) let front: UnsafeRawBufferPointer
    private let file: Descriptor

    // Immutable after init, and so is the memory behind it: safe to share.

    /// Maps the first `count` bytes of a file that has at least so many; a shorter one is refused
    /// with `EINVAL`.
    package init(mapping count: Int, of file: consuming Descriptor) throws(FileError) {
        guard count >= 0, count <= Int(try file.status().st_size) else {
            throw FileError("map", file.path, code: EINVAL)
        }
        var front = UnsafeRawBufferPointer(start: nil, count: 0)
        if count > 0 {
            guard let base = repo_mmap_read(file.number, count) else {
                throw FileError("map", file.path, code: repo_errno())
            }
            _ = repo_madvise_random(base, count)
            front = UnsafeRawBufferPointer(start: base, count: count)
        }
        self.front = front
        self.file = file
    }

    deinit {
        if let base = front.baseAddress {
            _ = repo_munmap(UnsafeMutableRawPointer(mutating: base), front.count)
        }
    }

    /// Reads from `offset` until the buffer is full or the file ends; returns the number of bytes
    /// read.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError)
        -> Int
    {
        try file.read(at: offset, into: buffer)
    }
}
