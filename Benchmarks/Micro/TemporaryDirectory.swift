import CLinux
import ChunkIndex
import Files
import Glibc

/// A directory for one run, gone with its holder.
struct TemporaryDirectory: ~Copyable {
    let path: Path
    private let calls = Directories(.kernel)

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = Path(parent) / "repo-bench-\(getpid())"
        try calls.make(path)
    }

    deinit {
        try? empty()
        _ = path.withCString { rmdir($0) }
    }

    func empty() throws {
        for name in try calls.names(path) ?? [] { try calls.remove(path / name) }
    }

    /// What the files in it take.
    func byteCount() throws -> Int {
        try (calls.names(path) ?? []).reduce(0) { sum, name in
            sum + Int(try calls.status(path / name)?.st_size ?? 0)
        }
    }

    func openIndex() throws -> ChunkIndex {
        try ChunkIndex(
            directory: path, calls: .kernel,
            randomBytes: { (try? ThisProcess.randomBytes($0)) ?? [] })
    }
}
