import CLinux
import Faults
import Files
import Sealing
import Synchronization
import TestSupport
import Vault

@testable import Terminal

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func words(_ line: String) -> [[UInt8]] { line.split(separator: " ").map { Array($0.utf8) } }

/// The arguments of a line that names a command.
func arguments(_ line: String) throws -> Arguments {
    guard case .run(let arguments) = try ArgumentParser.parse(words(line)) else {
        throw UsageError("no command")
    }
    return arguments
}

/// The error that a line leads to.
func mistake(_ line: String) -> UsageError? {
    do {
        _ = try ArgumentParser.parse(words(line))
        return nil
    } catch {
        return error
    }
}

func environment(_ variables: [String: String]) -> Environment {
    Environment(find: { variables[$0].map { Array($0.utf8) } }, forget: { _ in })
}

/// What was written to standard output and standard error.
final class Capture: Sendable {
    private let written = Mutex<[Int32: [UInt8]]>([:])

    func text(_ descriptor: Int32) -> String {
        written.withLock { String(decoding: $0[descriptor] ?? [], as: UTF8.self) }
    }

    var out: String { text(1) }
    var err: String { text(2) }

    /// The kernel's calls, but that the first two descriptors end here.
    /// - Parameter outputFails: what writing to standard output returns instead.
    func calls(outputFails: Int32? = nil) -> SystemCalls {
        var calls = SystemCalls.kernel
        let kernel = calls.write
        calls.write = { descriptor, base, count in
            guard descriptor == 1 || descriptor == 2 else { return kernel(descriptor, base, count) }
            if descriptor == 1, let outputFails { return -Int(outputFails) }
            self.written.withLock {
                $0[descriptor, default: []] += UnsafeRawBufferPointer(start: base, count: count)
            }
            return count
        }
        return calls
    }
}

/// A clock that a test turns on by hand.
final class HandClock: Sendable {
    private let time = Atomic<Int64>(1_000_000)
    var now: Int64 { time.load(ordering: .relaxed) }
    func advance(_ milliseconds: Int64) { _ = time.wrappingAdd(milliseconds, ordering: .relaxed) }
}

func console(
    _ capture: Capture, _ clock: HandClock = HandClock(), outputFails: Int32? = nil,
    _ change: (inout Console.Settings) -> Void = { _ in }
) -> Console {
    var settings = Console.Settings()
    change(&settings)
    return Console(
        settings, calls: capture.calls(outputFails: outputFails), milliseconds: { clock.now })
}

/// Runs the program in a directory of its own, with a world made for it.
final class Harness: Sendable {
    struct Result: Sendable {
        let code: ExitCode
        let out: String
        let err: String
    }

    let directory = TemporaryDirectory()
    private let random = SharedRandom(seed: testSeed ^ 0x7E41)
    private let variables: [String: String]

    /// - Parameter variables: beside those that name the repository, its password and the cache.
    init(_ variables: [String: String] = [:]) throws {
        self.variables = [
            "REPO_REPOSITORY": directory.path + "/r",
            "REPO_PASSWORD_FILE": directory.path + "/password",
            "XDG_CACHE_HOME": directory.path + "/cache",
        ].merging(variables) { $1 }
        // As the program does for itself: a command that reads no further must not end the tests.
        repo_ignore_signal(SIGPIPE)
        try write("password", "correct horse\n")
    }

    func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    func write(_ name: String, _ text: String) throws {
        try Array(text.utf8).withUnsafeBytes {
            try Directories(.kernel).create(Path(path(name)), $0, durable: false)
        }
    }

    func contents(_ name: String) throws -> String {
        String(
            decoding: try Directories(.kernel).contents(of: Path(path(name)), limit: 1 << 24),
            as: UTF8.self)
    }

    func mode(_ name: String) throws -> UInt32? {
        try Directories(.kernel).status(Path(path(name))).map { $0.st_mode & 0o7777 }
    }

    /// - Parameter words: the command line; `./` begins a path in the directory.
    @discardableResult
    func run(_ words: String..., settings: Console.Settings = Console.Settings()) -> Result {
        run(words, settings: settings)
    }

    @discardableResult
    func run(_ words: [String], settings: Console.Settings = Console.Settings()) -> Result {
        let capture = Capture()
        let calls = capture.calls()
        let random = random
        let world = Program.World(
            environment: environment(variables), settings: settings, systemCalls: calls,
            milliseconds: { 0 },
            surroundings: { console in
                Surroundings(
                    systemCalls: calls, now: { ProcessSetup.milliseconds(CLOCK_REALTIME) },
                    randomBytes: { random.bytes($0) },
                    scryptCost: ScryptCost(log2N: 15, r: 8, p: 1), workers: 1,
                    identity: [1], hostName: "db1", stopRequested: { nil }, wakeUp: -1,
                    progress: { console.show($0) }, warn: { console.warn($0) })
            })
        let bytes = words.map {
            Array(($0.hasPrefix("./") ? directory.path + $0.dropFirst() : $0).utf8)
        }
        let code = Program.run(bytes, in: world)
        return Result(code: code, out: capture.out, err: capture.err)
    }
}
