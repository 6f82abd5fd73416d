import CLinux
import Files
import Synchronization

/// A way in which a system call fails.
enum KernelFault: CaseIterable, Sendable {
    /// The disk does not answer.
    case unreadable
    case noSpace
    case overQuota
    /// A signal came.
    case interrupted
    /// Less was read or written than asked.
    case short
    /// More than asked, as a broken file system might say.
    case tooMuch

    fileprivate var code: Int32? {
        switch self {
        case .unreadable: EIO
        case .noSpace: ENOSPC
        case .overQuota: EDQUOT
        case .interrupted: EINTR
        case .short, .tooMuch: nil
        }
    }
}

/// What a call does, as far as faults go.
private enum Kind {
    /// Reads or writes a number of bytes.
    case reads, writes
    /// Takes space: may find none.
    case makes
    /// Cannot fail for want of space.
    case looks

    func has(_ fault: KernelFault) -> Bool {
        switch fault {
        case .unreadable, .interrupted: true
        case .noSpace, .overQuota: self == .writes || self == .makes
        case .short, .tooMuch: self == .reads || self == .writes
        }
    }
}

/// The kernel, of which one call fails, or each from one on.
final class FaultyKernel: Sendable {
    struct Plan: Sendable {
        let fault: KernelFault
        /// How many calls pass before.
        let after: Int
        /// Whether all that come later fail too; of those that are interrupted, every second one, as
        /// whoever tries again gets through in the end.
        let isForGood: Bool
    }

    private let plan: Plan?
    private let state = Mutex((made: 0, hit: 0, names: [String]()))

    init(_ plan: Plan? = nil) { self.plan = plan }

    /// Calls that were made.
    var count: Int { state.withLock { $0.made } }
    /// Calls that failed.
    var hits: Int { state.withLock { $0.hit } }
    /// The first that failed.
    var firstHit: String { state.withLock { $0.names.first } ?? "none" }

    /// The fault that a call meets, if any.
    private func gate(_ kind: Kind, _ name: String) -> KernelFault? {
        state.withLock { state in
            let number = state.made
            state.made += 1
            guard let plan, kind.has(plan.fault), number >= plan.after else { return nil }
            if plan.isForGood {
                if plan.fault == .interrupted && (number - plan.after) % 2 == 1 { return nil }
            } else if state.hit > 0 {
                return nil
            }
            state.hit += 1
            if state.names.isEmpty { state.names.append(name) }
            return plan.fault
        }
    }

    private func call(_ kind: Kind, _ name: String, _ body: () -> Int32) -> Int32 {
        if let code = gate(kind, name)?.code { return -code }
        return body()
    }

    /// - Parameter body: given how many bytes to ask the kernel for.
    private func call(_ kind: Kind, _ name: String, _ count: Int, _ body: (Int) -> Int) -> Int {
        switch gate(kind, name) {
        case .short?: return body(count > 1 ? count / 2 : count)
        case .tooMuch?: return max(body(count), count) + 1
        case let fault?: return -Int(fault.code ?? EIO)
        case nil: return body(count)
        }
    }

    var calls: SystemCalls {
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.open = { path, flags, mode in
            self.call(flags & O_CREAT != 0 ? .makes : .looks, "open \(path)") {
                kernel.open(path, flags, mode)
            }
        }
        // Whatever close says, the descriptor is gone.
        calls.close = { number in
            let result = kernel.close(number)
            return self.call(.makes, "close") { result }
        }
        calls.read = { number, to, count in
            self.call(.reads, "read", count) { kernel.read(number, to, $0) }
        }
        calls.pread = { number, to, count, at in
            self.call(.reads, "pread", count) { kernel.pread(number, to, $0, at) }
        }
        calls.write = { number, from, count in
            self.call(.writes, "write", count) { kernel.write(number, from, $0) }
        }
        calls.pwrite = { number, from, count, at in
            self.call(.writes, "pwrite", count) { kernel.pwrite(number, from, $0, at) }
        }
        calls.fsync = { number in self.call(.makes, "fsync") { kernel.fsync(number) } }
        calls.truncate = { number, length in
            self.call(.makes, "truncate") { kernel.truncate(number, length) }
        }
        calls.seek = { number, at, whence in
            var result = 0
            let code = self.call(.looks, "seek") {
                result = kernel.seek(number, at, whence)
                return 0
            }
            return code < 0 ? Int(code) : result
        }
        calls.fstat = { number, to in self.call(.looks, "fstat") { kernel.fstat(number, &to) } }
        calls.lstat = { path, to in self.call(.looks, "lstat \(path)") { kernel.lstat(path, &to) } }
        calls.stat = { path, to in self.call(.looks, "stat \(path)") { kernel.stat(path, &to) } }
        calls.mkdir = { path, mode in self.call(.makes, "mkdir \(path)") { kernel.mkdir(path, mode) } }
        calls.rmdir = { path in self.call(.looks, "rmdir \(path)") { kernel.rmdir(path) } }
        calls.unlink = { path in self.call(.looks, "unlink \(path)") { kernel.unlink(path) } }
        calls.link = { from, to in self.call(.makes, "link \(to)") { kernel.link(from, to) } }
        calls.rename = { from, to in self.call(.makes, "rename \(to)") { kernel.rename(from, to) } }
        calls.renameNoReplace = { from, to in
            self.call(.makes, "rename \(to)") { kernel.renameNoReplace(from, to) }
        }
        calls.symlink = { to, at in self.call(.makes, "symlink \(at)") { kernel.symlink(to, at) } }
        calls.changeMode = { path, mode in
            self.call(.makes, "chmod \(path)") { kernel.changeMode(path, mode) }
        }
        calls.changeOwner = { path, user, group in
            self.call(.makes, "chown \(path)") { kernel.changeOwner(path, user, group) }
        }
        calls.setTimes = { path, seconds, nanoseconds in
            self.call(.makes, "utimens \(path)") { kernel.setTimes(path, seconds, nanoseconds) }
        }
        calls.names = { path in
            let code = self.call(.looks, "list \(path)") { 0 }
            return code < 0 ? .failed(code) : kernel.names(path)
        }
        return calls
    }
}
