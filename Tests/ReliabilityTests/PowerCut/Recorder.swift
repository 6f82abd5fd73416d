import CLinux
import Files
import Synchronization

/// The kernel, with everything written down that changes files below a directory, in the order in
/// which it was done.
final class Recorder: Sendable {
    enum Event: Sendable {
        case makeDirectory(Path)
        /// A new file, by number, and its first name.
        case create(Int, Path)
        case write(Int, at: Int, [UInt8])
        case truncate(Int, to: Int)
        case flush(Int)
        case flushDirectory(Path)
        case link(Int, Path)
        case rename(Int, from: Path, to: Path)
        case remove(Int, Path)
        /// Not the kernel's: something was promised, or begun.
        case said(Statement)
    }

    /// What a user was told, or asked for.
    enum Statement: Sendable {
        /// There is a repository.
        case made
        /// A snapshot is saved; its number among those of the play.
        case saved(Int)
        /// It is asked that one goes, which may happen from now on.
        case dropping(Int)
        /// It is gone for good.
        case dropped(Int)
    }

    private struct Open {
        var file: Int?
        var path: Path
        var position = 0
    }

    private struct State {
        var events: [Event] = []
        var open: [Int32: Open] = [:]
        var names: [Path: Int] = [:]
        var filesMade = 0
    }

    private let root: Path
    private let state = Mutex(State())

    init(below root: Path) { self.root = root }

    var events: [Event] { state.withLock { $0.events } }

    func say(_ statement: Statement) { state.withLock { $0.events.append(.said(statement)) } }

    private func isWatched(_ path: Path) -> Bool { path.bytes.starts(with: root.bytes + [0x2f]) }

    /// Calls of which the record is exact: one at a time.
    var calls: SystemCalls {
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.open = { path, flags, mode in
            self.state.withLock { state in
                let number = kernel.open(path, flags, mode)
                guard number >= 0, self.isWatched(path) || path == self.root else { return number }
                var open = Open(file: state.names[path], path: path)
                if flags & O_CREAT != 0, open.file == nil {
                    open.file = state.filesMade
                    state.names[path] = state.filesMade
                    state.events.append(.create(state.filesMade, path))
                    state.filesMade += 1
                }
                precondition(flags & (O_TRUNC | O_APPEND) == 0, "not written down: \(path)")
                state.open[number] = open
                return number
            }
        }
        calls.close = { number in
            self.state.withLock { state in
                state.open[number] = nil
                return kernel.close(number)
            }
        }
        calls.write = { number, bytes, count in
            self.state.withLock { state in
                let written = kernel.write(number, bytes, count)
                if written > 0, let open = state.open[number], let file = open.file {
                    let copy = Array(UnsafeRawBufferPointer(start: bytes, count: written))
                    state.events.append(.write(file, at: open.position, copy))
                    state.open[number]?.position += written
                }
                return written
            }
        }
        calls.pwrite = { number, bytes, count, offset in
            self.state.withLock { state in
                let written = kernel.pwrite(number, bytes, count, offset)
                if written > 0, let file = state.open[number]?.file {
                    let copy = Array(UnsafeRawBufferPointer(start: bytes, count: written))
                    state.events.append(.write(file, at: Int(offset), copy))
                }
                return written
            }
        }
        calls.truncate = { number, length in
            self.state.withLock { state in
                let result = kernel.truncate(number, length)
                if result == 0, let file = state.open[number]?.file {
                    state.events.append(.truncate(file, to: Int(length)))
                }
                return result
            }
        }
        calls.fsync = { number in
            self.state.withLock { state in
                let result = kernel.fsync(number)
                if result == 0, let open = state.open[number] {
                    state.events.append(open.file.map { .flush($0) } ?? .flushDirectory(open.path))
                }
                return result
            }
        }
        calls.mkdir = { path, mode in
            self.state.withLock { state in
                let result = kernel.mkdir(path, mode)
                if result == 0, self.isWatched(path) { state.events.append(.makeDirectory(path)) }
                return result
            }
        }
        calls.unlink = { path in
            self.state.withLock { state in
                let result = kernel.unlink(path)
                if result == 0, let file = state.names.removeValue(forKey: path) {
                    state.events.append(.remove(file, path))
                }
                return result
            }
        }
        calls.link = { from, to in
            self.state.withLock { state in
                let result = kernel.link(from, to)
                if result == 0, let file = state.names[from] {
                    state.names[to] = file
                    state.events.append(.link(file, to))
                }
                return result
            }
        }
        calls.rename = { self.renamed($0, $1, kernel.rename) }
        calls.renameNoReplace = { self.renamed($0, $1, kernel.renameNoReplace) }
        calls.rmdir = { preconditionFailure("not written down: rmdir \($0)") }
        return calls
    }

    private func renamed(_ from: Path, _ to: Path, _ call: (Path, Path) -> Int32) -> Int32 {
        state.withLock { state in
            let result = call(from, to)
            if result == 0, let file = state.names.removeValue(forKey: from) {
                state.names[to] = file
                state.events.append(.rename(file, from: from, to: to))
            }
            return result
        }
    }
}
