import Faults
import Files
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// A repository of 1 MiB in memory with something of everything in it, to be damaged.
struct DamagedRepository {
    let repository: TestRepository
    /// As it was.
    let sound: MemoryStore
    let names: [ObjectName]
    /// What must come back of each snapshot, or an error.
    let saved: [(snapshot: Snapshot, bytes: [UInt8])]

    init() throws {
        let store = MemoryStore(now: tick())
        let repository = try TestRepository(
            store: store, surroundings: testSurroundings(workers: 0))
        let vault = try repository.open()
        var random = SeededRandom(seed: testSeed)
        var saved: [(snapshot: Snapshot, bytes: [UInt8])] = []
        func add(_ bytes: [UInt8], to series: String) throws {
            saved.append((try repository.add(bytes, to: series, vault: vault).snapshot, bytes))
        }
        // Packs of many sizes, one of which others stand on, and manifests that carry data.
        for number in 0..<9 { try add(random.bytes(80_000 + 5_000 * number), to: "random") }
        var dump = mysqlDump(&random, rowBytes: 300_000)
        try add(dump, to: "dump")
        for _ in 0..<3 {
            dump.replaceSubrange(2000..<2100, with: random.sqlRows(byteCount: 100).prefix(100))
            dump += random.bytes(30_000)
            try add(dump, to: "dump")
        }
        try add(random.bytes(500), to: "tiny")
        let gone = try repository.add([1, 2, 3], to: "gone", vault: vault)
        _ = try forget(
            ForgetRequest(references: [Reference("\(gone.snapshot.id)")], allowEmpty: true),
            in: vault)
        // A tombstone that stands: a pack was condemned and not deleted yet.
        let dropped = try repository.add(random.bytes(90_000), to: "gone", vault: vault)
        var request = PruneRequest(try History.load(vault))
        request.options.grace = 90_000
        request.dropped = [dropped.snapshot]
        _ = try prune(request, vault)
        self.saved = saved
        self.repository = repository
        names = try repository.objectNames
        sound = MemoryStore(copying: store)
    }

    func store() -> MemoryStore { MemoryStore(copying: sound) }

    func byteCount(of name: ObjectName) throws -> Int { try sound.byteCount(of: name) ?? 0 }

    /// - Parameter cache: none makes a client that saw nothing before.
    func open(_ store: MemoryStore, cache: TemporaryDirectory? = nil) throws -> Vault {
        try Vault.open(
            store, with: key(), surroundings: repository.surroundings,
            cacheParent: cache.map { Path($0.path) })
    }

    /// What a client that opened it when it was sound says of the objects in another state.
    func check(_ vault: Vault) throws -> CheckOutcome {
        try Operations.check(CheckRequest(readDataPercent: 100), vault)
    }

    /// Restores all with a client that comes anew.
    /// - Returns: what is wrong.
    func wrongRestores(_ store: MemoryStore, _ told: inout Int) -> [String] {
        var problems: [String] = []
        for (snapshot, bytes) in saved {
            do {
                let vault = try open(store)
                if try repository.cat("\(snapshot.id)", vault: vault) != bytes {
                    problems.append("\(snapshot.id.short) is another")
                }
            } catch {
                told += 1
                if !(error is any Explained) { problems.append("\(type(of: error)): \(error)") }
            }
        }
        return problems
    }
}
