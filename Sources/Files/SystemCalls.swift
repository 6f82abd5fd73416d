import CLinux

/// Every system call that touches files, as one value, so that tests can count, fail, shorten or
/// record them.
///
/// Each closure returns what the kernel returned, or `-errno`; nothing here retries or interprets.
/// A closure-held call costs nothing measurable beside the call itself.
package struct SystemCalls: Sendable {
    package typealias Bytes = UnsafeRawPointer
    package typealias MutableBytes = UnsafeMutableRawPointer

    package var open: @Sendable (Path, Int32, mode_t) -> Int32
    package var read: @Sendable (Int32, MutableBytes, Int) -> Int
    package var pread: @Sendable (Int32, MutableBytes, Int, Int64) -> Int
    package var write: @Sendable (Int32, Bytes, Int) -> Int
    package var pwrite: @Sendable (Int32, Bytes, Int, Int64) -> Int
    /// Whether a descriptor goes past the page cache.
    package var setDirect: @Sendable (Int32, Bool) -> Int32
    package var fsync: @Sendable (Int32) -> Int32
    package var close: @Sendable (Int32) -> Int32
    package var truncate: @Sendable (Int32, Int64) -> Int32
    package var seek: @Sendable (Int32, Int64, Int32) -> Int
    package var fstat: @Sendable (Int32, inout stat) -> Int32
    package var lstat: @Sendable (Path, inout stat) -> Int32
    package var stat: @Sendable (Path, inout CLinux.stat) -> Int32
    package var mkdir: @Sendable (Path, mode_t) -> Int32
    package var rmdir: @Sendable (Path) -> Int32
    package var unlink: @Sendable (Path) -> Int32
    package var link: @Sendable (Path, Path) -> Int32
    package var rename: @Sendable (Path, Path) -> Int32
    package var renameNoReplace: @Sendable (Path, Path) -> Int32
    package var symlink: @Sendable (Path, Path) -> Int32
    package var readlink: @Sendable (Path, UnsafeMutablePointer<CChar>, Int) -> Int
    package var makeNode: @Sendable (Path, mode_t, dev_t) -> Int32
    package var changeOwner: @Sendable (Path, uid_t, gid_t) -> Int32
    package var changeMode: @Sendable (Path, mode_t) -> Int32
    package var setTimes: @Sendable (Path, Int64, Int64) -> Int32
    package var listAttributes: @Sendable (Path, UnsafeMutablePointer<CChar>?, Int) -> Int
    package var getAttribute: @Sendable (Path, String, MutableBytes?, Int) -> Int
    package var setAttribute: @Sendable (Path, String, Bytes, Int) -> Int32
    /// The names in a directory, without `.` and `..`, in no order; or `-errno`.
    package var names: @Sendable (Path) -> Names

    package enum Names: Sendable {
        case found([Path])
        case failed(Int32)
    }
}

extension SystemCalls {
    /// The kernel itself.
    package static let kernel = SystemCalls(
        open: { path, flags, mode in path.withCString { repo_openat(AT_FDCWD, $0, flags, mode) } },
        read: { repo_read($0, $1, $2) },
        pread: { repo_pread($0, $1, $2, off_t($3)) },
        write: { repo_write($0, $1, $2) },
        pwrite: { repo_pwrite($0, $1, $2, off_t($3)) },
        setDirect: { repo_set_direct($0, $1 ? 1 : 0) },
        fsync: { repo_fsync($0) },
        close: { repo_close($0) },
        truncate: { repo_ftruncate($0, off_t($1)) },
        seek: { repo_lseek($0, off_t($1), $2) },
        fstat: { repo_fstat($0, &$1) },
        lstat: { path, status in path.withCString { repo_lstat($0, &status) } },
        stat: { path, status in path.withCString { repo_stat($0, &status) } },
        mkdir: { path, mode in path.withCString { repo_mkdir($0, mode) } },
        rmdir: { path in path.withCString { repo_rmdir($0) } },
        unlink: { path in path.withCString { repo_unlink($0) } },
        link: { from, to in from.withCString { from in to.withCString { repo_link(from, $0) } } },
        rename: { from, to in from.withCString { from in to.withCString { repo_rename(from, $0) } }
        },
        renameNoReplace: { from, to in
            from.withCString { from in to.withCString { repo_rename_noreplace(from, $0) } }
        },
        symlink: { target, at in
            target.withCString { target in at.withCString { repo_symlink(target, $0) } }
        },
        readlink: { path, to, size in path.withCString { repo_readlink($0, to, size) } },
        makeNode: { path, mode, device in path.withCString { repo_mknod($0, mode, device) } },
        changeOwner: { path, user, group in path.withCString { repo_lchown($0, user, group) } },
        changeMode: { path, mode in path.withCString { repo_chmod($0, mode) } },
        setTimes: { path, seconds, nanoseconds in
            path.withCString { repo_set_times($0, seconds, nanoseconds) }
        },
        listAttributes: { path, to, size in path.withCString { repo_llistxattr($0, to, size) } },
        getAttribute: { path, name, to, size in
            path.withCString { repo_lgetxattr($0, name, to, size) }
        },
        setAttribute: { path, name, from, size in
            path.withCString { repo_lsetxattr($0, name, from, size) }
        },
        names: { path in
            guard let directory = path.withCString({ opendir($0) }) else {
                return .failed(-repo_errno())
            }
            defer { closedir(directory) }
            var names: [Path] = []
            while true {
                repo_clear_errno()
                guard let entry = readdir(directory) else { break }
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: UInt8.self, capacity: 256) {
                        Path(bytes: UnsafeBufferPointer(start: $0, count: strlen($0)))
                    }
                }
                if name != "." && name != ".." { names.append(name) }
            }
            return repo_errno() == 0 ? .found(names) : .failed(-repo_errno())
        })
}
