import CLinux
import Faults
import Files
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault

/// A repository in which every verb has something to do, kept as files.
private struct Prepared {
    /// Its files, with those of the cache, by their paths below it.
    let files: [(path: Path, bytes: [UInt8])]
    let kept: [(snapshot: Snapshot, bytes: [UInt8])]
    let dropped: [Snapshot]
    /// What is saved next.
    let next: [UInt8]
    /// Files to save, by name.
    let tree: [(path: Path, bytes: [UInt8])]
    let savedTree: Snapshot

    init() throws {
        let directory = TemporaryDirectory()
        let root = Path(directory.path)
        var random = SeededRandom(seed: testSeed)
        let surroundings = testSurroundings(workers: 0)
        let store = DirectoryStore(
            root / "repository", calls: .kernel, randomBytes: surroundings.randomBytes)
        let vault = try Vault.create(
            in: store, with: key(), label: nil, surroundings: surroundings,
            cacheParent: root / "cache")
        let repository = try TestRepository(sharing: store, surroundings: surroundings)
        var kept: [(snapshot: Snapshot, bytes: [UInt8])] = []
        func add(_ bytes: [UInt8], to series: String) throws {
            kept.append((try repository.add(bytes, to: series, vault: vault).snapshot, bytes))
        }
        var rows = random.sqlRows(byteCount: 200_000)
        try add(rows, to: "shop")
        rows.replaceSubrange(70_000..<70_100, with: random.bytes(100))
        try add(rows, to: "shop")
        let shared = random.bytes(100_000)
        let large = try repository.add(
            shared + random.bytes(1_200_000), to: "large", vault: vault).snapshot
        try add(shared, to: "small")
        let other = try repository.add(random.bytes(150_000), to: "other", vault: vault).snapshot
        rows.replaceSubrange(90_000..<90_100, with: random.bytes(100))
        let tree: [(path: Path, bytes: [UInt8])] = [
            ("tree/a", random.bytes(70_000)), ("tree/deep/b", random.bytes(10)),
            ("tree/deep/empty", []),
        ]
        try Self.write(tree, below: root)
        let selection = FileSelection(paths: [root / "tree"])
        savedTree = try save(AddRequest(series: "tree", source: .files(selection)), vault)
        self.tree = tree
        self.kept = kept
        dropped = [large, other]
        next = rows + random.bytes(200_000)
        var files: [(path: Path, bytes: [UInt8])] = []
        try Self.gather(root, "repository", into: &files)
        try Self.gather(root, "cache", into: &files)
        self.files = files
    }

    private static func gather(
        _ root: Path, _ relative: Path, into files: inout [(path: Path, bytes: [UInt8])]
    ) throws {
        let directories = Directories(.kernel)
        for name in try directories.names(root / relative) ?? [] {
            let path = relative / name
            guard let status = try directories.status(root / path) else { continue }
            if status.kind == .directory {
                try gather(root, path, into: &files)
            } else {
                files.append((path, try directories.contents(of: root / path, limit: 1 << 30)))
            }
        }
    }

    static func write(_ files: [(path: Path, bytes: [UInt8])], below root: Path) throws {
        for (path, bytes) in files {
            try makeDirectory((root / path).parent)
            try writeFile(bytes, root / path)
        }
    }

    /// Not made durable, as `Directories` would.
    private static func makeDirectory(_ path: Path) throws {
        let result = SystemCalls.kernel.mkdir(path, 0o700)
        if result == -ENOENT {
            try makeDirectory(path.parent)
            return try makeDirectory(path)
        }
        guard result == 0 || result == -EEXIST else { throw FileError("make", path, code: -result) }
    }
}

private func save(_ request: AddRequest, _ vault: Vault) throws -> Snapshot {
    try Operations.add(request, to: vault).snapshot
}

/// A copy of it, and a client on a kernel.
private struct Trial {
    let prepared: Prepared
    let directory = TemporaryDirectory()
    var root: Path { Path(directory.path) }

