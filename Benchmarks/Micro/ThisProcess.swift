import Files
import Glibc
import Sealing
import Vault

/// The world as a benchmark sees it: the kernel, no signals, no messages.
enum ThisProcess {
    static func surroundings() -> Surroundings {
        Surroundings(
            systemCalls: .kernel, now: { Int64(time(nil)) * 1000 }, randomBytes: randomBytes,
            scryptCost: .standard, workers: 0, identity: [], hostName: "benchmark",
            stopRequested: { nil }, wakeUp: -1, progress: { _ in }, warn: { _ in })
    }

    @Sendable static func randomBytes(_ count: Int) throws -> [UInt8] {
        let file = try Descriptor(reading: "/dev/urandom", calls: .kernel)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        guard got == count else { throw Failed("the kernel gives no random bytes") }
        return bytes
    }

    /// Bytes of memory that this process has resident.
    static func residentBytes() throws -> Int {
        let text = try Directories(.kernel).contents(of: "/proc/self/statm", limit: 256)
        let words = String(decoding: text, as: UTF8.self).split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { throw Failed("there is no /proc") }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// What REPO_KEY_FILE or REPO_PASSWORD_FILE names.
    static func credential() throws -> Credential {
        func contents(_ variable: String) throws -> [UInt8]? {
            guard let value = getenv(variable) else { return nil }
            return try Directories(.kernel).contents(of: Path(String(cString: value)), limit: 4096)
        }
        if var key = try contents("REPO_KEY_FILE") {
            guard key.count == 32 else { throw Misused("a key file has 32 bytes") }
            return Credential(.keyFile, Secret(moving: &key))
        }
        if let file = try contents("REPO_PASSWORD_FILE") {
            var line = Array(file.prefix { $0 != UInt8(ascii: "\n") })
            guard (1...64).contains(line.count) else {
                throw Misused("a password for benchmarks has 1 to 64 bytes")
            }
            return Credential(.password, Secret(moving: &line))
        }
        throw Misused("REPO_KEY_FILE or REPO_PASSWORD_FILE opens the repository")
    }
}
