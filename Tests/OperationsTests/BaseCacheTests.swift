import Faults
import Files
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

/// A store that is said to be far, and counts what is read of its packs.
private final class FarStore: PassingStore {
    let under: any ObjectStore
    private let packReads = Mutex(0)

    init(_ store: any ObjectStore) { under = store }

    var packsRead: Int { packReads.withLock { $0 } }
    var isNear: Bool { false }
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        if case .pack = name { packReads.withLock { $0 += 1 } }
        return try under.read(name, at: offset, into: buffer)
    }
}

/// Two nights of one table, some rows of which have changed.
private func nights(_ random: inout SeededRandom) -> [[UInt8]] {
    let first = random.sqlRows(byteCount: 1_500_000)
    var second = first
    for _ in 0..<12 {
        let at = random.number(0...(second.count - 20))
        second.replaceSubrange(at..<(at + 3), with: Array("999".utf8))
    }
    return [first, second]
}

/// What the second of two nights must cost with deltas, and cannot without.
private let deltaBytesMax = 60_000

private func files(below path: Path) throws -> [Path] {
    let directories = Directories(.kernel)
    return try (directories.names(path) ?? []).flatMap { name -> [Path] in
        let child = path / name
        return try directories.status(child)?.kind == .directory
            ? try files(below: child) : [child]
    }
}

@Test func `a far store's nights stand on what the cache has`() throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let nights = nights(&random)
    let repository = try TestRepository()
    let far = FarStore(repository.store)
    try repository.add(nights[0], to: "shop", vault: repository.open(through: far))
    let second = try repository.add(nights[1], to: "shop", vault: repository.open(through: far))
    #expect(second.deltas.frames > 0)
    #expect(second.manifest.head.bytesStored < deltaBytesMax)
    #expect(far.packsRead == 0)
    #expect(try repository.cat("shop") == nights[1])
    #expect(
        try repository.cat("shop", vault: repository.open(cache: "other", through: far))
            == nights[1])
}

@Test(arguments: ["deleted", "too small", "of another repository", "damaged"])
func `a cache that is no use costs deltas, nothing else`(how: String) throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let nights = nights(&random)
    let repository = try TestRepository()
    let far = FarStore(repository.store)
    let bytesMax = how == "too small" ? 100_000 : nil
    func open() throws -> Vault {
        try repository.open(through: far, cacheBytesMax: bytesMax)
    }
    try repository.add(nights[0], to: "shop", vault: open())
    let packs = try files(below: repository.cache).filter { $0.description.contains("/packs/") }
    switch how {
    case "deleted": for pack in packs { try Directories(.kernel).remove(pack) }
    case "damaged", "of another repository":
        var bytes = random.bytes(100_000)
        if how == "of another repository" {
            let other = try TestRepository()
            try other.add(
                nights[0], to: "shop", vault: other.open(through: FarStore(other.store)))
            let theirs = try #require(
                try files(below: other.cache).first { $0.description.contains("/packs/packs/") })
            bytes = try Directories(.kernel).contents(of: theirs, limit: 1 << 26)
        }
        for pack in packs { try writeFile(bytes, pack) }
    default: #expect(packs.allSatisfy { !$0.description.contains("/packs/packs/") })
    }
    let second = try repository.add(nights[1], to: "shop", vault: open())
    #expect(second.deltas.frames == 0)
    #expect(second.manifest.head.bytesStored > deltaBytesMax)
    #expect(try repository.cat("shop") == nights[1])
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .done)
}

@Test func `the cache of packs keeps to its size and to what was of use last`() throws {
    var random = SeededRandom(seed: testSeed)
    let repository = try TestRepository()
    let far = FarStore(repository.store)
    let bytesMax = 1_500_000
    for series in ["a", "b", "c", "d", "e"] {
        let vault = try repository.open(through: far, cacheBytesMax: bytesMax)
        try repository.add(random.bytes(600_000), to: series, vault: vault)
    }
    let packs = try files(below: repository.cache).filter { $0.description.contains("/packs/") }
    let sizes = try packs.map { try Directories(.kernel).contents(of: $0, limit: 1 << 26).count }
    #expect(sizes.reduce(0, +) <= bytesMax)
    #expect(sizes.reduce(0, +) > bytesMax / 2)
}

/// A repository with a write key, and how to open it with that.
private func withWriteKey() throws -> (TestRepository, () -> Credential) {
    let repository = try TestRepository()
    _ = try repository.open().addKey(.write, key(42), label: "db1")
    return (repository, { key(42) })
}

@Test func `a write key makes deltas against what its machine wrote, and opens nothing else`()
    throws
{
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let nights = nights(&random)
    let (repository, writeKey) = try withWriteKey()
    try repository.add(nights[0], to: "shop", vault: repository.open(writeKey()))
    let second = try repository.add(nights[1], to: "shop", vault: repository.open(writeKey()))
    #expect(second.deltas.frames > 0)
    #expect(second.manifest.head.bytesStored < deltaBytesMax)
    #expect(try repository.cat(second.snapshot.id.description) == nights[1])
    #expect(throws: SealingError.self) {
        _ = try repository.cat("shop", vault: repository.open(writeKey()))
    }

    // Another machine with the same key keeps nothing of what this one wrote.
    let elsewhere = try repository.add(
        nights[0], to: "shop", vault: repository.open(writeKey(), cache: "elsewhere"))
    #expect(elsewhere.deltas.frames == 0)
}

@Test(arguments: ["envelopes", "machine-secret"])
func `without the keys it kept a write key adds plain`(what: String) throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let nights = nights(&random)
    let (repository, writeKey) = try withWriteKey()
    try repository.add(nights[0], to: "shop", vault: repository.open(writeKey()))
    for file in try files(below: repository.cache) where file.description.contains("/\(what)") {
        var bytes = try Directories(.kernel).contents(of: file, limit: 1 << 20)
        for place in bytes.indices where place % 7 == 3 { bytes[place] ^= 0x10 }
        try writeFile(bytes, file)
    }
    let second = try repository.add(nights[1], to: "shop", vault: repository.open(writeKey()))
    #expect(second.deltas.frames == 0)
    #expect(try repository.cat(second.snapshot.id.description) == nights[1])
}

@Test func `kept keys survive a record that was cut short`() throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let nights = nights(&random)
    let (repository, writeKey) = try withWriteKey()
    try repository.add(nights[0], to: "shop", vault: repository.open(writeKey()))
    let file = try #require(
        try files(below: repository.cache).first { $0.description.contains("/envelopes-") })
    try writeFile(
        Directories(.kernel).contents(of: file, limit: 1 << 20) + random.bytes(50), file)
    let second = try repository.add(nights[1], to: "shop", vault: repository.open(writeKey()))
    #expect(second.deltas.frames > 0)
    let third = try repository.add(nights[0], to: "shop", vault: repository.open(writeKey()))
    #expect(third.chunksNew == 0)
}
