import CLinux

/// A file seen as memory, read-only. Whoever maps it must be sure that nobody shortens it
/// meanwhile.
///
/// A class: many readers share one mapping, unmapped with the last.
package final class MappedFile: Sendable {
    /// Where the file's bytes lie; empty for an empty file.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    // Immutable after init, and so is the memory behind it: safe to share.

    package init(_ path: Path, calls: SystemCalls) throws(FileError) {
        let file = try Descriptor(reading: path, calls: calls)
        let length = Int(try file.status().st_size)
        guard length > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = repo_mmap_read(file.number, length) else {
            throw FileError("map", path, code: repo_errno())
        }
        _ = repo_madvise_random(base, length)
        bytes = UnsafeRawBufferPointer(start: base, count: length)
    }

    deinit {
        if let base = bytes.baseAddress {
            _ = repo_munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        }
    }
}
