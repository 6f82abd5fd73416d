import CLinux
import Faults

/// A system call that failed on a path.
package struct FileError: Explained {
    /// What was being done, as a verb: `open`, `write`, `flush`.
    package let action: String
    package let path: Path
    /// A positive errno.
    package let code: Int32

    package init(_ action: String, _ path: Path, code: Int32) {
        self.action = action
        self.path = path
        self.code = code
    }

    package var message: String {
        "cannot \(action) \(path): \(String(cString: strerror(code)).lowercased())"
    }

    /// Whether there was no room for it.
    package var isForRoom: Bool { code == ENOSPC || code == EDQUOT }

    package var hint: String? {
        switch code {
        case ENOSPC, EDQUOT:
            "free some space there and run the same command again: what was written is reused"
        case EACCES, EPERM: "check who owns it and as whom this command runs"
        case EROFS: "the file system is mounted read-only"
        default: nil
        }
    }

    package var mayRetry: Bool { code == EAGAIN || code == EINTR }
}
