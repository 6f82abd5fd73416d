import Faults
import ObjectStorage
import Operations
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

extension TestRepository {
    /// Gives snapshots up, and frees what only they took, at once.
    @discardableResult
    func prune(
        dropping dropped: [Snapshot] = [], vault: Vault? = nil,
        change: (inout PruneRequest) -> Void = { _ in }
    ) throws -> PruneOutcome {
        let vault = try vault ?? open()
        var request = PruneRequest(try History.load(vault))
        request.options.grace = 0
        request.dropped = dropped
        change(&request)
        return try Operations.prune(request, vault)
    }

    func isSound(vault: Vault? = nil) throws -> Bool {
        let outcome = try check(CheckRequest(readDataPercent: 100), vault ?? open())
        for damage in outcome.damages { print(damage) }
        return outcome.exitCode == .done
    }
}

@Test func `what only a dropped snapshot used is freed, and the others come back`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let shared = random.bytes(600_000)
    let streams = (0..<4).map { _ in shared + random.bytes(400_000) }
    var snapshots: [Snapshot] = []
    for (number, stream) in streams.enumerated() {
        snapshots.append(try repository.add(stream, to: "s\(number)").snapshot)
    }
    let before = try repository.store.list(.all(.packs)).reduce(0) { $0 + $1.byteCount }
    let outcome = try repository.prune(dropping: [snapshots[1], snapshots[2]])
    #expect(outcome.snapshotsDropped == 2)
    let after = try repository.store.list(.all(.packs)).reduce(0) { $0 + $1.byteCount }
    #expect(before - after > 780_000 && before - after < 900_000)
    #expect(try repository.cat("s0") == streams[0] && repository.cat("s3") == streams[3])
    #expect(try repository.isSound())
    #expect(try repository.store.list(.all(.tombstones)).isEmpty)
    // A second run finds nothing to do.
    let again = try repository.prune()
    #expect(again.packsCondemned == 0 && again.packsDeleted == 0 && again.bytesRewritten == 0)
    // A client whose cache is older sees all the same.
    let stale = try repository.open(cache: "another")
    #expect(try repository.cat("s0", vault: stale) == streams[0])
}

@Test func `nights of deltas keep what they stand on, and lose the rest`() throws {
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    var streams: [[UInt8]] = []
    var snapshots: [Snapshot] = []
    for _ in 0..<8 {
        streams.append(table.stream)
        snapshots.append(try repository.add(table.stream, to: "s").snapshot)
        table.pass(edits: 150)
    }
    for dropped in [[1, 2], [0, 4], [3, 5]] {
        try repository.prune(dropping: dropped.map { snapshots[$0] })
        #expect(try repository.isSound())
        for snapshot in try History.load(repository.open()).snapshots {
            let number = try #require(snapshots.firstIndex { $0.id == snapshot.id })
            #expect(try repository.cat("\(snapshot.id)") == streams[number])
        }
    }
    // What comes next stands on what is left.
    let next = try repository.add(table.stream, to: "s")
    #expect(next.snapshot.head.bytesStored < table.stream.count / 4)
    #expect(try repository.cat("s") == table.stream)
    try repository.prune(dropping: [snapshots[6]])
    #expect(try repository.cat("s") == table.stream)
    #expect(try repository.isSound())
}

@Test func `a maintain key prunes what it cannot open`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let keep = random.bytes(300_000)
    try repository.add(random.bytes(3_000_000) + keep, to: "gone")
    try repository.add(keep, to: "stays")
    let vault = try repository.open()
    _ = try vault.addKey(
        .maintain, key(9), label: nil)
    let maintainer = try repository.open(key(9), cache: "maintainer")
    let gone = try History.load(maintainer).snapshots.filter { $0.head.series == "gone" }
    let outcome = try repository.prune(dropping: gone, vault: maintainer)
    #expect(outcome.bytesFreed - outcome.bytesRewritten > 1_900_000)
    #expect(try repository.cat("stays") == keep)
    #expect(try repository.isSound())
}

@Test func `what is condemned stays for the time of grace, and goes by a later run`() throws {
    let clock = SettableClock(1_790_000_000_000)
    let store = MemoryStore(now: { clock.time })
    let repository = try TestRepository(store: store)
    var random = SeededRandom(seed: announcedSeed())
    let dropped = try repository.add(random.bytes(500_000), to: "s").snapshot
    let stream = random.bytes(100_000)
    try repository.add(stream, to: "s")
    func prune(_ dropped: [Snapshot] = []) throws -> PruneOutcome {
        try repository.prune(dropping: dropped) { $0.options.grace = 24 * 3_600_000 }
    }
    // Too young to be chosen: an upload may be under way.
    let early = try prune([dropped])
    #expect(early.packsCondemned == 0 && early.bytesLater > 490_000)
    clock.time += 25 * 3_600_000
    let condemned = try prune()
    #expect(condemned.packsCondemned > 0 && condemned.packsDeleted == 0)
    #expect(condemned.bytesLater > 490_000)
    clock.time += 23 * 3_600_000
    #expect(try prune().packsDeleted == 0)
    clock.time += 2 * 3_600_000
    let freed = try prune()
    #expect(freed.packsDeleted == condemned.packsCondemned && freed.bytesLater == 0)
    #expect(try repository.cat("s") == stream && repository.isSound())
}

