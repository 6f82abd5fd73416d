import CLinux
import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import PackStore
import Sealing
import Snapshots
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

extension TestRepository {
    /// A path below the test's directory.
    func path(_ name: String) -> Path { Path(directory.path) / name }

    func addFiles(_ selection: FileSelection, to series: String = "files") throws -> AddOutcome {
        try Operations.add(AddRequest(series: series, source: .files(selection)), to: open())
    }

    /// The paths in the catalog of the last snapshot, in its order.
    func catalogPaths(_ series: String = "files") throws -> [String] {
        let vault = try open()
        var paths: [String] = []
        try readCatalog(of: Reference(series).resolve(in: History.load(vault)), in: vault) {
            paths.append(String(decoding: $0.path, as: UTF8.self))
        }
        return paths
    }

    @discardableResult
    func restoreFiles(
        _ series: String = "files", to name: String, include: [String] = []
    ) throws -> RestoreOutcome {
        let vault = try open()
        let snapshot = try Reference(series).resolve(in: History.load(vault))
        return try restore(
            RestoreRequest(snapshot: snapshot, target: path(name), include: include), from: vault)
    }

    /// The bytes of one file of the last snapshot.
    func cat(member: String, of series: String = "files") throws -> [UInt8] {
        let vault = try open()
        let output = path("member")
        unlink("\(output)")
        let file = try Descriptor(creating: output, calls: .kernel)
        let snapshot = try Reference(series).resolve(in: History.load(vault))
        _ = try writeStream(of: snapshot, member: Path(member), to: file.number, from: vault)
        return try contents(output)
    }

    func contents(_ path: Path) throws -> [UInt8] {
        try Directories(.kernel).contents(of: path, limit: 64 << 20)
    }

    /// Commits a snapshot of files whose catalog an `add` would never write.
    func commit(_ catalog: [CatalogEntry], to series: String = "files") throws {
        let vault = try open()
        let context = try vault.requiredContext(.shared)
        let store = SnapshotStore(context)
        let id = try context.newID("snapshot")
        let content = catalog.flatMap { $0.bytes }
        let key = try context.random.draw("stream checksum", key: context.keys.auth)
        let checksum = StreamChecksum(key: key)
        content.withUnsafeBytes { checksum.update($0) }
        var head = Head(
            series: series, kind: .full, time: surroundings.now(), started: 0, ended: 0,
            completeness: .complete, evidence: .none, writer: id, sequence: 1)
        head.format = "files"
        let stream = Manifest.Stream(
            role: .catalog, contentClass: .list, byteCount: content.count, checksumKey: key,
            checksum: checksum.finish(), list: .content(content), cuttingRule: 0)
        let sealed = try store.seal(Manifest(head: head, streams: [stream]), id: id)
        head.manifestHash = Digest32(SHA256.hash(sealed))
        try store.publish(sealed, id: id)
        try store.commit(try store.seal(head, id: id), id: id)
    }
}

private func makeDirectory(_ path: Path) { #expect(mkdir("\(path)", 0o700) == 0) }

private func entry(_ path: String, kind: UInt8 = 1, link: String? = nil) -> CatalogEntry {
    var entry = CatalogEntry(path: Array(path.utf8), kind: kind)
    entry.mode = 0o600
    entry.hardLink = link.map { Array($0.utf8) }
    return entry
}

/// The kernel, but for one file, whose second read fails: the disk below it has a bad block.
private func badBlock(in name: String) -> GatedCalls {
    let reads = Atomic(0)
    return GatedCalls { call, _ in
        guard call.name == "pread", call.path.name.description == name else { return nil }
        return reads.wrappingAdd(1, ordering: .relaxed).newValue == 2 ? -EIO : nil
    }
}

@Test func `a file that could be read only in part leaves the files behind it as they were`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let gate = badBlock(in: "b")
    let repository = try TestRepository(surroundings: testSurroundings(calls: gate.calls))
    let tree = repository.path("tree")
    makeDirectory(tree)
    let files = [
        "a": random.bytes(100_000), "b": random.bytes(5_000_000), "c": random.bytes(300_000),
        "d": random.bytes(10),
    ]
    for (name, bytes) in files { try writeFile(bytes, tree / Path(name)) }
    let outcome = try repository.addFiles(FileSelection(paths: [tree]))
    #expect(outcome.reservations.count == 1)
    #expect(outcome.snapshot.head.completeness == .incomplete)

    let restored = try repository.restoreFiles(to: "out")
    #expect(restored.notes.count == 1, "\(restored.notes)")
    let below = Array("\(tree)".utf8.dropFirst())
    let out = repository.path("out") / Path(bytes: below)
    for name in ["a", "c", "d"] {
        #expect(try repository.contents(out / Path(name)) == files[name], "\(name)")
        let member = String(decoding: below, as: UTF8.self) + "/" + name
        #expect(try repository.cat(member: member) == files[name], "\(name)")
    }
    let part = try repository.contents(out / "b")
    #expect(!part.isEmpty && part.count < 5_000_000, "\(part.count) bytes could be read")
    #expect(files["b"]?.starts(with: part) == true)
}

