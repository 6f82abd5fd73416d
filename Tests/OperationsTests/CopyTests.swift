import ChunkIndex
import Faults
import Files
import ObjectStorage
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// Two repositories: of different keys, or of the same.
private struct Pair {
    let here: TestRepository
    let there: TestRepository
    let sharesKeys: Bool

    init(sharesKeys: Bool, through store: (any ObjectStore)? = nil) throws {
        self.sharesKeys = sharesKeys
        here = try TestRepository()
        guard sharesKeys else {
            there = try TestRepository(
                store: store, surroundings: testSurroundings(seed: testSeed &+ 1))
            return
        }
        let store = store ?? MemoryStore()
        _ = try Vault.create(
            in: store, sharing: try here.open(), with: key(),
            surroundings: testSurroundings(seed: testSeed &+ 2))
        there = try TestRepository(
            sharing: store, surroundings: testSurroundings(seed: testSeed &+ 3))
    }

    @discardableResult
    func copy(_ request: CopyRequest = CopyRequest(), cache: String = "cache") throws
        -> CopyOutcome
    {
        let outcome = try Operations.copy(
            request, from: try here.open(), to: try there.open(cache: cache))
        #expect(outcome.isVerbatim == sharesKeys)
        return outcome
    }

    /// The snapshots there, oldest first.
    func copies() throws -> [Snapshot] { try History.load(there.open()).snapshots }

    func expectSound() throws {
        let outcome = try check(CheckRequest(readDataPercent: 100), there.open())
        #expect(outcome.exitCode == .done)
        #expect(outcome.damages == [])
    }
}

private func reference(_ snapshot: Snapshot) -> String { "\(snapshot.id)" }

@Test(arguments: [false, true])
func `copies of nights restore bit by bit, and a second run sends nothing`(
    _ sharesKeys: Bool
) throws {
    let pair = try Pair(sharesKeys: sharesKeys)
    var nights = Nights(seed: announcedSeed(), byteCount: 400_000...900_000)
    var streams: [[UInt8]] = []
    for _ in 0..<12 {
        streams.append(nights.stream)
        try pair.here.add(nights.stream, to: "shop")
        nights.pass()
    }
    let first = try pair.copy()
    #expect(first.copied.count == 12)
    #expect(first.failed.isEmpty && first.damages.isEmpty)
    #expect(first.bytesVerified > 0)
    let copies = try pair.copies()
    #expect(copies.count == 12)
    for (copy, stream) in zip(copies, streams) {
        #expect(try pair.there.cat(reference(copy)) == stream)
    }
    let originals = try History.load(pair.here.open()).snapshots
    #expect(
        copies.map { $0.head.origin?.snapshot } == originals.map { Optional($0.id) })
    #expect(copies.map { $0.head.time } == originals.map { $0.head.time })
    // The parent of a copy is the copy of the parent.
    #expect(copies.dropFirst().map { $0.head.parent } == copies.dropLast().map { Optional($0.id) })
    try pair.expectSound()

    let second = try pair.copy()
    #expect(second.copied.isEmpty && second.already == 12)
    #expect(second.bytesSent == 0 && second.objectsSent == 0)
    // One more night is sent as what it is here: a delta.
    streams.append(nights.stream)
    let last = try pair.here.add(nights.stream, to: "shop")
    let third = try pair.copy()
    #expect(third.copied.count == 1)
    #expect(third.bytesSent < 2 * last.snapshot.head.bytesStored + 20_000)
    #expect(try pair.there.cat("shop") == nights.stream)
    try pair.expectSound()
}

@Test(arguments: [false, true])
func `what a delta stands on comes along, and no more of it than is needed`(
    _ sharesKeys: Bool
) throws {
    let pair = try Pair(sharesKeys: sharesKeys)
    var random = SeededRandom(seed: announcedSeed())
    var rows = random.bytes(600_000)
    var last: [UInt8] = []
    for night in 0..<6 {
        last = rows
        try pair.here.add(rows, to: "shop")
        for _ in 0..<10 {
            let at = random.number(0...(rows.count - 50))
            rows.replaceSubrange(at..<(at + 40), with: repeatElement(UInt8(night), count: 40))
        }
    }
    let newest = try #require(try History.load(pair.here.open()).snapshots.last)
    let outcome = try pair.copy(CopyRequest(references: [Reference(reference(newest))]))
    #expect(outcome.copied.count == 1)
    #expect(outcome.bytesSent < 1_000_000)
    #expect(try pair.there.cat("shop") == last)
    try pair.expectSound()
    // The others need little more than their lists.
    let rest = try pair.copy()
    #expect(rest.copied.count == 5)
    #expect(rest.bytesSent < 500_000)
    try pair.expectSound()
}

