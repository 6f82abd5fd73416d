import Glibc

/// A decoder of bytes from outside, as libFuzzer meets it: any bytes at all must be read or refused,
/// within its memory, without a trap, and without contradicting itself.
struct FuzzTarget: Sendable {
    let name: String
    /// The longest input worth trying, in bytes.
    let inputBytesMax: Int
    /// What reading one input may take, in bytes.
    let memoryBytesMax: Int
    /// How many inputs are tried where a target of average cost gets 100.
    let share: Int
    /// What to begin with: whole and sound. Made when asked for.
    let seeds: @Sendable () -> [[UInt8]]
    let read: @Sendable ([UInt8]) -> Void

    init(
        name: String, inputBytesMax: Int = 4096, memoryBytesMax: Int = 64 << 20, share: Int = 100,
        seeds: @autoclosure @escaping @Sendable () -> [[UInt8]],
        read: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.inputBytesMax = inputBytesMax
        self.memoryBytesMax = memoryBytesMax
        self.share = share
        self.seeds = seeds
        self.read = read
    }
}

/// What must hold whatever the bytes are. A trap, which libFuzzer takes for a crash.
func mustHold(_ condition: Bool, _ fact: @autoclosure () -> String) {
    if !condition { fatalError("\(fact())") }
}

/// Reads, or is refused.
func reading<Value>(_ body: () throws -> Value) -> Value? { try? body() }

// MARK: the program

/// The one that is fuzzed, by the variable REPO_FUZZ_TARGET. Arguments are libFuzzer's.
nonisolated(unsafe) private var chosen: FuzzTarget?

@main enum Fuzzing {
    /// REPO_FUZZ_SEEDS=FOLDER writes what each target begins with into a folder of its name, prints a
    /// line a target (`name inputBytesMax share`), and ends.
    static func main() {
        let targets = allTargets()
        if let folder = variable("REPO_FUZZ_SEEDS") {
            for target in targets {
                write(target.seeds(), to: "\(folder)/\(target.name)")
                print(target.name, target.inputBytesMax, target.share)
            }
            return
        }
        guard let name = variable("REPO_FUZZ_TARGET"),
            let target = targets.first(where: { $0.name == name })
        else {
            print("REPO_FUZZ_TARGET is none of", targets.map { $0.name }.joined(separator: " "))
            exit(2)
        }
        chosen = target
        var (count, words) = (CommandLine.argc, CommandLine.unsafeArgv)
        exit(runLibFuzzer(&count, &words) { tryInput($0, $1) })
    }
}

/// libFuzzer's entry, for programs that have a `main` of their own.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// By its name libFuzzer would call it if it had the `main`; the linker wants it in any case.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let chosen else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    limitMemory(to: chosen.memoryBytesMax)
    chosen.read(input)
    limitMemory(to: nil)
    return 0
}

func allTargets() -> [FuzzTarget] {
    wireTargets() + compressionTargets() + dumpTargets() + storeTargets() + localTargets()
        + textTargets()
}

// MARK: memory

/// Lets the process take so many bytes more than it has, all it wants where that is nil. Whoever asks
/// for more gets none, which ends the process: the input that did it is kept. (Tests/Fuzz/run.sh sees
/// to it that freed memory goes back, so that none is taken twice.)
private func limitMemory(to byteCount: Int?) {
    var limit = rlimit()
    getrlimit(resource(RLIMIT_DATA), &limit)
    limit.rlim_cur = byteCount.map { rlim_t(dataBytes() + $0) } ?? limit.rlim_max
    setrlimit(resource(RLIMIT_DATA), &limit)
}

private func resource(_ number: __rlimit_resource) -> __rlimit_resource_t {
    __rlimit_resource_t(number.rawValue)
}

private let statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)

/// What RLIMIT_DATA counts now, give or take the stack.
private func dataBytes() -> Int {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
        let count = pread(statm, room.baseAddress, room.count, 0)
        precondition(count > 0, "/proc/self/statm can be read")
        // size resident shared text lib data dt, in pages
        let words = room[..<count].split(separator: UInt8(ascii: " "))
        let pages = words[5].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return pages * Int(getpagesize())
    }
}

// MARK: seeds

private func write(_ seeds: [[UInt8]], to folder: String) {
    mkdir(folder, 0o755)
    for (number, seed) in seeds.enumerated() {
        guard let file = fopen("\(folder)/seed-\(number)", "w") else {
            fatalError("\(folder) cannot be written to")
        }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}

private func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// A file of the checkout, from which the program is run.
func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { fatalError("there is no \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = fread(&room, 1, room.count, file)
        if count == 0 { return bytes }
        bytes += room[..<count]
    }
}

// MARK: pieces

/// Cuts bytes into pieces, whose lengths two bytes of the input decide.
struct Pieces {
    private var state: UInt64
    private let longest: Int

    init(_ first: UInt8, _ second: UInt8) {
        state = UInt64(first) << 8 | UInt64(second)
        longest = [1, 7, 64, 513, 4096, 20_000, 65_536, 70_000][Int(first & 7)]
    }

    /// Up to `longest` bytes.
    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return 1 + Int(state >> 33) % longest
    }

    mutating func each(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { all in
            var at = 0
            while at < all.count {
                let end = min(all.count, at + next())
                body(UnsafeRawBufferPointer(rebasing: all[at..<end]))
                at = end
            }
        }
    }
}
