import Faults
import ObjectStorage
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// A repository in memory with something of everything in it.
private func filledRepository() throws -> (TestRepository, MemoryStore, [String: [UInt8]]) {
    let repository = try TestRepository()
    guard let store = repository.store as? MemoryStore else {
        preconditionFailure("made in memory")
    }
    var random = SeededRandom(seed: testSeed)
    let contents = [
        "rows": random.sqlRows(byteCount: 300_000), "tiny": random.bytes(500),
        "dump": mysqlDump(&random, rowBytes: 100_000),
    ]
    for (series, bytes) in contents.sorted(by: { $0.key < $1.key }) {
        try repository.add(bytes, to: series)
    }
    let gone = try repository.add([1, 2, 3], to: "gone")
    _ = try forget(
        ForgetRequest(references: [Reference(gone.snapshot.id.description)], allowEmpty: true),
        in: repository.open())
    return (repository, store, contents)
}

@Test func `a sound repository passes the check`() throws {
    let (repository, _, _) = try filledRepository()
    let outcome = try check(CheckRequest(readDataPercent: 100), repository.open())
    #expect(outcome.exitCode == .done && outcome.damages.isEmpty, "\(outcome.damages)")
    #expect(outcome.snapshots == 3)
}

@Test func `a lost pack is healed by adding the same data again`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let bytes = random.sqlRows(byteCount: 400_000)
    try repository.add(bytes, to: "s")
    let pack = try #require(try repository.store.list(.packs(.shared)).first)
    try repository.store.remove(pack.name)
    #expect(throws: (any Error).self) { try repository.cat("s") }
    let found = try check(CheckRequest(readDataPercent: nil), repository.open())
    #expect(found.damages.map { $0.object } == ["\(pack.name)"])
    #expect(found.damages.first?.snapshots.count == 1)
    try repository.add(bytes, to: "s")
    #expect(try repository.cat("s") == bytes)
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).damages.isEmpty)
}

@Test func `a state put back is noticed by a client that saw a later one`() throws {
    let (repository, store, _) = try filledRepository()
    let vault = try repository.open()
    let before = try repository.objectNames
    try repository.add([9, 9, 9], to: "later", vault: vault)
    for name in try repository.objectNames where !before.contains(name) { try store.remove(name) }
    let error = #expect(throws: (any Error).self) { try History.load(vault) }
    #expect((error as? any Explained)?.exitCode == .rolledBack)
    // A check says so, and is no consent.
    for _ in 0..<2 {
        #expect(try check(CheckRequest(readDataPercent: nil), vault).exitCode == .rolledBack)
    }
    _ = try History.load(vault, acceptRollback: true)
    _ = try History.load(vault)
}

@Test func `what is ignored is told in words, whoever comes across it`() throws {
    let told = Told()
    let repository = try TestRepository(surroundings: told.surroundings)
    let vault = try repository.open()
    let id = ObjectID([UInt8](repeating: 7, count: 16))
    let bad: [ObjectName] = [
        .tombstone(.pack, id), .record(.key, id), .record(.forgotten, id), .pack(.shared, id),
    ]
    for name in bad { try repository.store.put(name, [UInt8](repeating: 1, count: 200)) }
    try repository.add([1, 2, 3], to: "s", vault: vault)
    _ = try repository.cat("s", vault: vault)
    _ = try vault.keys()
    let lines = told.all
    for name in bad {
        #expect(lines.contains { $0.hasPrefix("\(name) ") }, "\(name) in \(lines)")
    }
    #expect(lines.allSatisfy { !$0.contains("(\"") }, "\(lines)")
}