    init(_ prepared: Prepared) throws {
        self.prepared = prepared
        try Prepared.write(prepared.files, below: root)
        try Prepared.write(prepared.tree, below: root)
        try writeFile(prepared.next, root / "next")
    }

    func open(_ calls: SystemCalls) throws -> Vault {
        let surroundings = testSurroundings(seed: testSeed &+ 1, workers: 0, calls: calls)
        let store = DirectoryStore(
            root / "repository", calls: calls, randomBytes: surroundings.randomBytes)
        return try Vault.open(
            store, with: key(), surroundings: surroundings, cacheParent: root / "cache")
    }

    /// What is wrong with the repository and all that was in it.
    /// - Parameter saved: what was acknowledged besides.
    func problems(saved: (snapshot: Snapshot, bytes: [UInt8])?) throws -> [String] {
        var problems: [String] = []
        let vault = try open(.kernel)
        let outcome = try check(CheckRequest(readDataPercent: 100), vault)
        if outcome.exitCode != .done { problems.append("\(outcome.damages)") }
        let there = Set(try History.load(vault).snapshots.map { $0.id })
        for (snapshot, bytes) in prepared.kept + (saved.map { [$0] } ?? []) {
            let target = root / "proof"
            guard there.contains(snapshot.id) else {
                problems.append("\(snapshot.id) is gone")
                continue
            }
            _ = try restore(
                RestoreRequest(snapshot: snapshot, target: target, overwrite: true), from: vault)
            if try Directories(.kernel).contents(of: target, limit: 1 << 30) != bytes {
                problems.append("\(snapshot.id) is another")
            }
        }
        return problems
    }
}

/// What a user asks for.
private enum Verb: String, CaseIterable, CustomTestStringConvertible {
    case add, addFiles, restore, restoreFiles, prune, forget, check

    var testDescription: String { rawValue }

    /// Does it, and says what is wrong with what it made.
    /// - Parameter saved: set when something was acknowledged.
    func run(
        _ trial: Trial, _ calls: SystemCalls,
        _ saved: inout (snapshot: Snapshot, bytes: [UInt8])?
    ) throws -> [String] {
        let vault = try trial.open(calls)
        let prepared = trial.prepared
        switch self {
        case .add:
            let request = AddRequest(series: "shop", source: .file(trial.root / "next"))
            saved = (try save(request, vault), prepared.next)
        case .addFiles:
            let selection = FileSelection(paths: [trial.root / "tree"])
            let request = AddRequest(series: "tree2", source: .files(selection))
            let outcome = try Operations.add(request, to: vault)
            // A file that cannot be read is a reservation.
            if outcome.reservations.isEmpty {
                return try treeProblems(trial, outcome.snapshot, trial.open(.kernel))
            }
        case .restore:
            let (snapshot, bytes) = prepared.kept[1]
            let target = trial.root / "restored"
            var failure: (any Error)?
            do {
                _ = try Operations.restore(
                    RestoreRequest(snapshot: snapshot, target: target), from: vault)
            } catch { failure = error }
            let there = try? Directories(.kernel).contents(of: target, limit: 1 << 30)
            // What stands under its name is whole, whatever became of the rest.
            if let there, there != bytes { return ["what was restored is another"] }
            if let failure { throw failure }
            if there == nil { return ["nothing was restored"] }
        case .restoreFiles:
            return try treeProblems(trial, prepared.savedTree, vault)
        case .prune:
            var request = PruneRequest(try History.load(vault))
            request.options.grace = 0
            request.options.unusedMax = 0
            let there = request.history.snapshots
            request.dropped = prepared.dropped.filter { one in there.contains { $0.id == one.id } }
            let outcome = try Operations.prune(request, vault)
            if outcome.snapshotsDropped < request.dropped.count {
                return ["\(outcome.kept)"]
            }
        case .forget:
            let there = try History.load(vault).snapshots
            let gone = prepared.dropped[1].id
            guard there.contains(where: { $0.id == gone }) else { return [] }
            _ = try Operations.forget(
                ForgetRequest(references: [Reference("\(gone)")], allowEmpty: true), in: vault)
        case .check:
            let outcome = try Operations.check(CheckRequest(readDataPercent: 100), vault)
            // What cannot be read may be called damaged, but not sound.
            if outcome.exitCode == .done { return [] }
            throw Unsound(outcome: outcome)
        }
        return []
    }