@Test func `a snapshot that needs another keeps it, and both go from the end`() throws {
    let repository = try TestRepository()
    try repository.add([1, 2, 3], to: "s")
    let snapshots = try History.load(repository.open()).snapshots
    let vault = try repository.open()
    let store = SnapshotStore(try vault.requiredContext(.shared))
    // One that needs it, as an increment does.
    let manifest = try store.manifest(snapshots[0].id, expecting: nil)
    var head = manifest.head
    head.needs = snapshots[0].id
    head.sequence = 2
    head.time += 1
    var needing = manifest
    needing.head = head
    let id = ObjectID([UInt8](repeating: 9, count: 16))
    let sealed = try store.seal(needing, id: id)
    try store.publish(sealed, id: id)
    head.manifestHash = Digest32(SHA256.hash(sealed))
    try store.commit(try store.seal(head, id: id), id: id)
    let kept = try repository.prune(dropping: [snapshots[0]])
    #expect(kept.snapshotsDropped == 0 && kept.kept.map { $0.why } == ["needed by 09090909"])
    #expect(try vault.signedObjects.tombstone(.snapshot, snapshots[0].id) != nil)
    let both = try repository.prune(dropping: try History.load(repository.open()).snapshots)
    #expect(both.snapshotsDropped == 2 && both.kept.isEmpty)
    #expect(try repository.store.list(.all(.packs)).isEmpty)
    #expect(try repository.store.list(.all(.tombstones)).isEmpty)
}

@Test func `manifests that were never committed go after their time, and their packs`() throws {
    let clock = SettableClock(1_790_000_000_000)
    let store = RefusingStore(MemoryStore(now: { clock.time }))
    let repository = try TestRepository(store: store)
    var random = SeededRandom(seed: announcedSeed())
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "s")
    store.refuse { if case .commit = $0 { true } else { false } }
    let more = random.bytes(400_000)
    #expect(throws: RefusingStore.Refused.self) { try repository.add(more, to: "s") }
    store.refuse { _ in false }
    let early = try repository.prune()
    #expect(early.snapshotsAbandoned == 0 && early.packsDeleted == 0)
    clock.time += 8 * 24 * 3_600_000
    let late = try repository.prune()
    #expect(late.snapshotsAbandoned == 1 && late.bytesFreed > 390_000)
    #expect(try repository.cat("s") == stream && repository.isSound())
}

@Test func `a dry run writes nothing and says what would be freed`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let dropped = try repository.add(random.bytes(700_000), to: "s").snapshot
    try repository.add(random.bytes(100_000), to: "s")
    let before = try repository.objectNames
    let planned = try repository.prune(dropping: [dropped]) { $0.isDryRun = true }
    #expect(try repository.objectNames == before)
    let done = try repository.prune(dropping: [dropped])
    #expect(planned.bytesFreed == done.bytesFreed)
    #expect(planned.snapshotsDropped == done.snapshotsDropped)
}

@Test func `a key that only writes cannot prune`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    _ = try vault.addKey(.write, key(8), label: nil)
    let error = #expect(throws: SealingError.self) {
        try repository.prune(vault: try repository.open(key(8), cache: "writer"))
    }
    #expect(error?.hint != nil || error != nil)
}

@Test func `what is damaged in one domain keeps no space in another`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let damaged = try repository.add(random.bytes(100_000), to: "s").snapshot
    _ = try repository.open().addKey(.write, key(8), label: nil)
    let writer = try repository.open(key(8), cache: "writer")
    let own = try repository.add(random.bytes(500_000), to: "own", vault: writer).snapshot
    #expect(own.domain != .shared)
    let manifest = ObjectName.snapshot(.shared, damaged.id)
    try repository.store.remove(manifest)
    try repository.store.put(manifest, random.bytes(1000))
    let error = #expect(throws: Unprunable.self) { try repository.prune(dropping: [own]) }
    #expect(error?.snapshot == damaged.id)
    #expect(error?.message.hasPrefix("snapshot \(damaged.id.short) cannot be read: ") == true)
    #expect(error?.hint?.contains("repo forget \(damaged.id.short)") == true)
    #expect(error?.exitCode == .damage)
    #expect(try repository.store.list(.packs(own.domain)).isEmpty)
    #expect(try !repository.store.list(.packs(.shared)).isEmpty)
}

