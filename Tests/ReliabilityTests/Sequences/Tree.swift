import CLinux
import Files
import Glibc
import Synchronization
import TestSupport

/// One entry of a tree of files.
enum TreeNode: Equatable {
    case file([UInt8])
    case directory
    case link(String)
}

/// Everything below a directory, by its path there; nil where it is not there.
func readTree(_ root: Path) throws -> [String: TreeNode]? {
    let directories = Directories(.kernel)
    guard try directories.status(root) != nil else { return nil }
    var found: [String: TreeNode] = [:]
    func read(_ below: String) throws {
        for name in try directories.names(below.isEmpty ? root : root / below) ?? [] {
            let path = below.isEmpty ? "\(name)" : "\(below)/\(name)"
            guard let status = try directories.status(root / path) else { continue }
            switch status.kind {
            case .directory:
                found[path] = .directory
                try read(path)
            case .symbolicLink:
                var target = [CChar](repeating: 0, count: 4096)
                let count = SystemCalls.kernel.readlink(root / path, &target, target.count)
                let bytes = target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
                found[path] = .link(String(decoding: bytes, as: UTF8.self))
            default:
                found[path] = .file(try directories.contents(of: root / path, limit: 1 << 30))
            }
        }
    }
    try read("")
    return found
}

/// Makes such a tree, in place of what is there.
func writeTree(_ tree: [String: TreeNode], _ root: Path) throws {
    removeTree(root)
    makeDirectory(root)
    for (path, node) in tree.sorted(by: { $0.key < $1.key }) {
        switch node {
        case .directory: makeDirectory(root / path)
        case .link(let target): _ = symlink(target, "\(root / path)")
        case .file(let bytes): try writeFile(bytes, root / path)
        }
    }
}

private func makeDirectory(_ path: Path) { mkdir("\(path)", 0o700) }

func removeTree(_ root: Path) {
    let calls = SystemCalls.kernel
    if case .found(let names) = calls.names(root) {
        for name in names {
            var status = CLinux.stat()
            guard calls.lstat(root / name, &status) == 0 else { continue }
            if status.kind == .directory {
                removeTree(root / name)
            } else {
                unlink("\(root / name)")
            }
        }
        rmdir("\(root)")
    }
}

/// A tree on the disk that changes between snapshots. When its files changed is told by the run's clock,
/// so that what is taken for unchanged does not depend on how fast the run is.
final class LivingTree {
    let root: Path
    private(set) var nodes: [String: TreeNode] = [:]
    private let clock: SettableClock
    private let changed: ChangeTimes
    private var nextName = 0

    init(_ root: Path, _ clock: SettableClock, _ changed: ChangeTimes, _ random: inout SeededRandom)
    {
        (self.root, self.clock, self.changed) = (root, clock, changed)
        makeDirectory(root)
        for _ in 0..<random.number(1...6) { add(&random) }
    }

    func change(_ random: inout SeededRandom) {
        for _ in 0..<random.number(0...3) {
            let files = nodes.filter { if case .file = $0.value { true } else { false } }.keys
                .sorted()
            switch random.number(0...4) {
            case 0: add(&random)
            case 1 where !files.isEmpty:
                let path = files[random.number(0...(files.count - 1))]
                unlink("\(root / path)")
                nodes[path] = nil
            case 2 where !files.isEmpty:
                let path = files[random.number(0...(files.count - 1))]
                let other = name(&random)
                rename("\(root / path)", "\(root / other)")
                nodes[other] = nodes.removeValue(forKey: path)
                // A new name is a change of the file, by the kernel's reckoning.
                note(other)
            default:
                guard !files.isEmpty else { continue }
                let path = files[random.number(0...(files.count - 1))]
                guard case .file(var bytes)? = nodes[path] else { continue }
                // The same length, where only the times tell.
                if bytes.isEmpty { bytes = [0] }
                bytes[random.number(0...(bytes.count - 1))] &+= UInt8(random.number(1...255))
                write(bytes, path)
            }
        }
    }

    private func name(_ random: inout SeededRandom) -> String {
        nextName += 1
        let directories = nodes.filter { $0.value == .directory }.keys.sorted()
        guard !directories.isEmpty, random.number(0...1) == 0 else { return "f\(nextName)" }
        return "\(directories[random.number(0...(directories.count - 1))])/f\(nextName)"
    }

    private func add(_ random: inout SeededRandom) {
        let path = name(&random)
        switch random.number(0...9) {
        case 0:
            makeDirectory(root / path)
            nodes[path] = .directory
        case 1:
            symlink("f1", "\(root / path)")
            nodes[path] = .link("f1")
        case 2: write([], path)
        case 3: write([UInt8](repeating: 0, count: random.number(1...60_000)), path)
        case 4, 5: write(random.bytes(random.number(1...300)), path)
        default: write(random.bytes(random.number(1_000...50_000)), path)
        }
    }

    /// In place: the file keeps its number.
    private func write(_ bytes: [UInt8], _ path: String) {
        let number = open("\(root / path)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(number >= 0, "a file of a test can be made")
        let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
        precondition(count == bytes.count, "a file of a test can be written")
        close(number)
        nodes[path] = .file(bytes)
        note(path)
    }

    private func note(_ path: String) {
        var status = CLinux.stat()
        _ = SystemCalls.kernel.lstat(root / path, &status)
        changed.note(status, clock.time)
    }
}

/// When files changed by the clock of a run, by their numbers.
final class ChangeTimes: Sendable {
    private let times = Mutex<[UInt64: Int64]>([:])

    func note(_ status: CLinux.stat, _ time: Int64) {
        times.withLock { $0[UInt64(status.st_ino)] = time }
    }

    private func tell(_ status: inout CLinux.stat) {
        // Of what the run did not change nothing is told: it is as old as the world.
        let time = times.withLock { $0[UInt64(status.st_ino)] } ?? 0
        let spec = timespec(
            tv_sec: Int(time / 1000), tv_nsec: Int(time % 1000) * 1_000_000)
        (status.st_mtim, status.st_ctim) = (spec, spec)
    }

    /// The kernel, but for the times of files; and it makes nothing durable, as no power fails here.
    var calls: SystemCalls {
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.fsync = { _ in 0 }
        calls.lstat = { path, status in
            let code = kernel.lstat(path, &status)
            if code == 0 { self.tell(&status) }
            return code
        }
        calls.stat = { path, status in
            let code = kernel.stat(path, &status)
            if code == 0 { self.tell(&status) }
            return code
        }
        calls.fstat = { number, status in
            let code = kernel.fstat(number, &status)
            if code == 0 { self.tell(&status) }
            return code
        }
        return calls
    }
}