@Test(arguments: [false, true])
func `files, archives, zeros, tables and small snapshots are copied as they are`(
    _ sharesKeys: Bool
) throws {
    let pair = try Pair(sharesKeys: sharesKeys)
    var random = SeededRandom(seed: announcedSeed())
    // Small: carried by the manifest; twice, so that one stands on a pack or on nothing.
    let small = random.bytes(3000)
    try pair.here.add(small, to: "small")
    try pair.here.add(small + random.bytes(100), to: "small")
    let zeros =
        random.bytes(50_000) + [UInt8](repeating: 0, count: 3_000_000) + random.bytes(70_000)
    try pair.here.add(zeros, to: "zeros")
    let repeated = Array(
        repeatElement([UInt8](repeating: 7, count: 131_072), count: 40).joined())
    try pair.here.add(repeated, to: "repeated")
    let dump = mysqlDump(&random, rowBytes: 300_000)
    try pair.here.add(dump, to: "dump")
    let files = (0..<40).map { number in
        TestArchive.Part("base/file\(number)", random.bytes(random.number(0...60_000)))
    }
    let tar = TestArchive.tar(files)
    try pair.here.add(tar, to: "archive")
    // A long enough list of members to have chunks of its own.
    let many = (0..<3000).map {
        TestArchive.Part("many/a-name-that-takes-some-room-\($0)", [UInt8($0 % 251)])
    }
    try pair.here.add(TestArchive.tar(many), to: "many")

    let tree = Path(pair.here.directory.path) / "tree"
    try Directories(.kernel).make(tree)
    var contents: [String: [UInt8]] = [:]
    for number in 0..<30 {
        contents["f\(number)"] = random.bytes(random.number(0...40_000))
        try writeFile(contents["f\(number)"]!, tree / "f\(number)")
    }
    _ = try add(
        AddRequest(series: "files", source: .files(FileSelection(paths: [tree]))),
        to: pair.here.open())

    #expect(try pair.copy().failed.isEmpty)
    try pair.expectSound()
    #expect(try pair.there.cat("small") == pair.here.cat("small"))
    #expect(try pair.there.cat("zeros") == zeros)
    #expect(try pair.there.cat("repeated") == repeated)
    #expect(try pair.there.cat("dump") == dump)
    #expect(try pair.there.cat("archive") == tar)
    #expect(try pair.there.cat("many") == TestArchive.tar(many))
    let vault = try pair.there.open()
    let history = try History.load(vault)
    let target = Path(pair.there.directory.path) / "restored"
    let snapshot = try Reference("files").resolve(in: history)
    let restored = try restore(RestoreRequest(snapshot: snapshot, target: target), from: vault)
    #expect(restored.files == 31)
    for (name, content) in contents {
        let path = Path("\(target)\(tree)") / name
        #expect(try Directories(.kernel).contents(of: path, limit: 1 << 20) == content)
    }
    // Members and tables are found in the copies, too.
    var members = 0
    try readMembers(of: try Reference("archive").resolve(in: history), in: vault) { _ in
        members += 1
    }
    #expect(members == 40)
    let tables = try readTables(of: try Reference("dump").resolve(in: history), in: vault)
    #expect(tables.map { $0.name } == ["orders"])
    #expect(try pair.copy().objectsSent == 0)
}

@Test(arguments: [false, true])
func `a copy that is stopped at any request goes on where it was`(_ sharesKeys: Bool) throws {
    let gate = StoppingStore(MemoryStore())
    let pair = try Pair(sharesKeys: sharesKeys, through: gate)
    var nights = Nights(seed: announcedSeed(), byteCount: 300_000...500_000)
    var streams: [[UInt8]] = []
    for _ in 0..<4 {
        streams.append(nights.stream)
        try pair.here.add(nights.stream, to: "shop")
        nights.pass()
    }
    var stops = 0
    // Each run may write a few objects more than the one before it.
    while true {
        gate.allow(writes: 3)
        do {
            try pair.copy(cache: "cache\(stops % 2)")
            break
        } catch is StoppingStore.Stopped {
            stops += 1
        }
        #expect(stops < 60, "it does not come to an end")
        if stops >= 60 { break }
    }
    #expect(stops >= 3)
    gate.allow(writes: .max)
    let copies = try pair.copies()
    #expect(copies.count == 4)
    for (copy, stream) in zip(copies, streams) {
        #expect(try pair.there.cat(reference(copy)) == stream)
    }
    let outcome = try check(CheckRequest(readDataPercent: 100), pair.there.open())
    #expect(outcome.damages == [])
}

