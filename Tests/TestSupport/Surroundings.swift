import Glibc
import Synchronization

func environmentSeed() -> UInt64? {
    getenv("REPO_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
}

/// Seeded bytes behind a lock, for surroundings that several threads share.
package final class SharedRandom: Sendable {
    private let random: Mutex<SeededRandom>

    package init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }

    package func bytes(_ count: Int) -> [UInt8] { random.withLock { $0.bytes(count) } }
}

/// A directory of its own below the system's temporary one, removed with its last holder.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/repo-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            fatalError("no temporary directory can be made")
        }
        path = String(cString: made)
    }

    deinit { removeTree(Array(path.utf8CString)) }
}

/// - Parameter path: bytes with a NUL behind them: names need not be UTF-8.
private func removeTree(_ path: [CChar]) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
        _ = chmod(path, 0o700)
        if let directory = opendir(path) {
            var names: [[CChar]] = []
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                        Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                    }
                }
                if strcmp(name, ".") != 0 && strcmp(name, "..") != 0 { names.append(name) }
            }
            closedir(directory)
            for name in names { removeTree(path.dropLast() + [CChar(bitPattern: 0x2f)] + name) }
        }
        rmdir(path)
    } else {
        unlink(path)
    }
}
