import CLinux
import Files

/// A pipe of ours: both ends, each closed when it goes out of scope.
struct Pipe: ~Copyable, Sendable {
    var reading: Descriptor
    var writing: Descriptor

    /// - Parameter purpose: what flows through it, for errors.
    init(for purpose: String, _ calls: SystemCalls) throws(FileError) {
        var ends: [Int32] = [0, 0]
        let result = repo_pipe(&ends)
        guard result == 0 else { throw FileError("make a pipe for", Path(purpose), code: -result) }
        reading = Descriptor(adopting: ends[0], path: Path(purpose), calls: calls)
        writing = Descriptor(adopting: ends[1], path: Path(purpose), calls: calls)
    }
}