/// A store whose listings show some time later what was written.
private struct LaggingStore: PassingStore {
    let under: any ObjectStore
    var isEventual: Bool { true }
}

@Test func `where listings lag behind, prune is told how long, or does nothing`() throws {
    let repository = try TestRepository(store: LaggingStore(under: MemoryStore()))
    let error = #expect(throws: NeedsSettling.self) { try repository.prune() }
    #expect(error?.message.contains("lag behind") == true)
    #expect(error?.hint?.contains("--settle") == true)
    #expect(error?.exitCode == .usage)
    _ = try repository.prune { $0.options.settle = 0 }
}

@Test func `what stays is locked anew, whatever lies where its tombstone would`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let store = KeepingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    let dropped = try repository.add(random.bytes(500_000), to: "gone").snapshot
    try repository.add(random.bytes(100_000), to: "stays")
    let packs = Set(try store.list(.all(.packs)).map { $0.name })
    for pack in packs.compactMap({ $0.id }) { try store.put(.tombstone(.pack, pack), random.bytes(200)) }
    _ = try repository.prune(dropping: [dropped]) { $0.isDryRun = true }
    #expect(store.keptLonger.isEmpty)
    let outcome = try repository.prune(dropping: [dropped])
    let roots = Folder.Root.allCases.filter { $0 != .tombstones }
    let there = Set(try roots.flatMap { try store.list(.all($0)).map { $0.name } } + [.config])
    #expect(!there.isDisjoint(with: packs))
    #expect(store.keptLonger == there && outcome.objectsLocked == there.count)
}

@Test func `what is condemned is not locked anew`() throws {
    let clock = SettableClock(1_790_000_000_000)
    let store = KeepingStore(MemoryStore(now: { clock.time }))
    let repository = try TestRepository(store: store)
    var random = SeededRandom(seed: announcedSeed())
    let dropped = try repository.add(random.bytes(500_000), to: "gone").snapshot
    clock.time += 25 * 3_600_000
    try repository.add(random.bytes(100_000), to: "stays")
    let outcome = try repository.prune(dropping: [dropped]) { $0.options.grace = 24 * 3_600_000 }
    let condemned = Set(try store.list(.all(.tombstones)).compactMap { $0.name.id })
    #expect(outcome.packsCondemned > 0 && outcome.packsDeleted == 0)
    #expect(condemned.isDisjoint(with: store.keptLonger.compactMap { $0.id }))
}

@Test func `index objects become few`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var streams: [[UInt8]] = []
    for number in 0..<24 {
        streams.append(random.bytes(90_000))
        try repository.add(streams[number], to: "s\(number)")
    }
    #expect(try repository.store.list(.all(.index)).count >= 24)
    try repository.prune()
    #expect(try repository.store.list(.all(.index)).count == 1)
    let fresh = try repository.open(cache: "fresh")
    for number in 0..<24 {
        #expect(try repository.cat("s\(number)", vault: fresh) == streams[number])
    }
    #expect(try repository.isSound())
}

@Test func `what stands in the place of a tombstone and is none makes room for it`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let dropped = try repository.add(random.bytes(500_000), to: "gone").snapshot
    let stream = random.bytes(100_000)
    try repository.add(stream, to: "stays")
    // Whoever may put objects can put these; nobody else takes them for tombstones.
    let packs = try repository.store.list(.all(.packs)).compactMap { $0.name.id }
    for pack in packs { try repository.store.put(.tombstone(.pack, pack), random.bytes(200)) }
    try repository.store.put(.tombstone(.snapshot, dropped.id), random.bytes(200))
    let vault = try repository.open()
    let condemned = try repository.prune(dropping: [dropped], vault: vault) {
        $0.options.grace = 24 * 3_600_000
    }
    #expect(condemned.packsCondemned == 0 && condemned.snapshotsDropped == 1)
    let outcome = try repository.prune()
    #expect(outcome.packsDeleted > 0 && outcome.bytesFreed > 490_000)
    #expect(try repository.cat("stays") == stream)
    // What is needed is left alone, and what stands there is told.
    let left = try repository.store.list(.all(.tombstones)).map { $0.name }
    let there = Set(try repository.store.list(.all(.packs)).compactMap { $0.name.id })
    #expect(left.allSatisfy { there.contains($0.id ?? dropped.id) })
    #expect(try !repository.isSound())
    for name in left { try repository.store.remove(name) }
    #expect(try repository.isSound())
}