@Test(arguments: [false, true])
func `an increment is copied with all that it needs, and tied to the copies of that`(
    _ sharesKeys: Bool
) throws {
    let pair = try Pair(sharesKeys: sharesKeys)
    let vault = try pair.here.open()
    try pair.here.add(TestArchive.backup(0, 100), to: "s", vault: vault)
    try pair.here.add(TestArchive.backup(0, 90), to: "other", vault: vault)
    try pair.here.add(TestArchive.backup(100, 150), to: "s", vault: vault)
    let last = try pair.here.add(TestArchive.backup(150, 180), to: "s", vault: vault).snapshot
    let outcome = try pair.copy(CopyRequest(references: [Reference(reference(last))]))
    #expect(outcome.copied.map { $0.source.head.sequenceNumbers?.to } == [100, 150, 180])
    let copies = outcome.copied.map { $0.snapshot }
    #expect(copies.map { $0.head.needs } == [nil, copies[0].id, copies[1].id])
    #expect(copies.map { $0.head.parent } == [nil, copies[0].id, copies[1].id])
    #expect(copies.map { $0.head.base } == [nil, copies[0].id, copies[0].id])
    #expect(try pair.there.cat("s") == TestArchive.backup(150, 180))
    // What a copy needs is not forgotten there, and goes on from there.
    #expect(throws: OperationError.self) {
        try forget(
            ForgetRequest(references: [Reference(reference(copies[1]))]), in: pair.there.open())
    }
    let next = try pair.there.add(TestArchive.backup(180, 200), to: "s").snapshot
    #expect(next.head.needs == copies[2].id)
}

@Test func `copies go back to where they were lost`() throws {
    let pair = try Pair(sharesKeys: false)
    var nights = Nights(seed: announcedSeed(), byteCount: 300_000...500_000)
    for _ in 0..<3 {
        try pair.here.add(nights.stream, to: "shop")
        nights.pass()
    }
    try pair.copy()
    // Back to where they come from they are known.
    let back = try Operations.copy(
        CopyRequest(), from: try pair.there.open(), to: try pair.here.open())
    #expect(back.copied.isEmpty && back.already == 3)
    // A third repository sees where they were made first, whichever way they come.
    let third = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 9))
    _ = try Operations.copy(CopyRequest(), from: try pair.there.open(), to: try third.open())
    let again = try Operations.copy(
        CopyRequest(), from: try pair.here.open(), to: try third.open())
    #expect(again.copied.isEmpty && again.already == 3)
    #expect(try third.cat("shop") == pair.here.cat("shop"))
}

@Test(arguments: [false, true])
func `what is damaged here is named and keeps nothing else from being copied`(
    _ sharesKeys: Bool
) throws {
    let pair = try Pair(sharesKeys: sharesKeys)
    var random = SeededRandom(seed: announcedSeed())
    let (first, second) = (random.bytes(500_000), random.bytes(500_000))
    try pair.here.add(first, to: "first")
    let before = Set(try pair.here.packs)
    try pair.here.add(second, to: "second")
    // One byte in the middle of a pack of the second.
    let pack = try #require(try pair.here.packs.first { !before.contains($0) })
    let name = ObjectName.pack(.shared, pack)
    var bytes = try pair.here.store.get(name)
    bytes[bytes.count / 3] ^= 1
    try pair.here.store.remove(name)
    try pair.here.store.put(name, bytes)
    let outcome = try pair.copy()
    #expect(outcome.copied.map { $0.source.head.series } == ["first"])
    #expect(outcome.failed.map { $0.source.head.series } == ["second"])
    #expect(outcome.exitCode == .damage)
    #expect(try pair.there.cat("first") == first)
    let sound = try check(CheckRequest(readDataPercent: 100), pair.there.open())
    #expect(sound.damages == [])
}

@Test func `a store that keeps something else than was sent is found out at the end`() throws {
    let store = LyingStore(MemoryStore())
    let pair = try Pair(sharesKeys: false, through: store)
    var random = SeededRandom(seed: announcedSeed())
    try pair.here.add(random.bytes(400_000), to: "shop")
    store.lies()
    let outcome = try pair.copy()
    #expect(!outcome.damages.isEmpty)
    #expect(outcome.exitCode == .damage)
}

