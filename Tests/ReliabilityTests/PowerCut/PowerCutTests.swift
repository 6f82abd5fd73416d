import CLinux
import Faults
import Files
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault

/// A life of a repository, written down call by call.
private struct Play {
    let directory = TemporaryDirectory()
    let recorder: Recorder
    let root: Path
    /// What was saved, in order, with what must come back.
    private(set) var saved: [(snapshot: Snapshot, bytes: [UInt8])] = []

    init() throws {
        root = Path(directory.path) / "disk"
        guard SystemCalls.kernel.mkdir(root, 0o700) == 0 else { throw FileError("make", root, code: EIO) }
        recorder = Recorder(below: root)
        try run()
    }

    private mutating func run() throws {
        var random = SeededRandom(seed: testSeed)
        let surroundings = testSurroundings(calls: recorder.calls)
        let store = DirectoryStore(
            root / "repository", calls: recorder.calls, randomBytes: surroundings.randomBytes)
        _ = try Vault.create(
            in: store, with: key(), label: nil, surroundings: surroundings,
            cacheParent: root / "cache")
        recorder.say(.made)
        let repository = try TestRepository(sharing: store, surroundings: surroundings)
        func open() throws -> Vault {
            try Vault.open(
                store, with: key(), surroundings: surroundings, cacheParent: root / "cache")
        }
        func add(_ bytes: [UInt8], to series: String) throws {
            let outcome = try repository.add(bytes, to: series, vault: open())
            recorder.say(.saved(saved.count))
            saved.append((outcome.snapshot, bytes))
        }
        func prune(_ numbers: [Int]) throws {
            let vault = try open()
            var request = PruneRequest(try History.load(vault))
            request.options.grace = 0
            request.options.keepIncomplete = 0
            request.options.unusedMax = 0
            request.dropped = numbers.map { saved[$0].snapshot }
            for number in numbers { recorder.say(.dropping(number)) }
            _ = try Operations.prune(request, vault)
            for number in numbers { recorder.say(.dropped(number)) }
        }
        var rows = random.sqlRows(byteCount: 400_000)
        try add(rows, to: "shop")
        for round in 0..<3 {
            rows.replaceSubrange(
                (90_000 * round)..<(90_000 * round + 200), with: random.bytes(200))
            try add(rows, to: "shop")
        }
        let shared = random.bytes(150_000)
        try add(shared + random.bytes(1_300_000), to: "large")
        try add(shared, to: "small")
        // Deltas, a pack of which a segment stays, and one that goes.
        try prune([1, 4])
        rows += random.sqlRows(byteCount: 90_000)
        try add(rows, to: "shop")
        recorder.say(.dropping(5))
        _ = try forget(
            ForgetRequest(
                references: [Reference("\(saved[5].snapshot.id)")], allowEmpty: true), in: open())
        recorder.say(.dropped(5))
        try prune([0])
        try add(random.bytes(200), to: "tiny")
    }
}

/// What has been promised before a cut.
private struct Promises {
    var isMade = false
    var saved: Set<Int> = []
    /// May be gone.
    var going: Set<Int> = []
    /// Must be gone.
    var gone: Set<Int> = []

    init(_ events: ArraySlice<Recorder.Event>) {
        for case .said(let statement) in events {
            switch statement {
            case .made: isMade = true
            case .saved(let number): saved.insert(number)
            case .dropping(let number): going.insert(number)
            case .dropped(let number): gone.insert(number)
            }
        }
    }
}

/// What the images of a disk show that were cut at many moments.
private struct Findings {
    var images = 0
    /// Cut before there was a repository.
    var unmade = 0
    /// Acknowledged snapshots that came back.
    var restored = 0
    var losses: [String] = []

    /// - Parameters:
    ///   - step: every so many events there is a cut.
    ///   - imagesEach: how many disks each cut leaves.
    init(
        _ play: Play, _ events: [Recorder.Event], step: Int, imagesEach: Int,
        _ random: inout SeededRandom
    ) throws {
        let start = random.number(0...(step - 1))
        for cut in stride(from: start, to: events.count, by: step) {
            if case .said = events[cut] { continue }
            let promises = Promises(events[...cut])
            for image in 0..<imagesEach {
                let survival: Disk.Survival = image == 0 ? .all : image == 1 ? .none : .some
                let disk = Disk(after: events[...cut], survival, &random)
                images += 1
                let place = TemporaryDirectory()
                try disk.write(of: play.root, to: Path(place.path))
                let what = "cut after \(cut), \(events[cut].kind), \(survival)"
                do {
                    let restart = try Restart(Path(place.path), play.saved)
                    // What was begun and not made yet may open, with its config missing.
                    guard promises.isMade else {
                        unmade += 1
                        continue
                    }
                    let (count, problems) = try restart.see(promises, worksOn: images % 5 == 0)
                    restored += count
                    losses += problems.map { "\(what): \($0)" }
                } catch  where !promises.isMade && error is any Explained {
                    unmade += 1
                } catch {
                    losses.append("\(what): \(error)")
                }
            }
        }
    }
}

