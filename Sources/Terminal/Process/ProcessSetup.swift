import CLinux
import Faults
import Files
import Sealing
import Vault

/// What this process is to the kernel, and what the world is to the rooms below: made once, here.
enum ProcessSetup {
    /// Keeps secrets out of core files and other processes' sight. The mask of new files' modes and
    /// the limit of core files are left alone: commands inherit them, and every file of ours is
    /// made with its mode said.
    static func harden() {
        _ = repo_forbid_dumps()
        // Left to itself the allocator keeps large blocks once it has given some out, and a heap
        // for each thread: memory grows with the variety of their sizes. The loops that are hot
        // allocate nothing.
        repo_keep_heap_small(128 << 10)
        // A program started without its three descriptors would write messages into the files it
        // opens. What stands in for them fails like a closed descriptor.
        for number: Int32 in 0...2 {
            var status = stat()
            if repo_fstat(number, &status) == -EBADF {
                _ = repo_openat(AT_FDCWD, "/dev/null", number == 0 ? O_WRONLY : O_RDONLY, 0)
            }
        }
    }

    static func surroundings(console: Console, wakeUp: Int32) -> Surroundings {
        Surroundings(
            systemCalls: .kernel, now: { milliseconds(CLOCK_REALTIME) },
            randomBytes: { try randomBytes($0) },
            scryptCost: .standard, workers: workers, identity: identity, hostName: hostName,
            stopRequested: { Signals.requested }, wakeUp: wakeUp, progress: { console.show($0) },
            warn: { console.warn($0) })
    }

    /// Of a clock of the kernel's.
    static func milliseconds(_ clock: Int32) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// More than these would only wait for one another.
    private static let workersMax = 8

    private static var workers: Int {
        max(1, min(workersMax, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    private static func randomBytes(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < count {
                let got = repo_getrandom(buffer.baseAddress! + done, count - done)
                if got == -Int(EINTR) { continue }
                guard got > 0 else {
                    throw SealingError.library("the kernel gives no random bytes")
                }
                done += got
            }
        }
        return bytes
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var identity: [UInt8] {
        let boot = try? Directories(.kernel).contents(
            of: "/proc/sys/kernel/random/boot_id", limit: 256)
        return withUnsafeBytes(of: getpid().littleEndian) { (boot ?? []) + $0 }
            + Array(hostName.utf8)
    }
}