@Test func `with parameters copied what is added to both is stored once`() throws {
    let here = try TestRepository()
    let store = MemoryStore()
    _ = try Vault.create(
        in: store, with: key(9), label: nil, surroundings: testSurroundings(seed: 77),
        cacheParent: nil, cuttingLike: try here.open())
    let there = try TestRepository(
        sharing: store, surroundings: testSurroundings(seed: testSeed &+ 4))
    func openThere() throws -> Vault { try there.open(key(9)) }
    var random = SeededRandom(seed: announcedSeed())
    let dump = mysqlDump(&random, rowBytes: 2_000_000)
    try here.add(dump, to: "shop")
    _ = try Operations.copy(CopyRequest(), from: try here.open(), to: try openThere())
    let added = try there.add(dump, to: "shop", vault: try openThere())
    #expect(added.chunksNew == 0)
    // Without, the cuts lie elsewhere.
    let other = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 5))
    _ = try Operations.copy(CopyRequest(), from: try here.open(), to: try other.open())
    #expect(try other.add(dump, to: "shop").chunksNew > 50)
    // A copy of the keys keeps to it.
    let twin = MemoryStore()
    let made = try Vault.create(
        in: twin, sharing: try openThere(), with: key(9), surroundings: testSurroundings(seed: 78))
    let box = try openThere().config.cutKey
    #expect(box != nil && made.config.cutKey != nil && made.config.cutKey != box)
    let twins = try TestRepository(
        sharing: twin, surroundings: testSurroundings(seed: testSeed &+ 6))
    _ = try Operations.copy(
        CopyRequest(), from: try openThere(), to: try twins.open(key(9)))
    #expect(try twins.add(dump, to: "shop", vault: try twins.open(key(9))).chunksNew == 0)
}

@Test func `a maintain key copies what it cannot read, to the same keys only`() throws {
    let pair = try Pair(sharesKeys: true)
    var random = SeededRandom(seed: announcedSeed())
    let bytes = random.bytes(400_000)
    try pair.here.add(bytes, to: "shop")
    let keeper = key(3)
    _ = try pair.here.open().addKey(.maintain, keeper, label: nil)
    _ = try pair.there.open().addKey(.maintain, key(3), label: nil)
    let outcome = try Operations.copy(
        CopyRequest(), from: try pair.here.open(key(3)), to: try pair.there.open(key(3)))
    #expect(outcome.copied.count == 1 && outcome.exitCode == .done)
    #expect(try pair.there.cat("shop") == bytes)
    let other = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 8))
    #expect(throws: CopyError.self) {
        try Operations.copy(
            CopyRequest(), from: try pair.here.open(key(3)), to: try other.open())
    }
}

@Test func `with a write key copies go to its own domain`() throws {
    let here = try TestRepository()
    let there = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 1))
    _ = try there.open().addKey(.write, key(4), label: nil)
    var nights = Nights(seed: announcedSeed(), byteCount: 300_000...500_000)
    for _ in 0..<3 {
        try here.add(nights.stream, to: "shop")
        nights.pass()
    }
    let writer = try there.open(key(4), cache: "writer")
    let outcome = try Operations.copy(CopyRequest(), from: try here.open(), to: writer)
    #expect(outcome.copied.count == 3 && outcome.exitCode == .done)
    #expect(outcome.copied.allSatisfy { $0.snapshot.domain == writer.ownDomain })
    #expect(try there.cat("shop") == here.cat("shop"))
    #expect(try check(CheckRequest(readDataPercent: 100), there.open()).damages == [])
    let again = try Operations.copy(
        CopyRequest(), from: try here.open(), to: try there.open(key(4), cache: "other"))
    #expect(again.objectsSent == 0)
}

@Test func `what somebody with a write key claims to be a copy keeps nothing from being copied`() throws {
    let here = try TestRepository()
    let there = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 1))
    _ = try there.open().addKey(.write, key(4), label: nil)
    try here.add([1, 2, 3], to: "shop")
    // As good as a claim: it is one of whom nobody can tell that it is true.
    let writer = try there.open(key(4), cache: "writer")
    _ = try Operations.copy(CopyRequest(), from: try here.open(), to: writer)
    func copy() throws -> CopyOutcome {
        try Operations.copy(CopyRequest(), from: try here.open(), to: try there.open())
    }
    let first = try copy()
    #expect(first.copied.map { $0.snapshot.domain } == [.shared])
    let second = try copy()
    #expect(second.copied.isEmpty && second.already == 1)
    // Back where it was made nothing comes twice.
    let back = try Operations.copy(CopyRequest(), from: try there.open(), to: try here.open())
    #expect(back.copied.isEmpty, "\(back.copied)")
}

@Test func `a repository is not copied to itself`() throws {
    let here = try TestRepository()
    #expect(throws: CopyError.self) {
        try Operations.copy(CopyRequest(), from: try here.open(), to: try here.open())
    }
}