@Test func `a power cut at any moment loses nothing that was promised`() throws {
    let play = try Play()
    let events = play.recorder.events
    let seed = announcedSeed()
    var random = SeededRandom(seed: seed)
    let found = try Findings(
        play, events, step: isLong ? 1 : 6, imagesEach: isLong ? 15 : 5, &random)
    #expect(found.losses == [])
    print(
        "# power cut: \(events.count) calls and promises, \(found.images) images of the disk, \(found.unmade) from before there was a repository, \(found.restored) acknowledged snapshots restored, \(found.losses.count) losses; seed \(seed)"
    )
    #expect(found.images > (isLong ? 5000 : 250) && found.restored > found.images)
}

/// Promises that are not kept must be noticed: by a disk that does nothing when it is told to flush.
@Test(arguments: ["flush", "flushDirectory"])
func `a power cut shows that something was not flushed`(_ call: String) throws {
    let play = try Play()
    let events = play.recorder.events.filter { !$0.kind.hasPrefix("\(call)(") }
    #expect(events.count < play.recorder.events.count)
    var random = SeededRandom(seed: announcedSeed())
    let found = try Findings(play, events, step: 20, imagesEach: 3, &random)
    #expect(!found.losses.isEmpty)
}

/// A client that comes back after the power did.
private struct Restart {
    private let store: DirectoryStore
    private let vault: Vault
    private let repository: TestRepository
    private let played: [(snapshot: Snapshot, bytes: [UInt8])]

    init(_ place: Path, _ played: [(snapshot: Snapshot, bytes: [UInt8])]) throws {
        let surroundings = testSurroundings(seed: testSeed &+ 1)
        store = DirectoryStore(
            place / "repository", calls: .kernel, randomBytes: surroundings.randomBytes)
        repository = try TestRepository(sharing: store, surroundings: surroundings)
        vault = try Vault.open(
            store, with: key(), surroundings: surroundings, cacheParent: place / "cache")
        self.played = played
    }

    /// - Parameter worksOn: whether the repository is used further.
    /// - Returns: how many acknowledged snapshots came back, and what is not as it was promised.
    func see(_ promises: Promises, worksOn: Bool) throws -> (restored: Int, problems: [String]) {
        var problems: [String] = []
        var restored = 0
        let there = Set(try History.load(vault).snapshots.map { $0.id })
        for number in promises.saved.subtracting(promises.going) {
            let (snapshot, bytes) = played[number]
            if !there.contains(snapshot.id) {
                problems.append("snapshot \(number) is gone")
            } else if try repository.cat("\(snapshot.id)", vault: vault) != bytes {
                problems.append("snapshot \(number) is another")
            } else {
                restored += 1
            }
        }
        for number in promises.gone where there.contains(played[number].snapshot.id) {
            problems.append("snapshot \(number) is back")
        }
        problems += try damages()
        if worksOn {
            let bytes = played[0].bytes + played[3].bytes
            let next = try repository.add(bytes, to: "shop", vault: vault)
            var request = PruneRequest(try History.load(vault))
            request.options.grace = 0
            request.options.keepIncomplete = 0
            _ = try prune(request, vault)
            if try repository.cat("\(next.snapshot.id)", vault: vault) != bytes {
                problems.append("what is saved next is another")
            }
            problems += try damages().map { "after the next run: \($0)" }
        }
        return (restored, problems)
    }

    private func damages() throws -> [String] {
        let outcome = try check(CheckRequest(readDataPercent: 100), vault)
        if outcome.exitCode == .done { return [] }
        return ["check ends with \(outcome.exitCode): \(outcome.damages)"]
    }
}

extension Recorder.Event {
    /// Without the bytes.
    var kind: String {
        switch self {
        case .write(let file, let offset, let bytes):
            "write \(bytes.count) bytes to file \(file) at \(offset)"
        default: "\(self)"
        }
    }
}
