import CLinux
import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// A tree of files of many sizes, and how it is saved night by night.
private struct Tree {
    let repository: TestRepository
    let top: Path
    let gate: GatedCalls

    init() throws {
        let gate = GatedCalls()
        self.gate = gate
        // By this clock all files are older than their snapshots.
        repository = try TestRepository(
            surroundings: testSurroundings(calls: gate.calls, now: tick(from: 4_000_000_000_000)))
        top = repository.path("tree")
        #expect(mkdir("\(top)", 0o700) == 0)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws { try writeFile(bytes, top / Path(name)) }

    func add(_ kind: Head.Kind?, parent: String? = nil) throws -> AddOutcome {
        var request = AddRequest(
            series: "tree", source: .files(FileSelection(paths: [top])))
        request.kind = kind
        request.parent = parent.map { Reference($0) }
        return try Operations.add(request, to: repository.open())
    }

    /// The names of files of the tree that were opened in `body`, sorted.
    func opened(_ body: () throws -> Void) rethrows -> [String] {
        let before = gate.made.count
        try body()
        return gate.made.dropFirst(before).filter {
            $0.name == "open" && $0.path.parent == top
        }.map { $0.path.name.description }.sorted()
    }

    /// Restores the latest snapshot and compares it with the tree.
    func expectSame(_ name: String) throws {
        try repository.restoreFiles("tree", to: name)
        let out = repository.path(name) / Path(bytes: Array(top.bytes.dropFirst()))
        let directories = Directories(.kernel)
        let names = try #require(try directories.names(top))
        #expect(try directories.names(out) == names)
        for file in names {
            #expect(
                try repository.contents(out / file) == repository.contents(top / file), "\(file)")
        }
    }
}

private let sizes = [0, 1, 100, 4000, 8191, 8192, 8193, 20_000, 131_072, 200_000, 1_500_000]

private func fill(_ tree: Tree, _ random: inout SeededRandom) throws {
    for (number, size) in sizes.enumerated() {
        try tree.write("r\(10 + number)", random.bytes(size))
        // Zeros and repeats meet those of the neighbors in the list.
        try tree.write("z\(10 + number)", Array(repeating: 0, count: size))
        try tree.write("p\(10 + number)", Array(repeating: 7, count: size))
    }
}

@Test func `an incremental opens what changed, and restores to the same`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let tree = try Tree()
    try fill(tree, &random)
    _ = try tree.add(.full)
    for round in 0..<6 {
        var changed: Set<String> = []
        for _ in 0..<4 {
            let number = random.number(0...(sizes.count - 1))
            let file = "\(["r", "z", "p"][random.number(0...2)])\(10 + number)"
            changed.insert(file)
            try tree.write(file, random.bytes(sizes[number]))
        }
        let fresh = "n\(round)"
        try tree.write(fresh, random.bytes(30_000))
        changed.insert(fresh)
        var outcome: AddOutcome?
        let opened = try tree.opened { outcome = try tree.add(.incremental) }
        #expect(opened == changed.sorted())
        #expect(outcome?.snapshot.head.kind == .incremental)
        #expect(outcome?.files?.count == 1 + 3 * sizes.count + round + 1)
        try tree.expectSame("out\(round)")
    }
    // The list is the one that reading everything gives.
    let full = try tree.add(.full)
    #expect(full.snapshot.head.bytesNew == 0)
    try tree.expectSame("full")
    #expect(try check(CheckRequest(readDataPercent: 100), tree.repository.open()).exitCode == .done)
}

@Test func `a differential is held against the last full`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let tree = try Tree()
    try fill(tree, &random)
    let full = try tree.add(.full)
    try tree.write("r15", random.bytes(9000))
    _ = try tree.add(.incremental)
    try tree.write("r16", random.bytes(9000))
    var outcome: AddOutcome?
    #expect(try tree.opened { outcome = try tree.add(.differential) } == ["r15", "r16"])
    #expect(outcome?.snapshot.head.parent == full.snapshot.id)
    #expect(outcome?.snapshot.head.needs == nil)
    try tree.expectSame("out")
}

@Test func `what the parent's packs do not hold any more is read again`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let tree = try Tree()
    try fill(tree, &random)
    _ = try tree.add(.full)
    for pack in try tree.repository.packs { try tree.repository.store.remove(.pack(.shared, pack)) }
    let opened = try tree.opened { _ = try tree.add(.incremental) }
    #expect(Set(opened).isSuperset(of: ["r15", "r18", "r20"]), "\(opened)")
    try tree.expectSame("out")
}

@Test func `a file of the same length and time but of another inode or ctime is read`() throws {
    let tree = try Tree()
    try tree.write("a", Array(repeating: 1, count: 50_000))
    try tree.write("b", Array(repeating: 2, count: 50_000))
    _ = try tree.add(.full)
    let directories = Directories(.kernel)
    let status = try #require(try directories.status(tree.top / "a"))
    try tree.write("a", Array(repeating: 3, count: 50_000))
    let result = SystemCalls.kernel.setTimes(
        tree.top / "a", Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
    #expect(result == 0)
    #expect(try tree.opened { _ = try tree.add(.incremental) } == ["a"])
    try tree.expectSame("out")
}

@Test func `a file that changed within a tick of the parent's beginning is read again`() throws {
    let repository = try TestRepository(
        surroundings: testSurroundings(now: tick(from: 1_000_000_000_000)))
    let top = repository.path("tree")
    #expect(mkdir("\(top)", 0o700) == 0)
    try writeFile(Array(repeating: 1, count: 20_000), top / "a")
    var request = AddRequest(series: "tree", source: .files(FileSelection(paths: [top])))
    _ = try Operations.add(request, to: repository.open())
    request.kind = .incremental
    // To this clock the file was changed after the full began.
    #expect(try Operations.add(request, to: repository.open()).files?.unchanged == 0)
}

@Test func `a file that is not what was saved is named, whichever way it is read`() throws {
    let repository = try TestRepository()
    let file = repository.path("a")
    try writeFile([1, 2, 3], file)
    let outcome = try repository.addFiles(FileSelection(paths: [file]))
    var manifest = outcome.manifest
    let index = try #require(manifest.streams.firstIndex { $0.role == .data })
    #expect(manifest.streams[index].sumsFiles)
    // The same content has another checksum under another key.
    manifest.streams[index].checksumKey[0] ^= 1
    try repository.commit(manifest)
    let name = String("\(file)".dropFirst())
    for read in [
        { _ = try repository.restoreFiles(to: "out") }, { _ = try repository.cat(member: name) },
    ] {
        #expect {
            try read()
        } throws: { error in
            "\((error as? OperationError)?.message ?? "")".contains(name)
        }
    }
}

extension TestRepository {
    /// Commits a manifest that an `add` would never write, as the latest of its series.
    fileprivate func commit(_ manifest: Manifest) throws {
        let context = try open().requiredContext(.shared)
        let store = SnapshotStore(context)
        let id = try context.newID("snapshot")
        var manifest = manifest
        manifest.head.time += 1
        manifest.head.sequence += 1
        let sealed = try store.seal(manifest, id: id)
        manifest.head.manifestHash = Digest32(SHA256.hash(sealed))
        try store.publish(sealed, id: id)
        try store.commit(try store.seal(manifest.head, id: id), id: id)
    }
}