    private func treeProblems(_ trial: Trial, _ snapshot: Snapshot, _ vault: Vault) throws
        -> [String]
    {
        let target = trial.root / "files"
        let outcome = try Operations.restore(
            RestoreRequest(snapshot: snapshot, target: target), from: vault)
        // What could not be set, such as an owner, is told.
        guard outcome.notes.isEmpty else { return [] }
        func isThere(_ path: Path, _ bytes: [UInt8]) -> Bool {
            (try? Directories(.kernel).contents(of: path, limit: 1 << 30)) == bytes
        }
        return trial.prepared.tree.filter { entry in
            !places(of: entry.path.name, below: target).contains { isThere($0, entry.bytes) }
        }.map { "\($0.path) is another" }
    }

    /// Where something of this name lies.
    private func places(of name: Path, below root: Path) -> [Path] {
        guard let names = try? Directories(.kernel).names(root) else { return [] }
        return names.flatMap { $0 == name ? [root / $0] : places(of: name, below: root / $0) }
    }
}

private struct Unsound: Explained {
    let outcome: CheckOutcome
    var message: String { "\(outcome.damages)" }
    var hint: String? { nil }
    var exitCode: ExitCode { outcome.exitCode }
}

private let prepared = Result { try Prepared() }

@Test(arguments: Verb.allCases, [false, true])
private func `whatever call fails, nothing wrong comes of it, and the next run succeeds`(
    _ verb: Verb, isForGood: Bool
) throws {
    let prepared = try prepared.get()
    var total = 0
    do {
        let kernel = FaultyKernel()
        let trial = try Trial(prepared)
        var saved: (snapshot: Snapshot, bytes: [UInt8])?
        #expect(try verb.run(trial, kernel.calls, &saved) == [])
        total = kernel.count
    }
    var random = SeededRandom(seed: announcedSeed() &+ UInt64(total))
    let step = isLong ? 1 : 29
    var (runs, survived, failed) = (0, 0, 0)
    for fault in KernelFault.allCases {
        for number in stride(from: random.number(0...(step - 1)), to: total, by: step) {
            let kernel = FaultyKernel(.init(fault: fault, after: number, isForGood: isForGood))
            let trial = try Trial(prepared)
            var saved: (snapshot: Snapshot, bytes: [UInt8])?
            var problems: [String] = []
            var isDone = false
            do {
                problems = try verb.run(trial, kernel.calls, &saved)
                isDone = true
            } catch {
                if !(error is any Explained) { problems.append("\(type(of: error)): \(error)") }
            }
            // Nothing that it could have failed of: the calls that come after are of another kind.
            guard kernel.hits > 0 else { continue }
            runs += 1
            if isDone { survived += 1 } else { failed += 1 }
            do {
                problems += try trial.problems(saved: saved)
                var again: (snapshot: Snapshot, bytes: [UInt8])?
                try Directories(.kernel).remove(trial.root / "restored")
                try trial.removeRestored()
                problems += try verb.run(trial, .kernel, &again).map { "the next run: \($0)" }
            } catch {
                problems.append("then: \(error)")
            }
            for problem in problems {
                Issue.record("\(fault) at \(number) of \(total), \(kernel.firstHit): \(problem)")
            }
        }
    }
    print(
        "# system calls: \(verb.rawValue) makes \(total); \(runs) faults\(isForGood ? " for good" : ""): \(survived) survived, \(failed) failed and said so"
    )
    #expect(runs > 0)
}

extension Trial {
    /// Of files that were restored, nothing stays.
    fileprivate func removeRestored() throws {
        let files = root / "files"
        if try Directories(.kernel).status(files) != nil {
            guard SystemCalls.kernel.rename(files, root / "files-before") == 0 else {
                throw FileError("rename", files, code: EIO)
            }
        }
    }
}