/// Catalogs in which a second name leads nowhere that came before. Whoever follows them as they are
/// walks in a circle.
private let hostileLinks: [(String, [CatalogEntry])] = [
    ("each names the other", [entry("a", link: "b"), entry("b", link: "a")]),
    (
        "three in a circle",
        [entry("a", link: "b"), entry("b", link: "c"), entry("c", link: "a")]
    ),
    ("a later name", [entry("a", link: "b"), entry("b")]),
    ("a name of a name", [entry("c"), entry("b", link: "c"), entry("a", link: "b")]),
    ("a name that is not there", [entry("a", link: "b")]),
]

@Test(arguments: hostileLinks.indices)
func `a hard link that names no earlier file is refused as damage, and ends`(_ index: Int) throws {
    let (why, catalog) = hostileLinks[index]
    // What goes on for ever is asked to stop, and fails by that.
    let asked = Counter(0)
    var surroundings = testSurroundings()
    surroundings.stopRequested = { asked.next(adding: 1) > 10_000 ? SIGTERM : nil }
    let repository = try TestRepository(surroundings: surroundings)
    try repository.commit(catalog)
    let reading = #expect(throws: (any Error).self, "\(why)") {
        try repository.cat(member: "a")
    }
    #expect(
        (reading as? any Explained)?.exitCode == .damage, "\(why): \(String(describing: reading))")
    for include in [[], ["a"], ["b"]] {
        let restoring = #expect(throws: (any Error).self, "\(why), \(include)") {
            try repository.restoreFiles(to: "out-\(include)", include: include)
        }
        #expect(
            (restoring as? any Explained)?.exitCode == .damage,
            "\(why), \(include): \(String(describing: restoring))")
    }
}

@Test func `a hard link is not followed through a symbolic link out of the target`() throws {
    let repository = try TestRepository()
    makeDirectory(repository.path("outside"))
    try writeFile([1, 2, 3], repository.path("outside/secret"))
    var link = entry("way", kind: 3)
    link.linkTarget = repository.path("outside").bytes
    try repository.commit([link, entry("way-in", link: "way/secret")])
    #expect(throws: WireError.self) { try repository.restoreFiles(to: "out") }
    #expect(try Directories(.kernel).status(repository.path("out/way-in")) == nil)
}

@Test func `several names of one file come back as one, whichever of them is wanted`() throws {
    let repository = try TestRepository()
    let tree = repository.path("tree")
    makeDirectory(tree)
    try writeFile([1, 2, 3], tree / "a")
    for name in ["b", "c"] { #expect(link("\(tree)/a", "\(tree)/\(name)") == 0) }
    #expect(symlink("a", "\(tree)/s") == 0 && link("\(tree)/s", "\(tree)/t") == 0)
    _ = try repository.addFiles(FileSelection(paths: [tree]))
    let below = String("\(tree)".dropFirst())
    for (number, wanted) in [["a", "b", "c", "s", "t"], ["b", "c"], ["c"], ["t"]].enumerated() {
        let include = wanted.map { "\(below)/\($0)" }
        try repository.restoreFiles(to: "out\(number)", include: include)
        let out = repository.path("out\(number)") / below
        var inodes: Set<UInt64> = []
        for name in wanted {
            let status = try #require(try Directories(.kernel).status(out / name))
            inodes.insert(UInt64(status.st_ino))
            if status.kind == .file {
                #expect(try repository.contents(out / name) == [1, 2, 3], "\(name)")
            }
        }
        let files = wanted.contains("c") ? 1 : 0
        #expect(inodes.count == files + (wanted.contains("t") ? 1 : 0), "\(wanted)")
    }
    for name in ["a", "b", "c"] {
        #expect(try repository.cat(member: "\(below)/\(name)") == [1, 2, 3])
    }
}

@Test func `a place that is named beside the directory it lies in is saved once, and behind it`()
    throws
{
    let repository = try TestRepository()
    for name in ["a", "a/b", "a/b/c", "d"] { makeDirectory(repository.path(name)) }
    for name in ["a/b/c/f", "a/b/g", "a/h", "d/i"] { try writeFile([1], repository.path(name)) }
    let top = String("\(repository.path("a"))".dropFirst().dropLast())
    let walk = ["a", "a/b", "a/b/c", "a/b/c/f", "a/b/g", "a/h"]
    let cases: [(named: [String], excluded: [String], found: [String])] = [
        (["a", "a/b"], [], walk), (["a/b", "a"], [], walk), (["a/b/c", "a/b", "a"], [], walk),
        (["a/h", "a", "a/h", "a"], [], walk), (["d", "a/b/c", "a"], [], walk + ["d", "d/i"]),
        // What is named is saved, in its place or else at last; what it holds may be excluded.
        (["a/b", "a"], ["*/b"], ["a", "a/b", "a/h"]),
        (["a", "a/b/c"], ["*/b"], ["a", "a/h", "a/b/c"]),
        (["a/b/c/f", "a", "a/b/c"], ["*/b"], ["a", "a/h", "a/b/c", "a/b/c/f"]),
        (["a/b/c", "a/b/g"], [], ["a/b/c", "a/b/c/f", "a/b/g"]),
    ]
    for (number, (named, excluded, found)) in cases.enumerated() {
        let paths = named.map { repository.path($0) }
        _ = try repository.addFiles(
            FileSelection(paths: paths, excluded: excluded), to: "s\(number)")
        #expect(
            try repository.catalogPaths("s\(number)") == found.map { top + $0 }, "\(named)")
        try repository.restoreFiles("s\(number)", to: "out\(number)")
    }
}
