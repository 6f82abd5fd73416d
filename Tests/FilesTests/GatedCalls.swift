import CLinux
import Files
import Synchronization

/// The kernel behind a gate: every call is told to it, and it may answer instead. Also linked into
/// Tests/ObjectStorageTests.
final class GatedCalls: Sendable {
    struct Call: Equatable, Sendable, CustomStringConvertible {
        let name: String
        /// Of calls on a descriptor, what it was opened for.
        let path: Path

        var description: String { "\(name) \(path)" }
    }

    /// A negative errno to answer with, or nil to let the call pass.
    typealias Answer = @Sendable (_ call: Call, _ index: Int) -> Int32?

    private let state = Mutex((made: [Call](), open: [Int32: Path]()))
    private let answer: Answer

    /// - Parameter answer: is given every call and how many came before it.
    init(_ answer: @escaping Answer = { _, _ in nil }) { self.answer = answer }

    var made: [Call] { state.withLock { $0.made } }
    /// Descriptors opened and not closed.
    var openCount: Int { state.withLock { $0.open.count } }

    private func gate(_ name: String, _ path: Path) -> Int32? {
        let call = Call(name: name, path: path)
        let index = state.withLock { state in
            state.made.append(call)
            return state.made.count - 1
        }
        return answer(call, index)
    }

    private func path(_ number: Int32) -> Path { state.withLock { $0.open[number] } ?? "?" }

    private func gate(_ name: String, _ number: Int32) -> Int32? { gate(name, path(number)) }

    var calls: SystemCalls {
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.open = { path, flags, mode in
            if let code = self.gate("open", path) { return code }
            let number = kernel.open(path, flags, mode)
            if number >= 0 { self.state.withLock { $0.open[number] = path } }
            return number
        }
        calls.close = { number in
            let refused = self.gate("close", number)
            // Whatever close says, the descriptor is gone.
            self.state.withLock { $0.open[number] = nil }
            let result = kernel.close(number)
            return refused ?? result
        }
        calls.read = { self.gate("read", $0).map { Int($0) } ?? kernel.read($0, $1, $2) }
        calls.pread = { self.gate("pread", $0).map { Int($0) } ?? kernel.pread($0, $1, $2, $3) }
        calls.write = { self.gate("write", $0).map { Int($0) } ?? kernel.write($0, $1, $2) }
        calls.pwrite = { self.gate("pwrite", $0).map { Int($0) } ?? kernel.pwrite($0, $1, $2, $3) }
        calls.fsync = { self.gate("fsync", $0) ?? kernel.fsync($0) }
        calls.truncate = { self.gate("truncate", $0) ?? kernel.truncate($0, $1) }
        calls.seek = { self.gate("seek", $0).map { Int($0) } ?? kernel.seek($0, $1, $2) }
        calls.fstat = { self.gate("fstat", $0) ?? kernel.fstat($0, &$1) }
        calls.lstat = { self.gate("lstat", $0) ?? kernel.lstat($0, &$1) }
        calls.stat = { self.gate("stat", $0) ?? kernel.stat($0, &$1) }
        calls.mkdir = { self.gate("mkdir", $0) ?? kernel.mkdir($0, $1) }
        calls.unlink = { self.gate("unlink", $0) ?? kernel.unlink($0) }
        calls.link = { self.gate("link", $1) ?? kernel.link($0, $1) }
        calls.rename = { self.gate("rename", $1) ?? kernel.rename($0, $1) }
        calls.renameNoReplace = {
            self.gate("renameNoReplace", $1) ?? kernel.renameNoReplace($0, $1)
        }
        calls.names = { path in self.gate("names", path).map { .failed($0) } ?? kernel.names(path) }
        return calls
    }
}
