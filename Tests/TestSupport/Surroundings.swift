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

    deinit { removeTree(path) }
}

private func removeTree(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
        _ = chmod(path, 0o700)
        if let directory = opendir(path) {
            var names: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { names.append(name) }
            }
            closedir(directory)
            for name in names { removeTree(path + "/" + name) }
        }
        rmdir(path)
    } else {
        unlink(path)
    }
}
