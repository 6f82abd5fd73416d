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

/// A store that other clients, and time, get at: its listings may show what is gone, and something may
/// happen whenever a pack is put.
private final class HauntedStore: PassingStore {
    let under: any ObjectStore
    let isEventual: Bool
    private let ghosts = Mutex<[StoredObject]>([])
    private let afterPack = Mutex<@Sendable (DomainID, ObjectID) throws -> Void>({ _, _ in })

    init(_ under: any ObjectStore = MemoryStore(), isEventual: Bool = false) {
        self.under = under
        self.isEventual = isEventual
    }

    /// Takes an object away; listings show it as before.
    func hide(_ name: ObjectName) throws {
        let byteCount = try under.byteCount(of: name) ?? 0
        try under.remove(name)
        ghosts.withLock {
            $0.append(StoredObject(name: name, byteCount: byteCount, modified: 0))
        }
    }

    func afterPack(_ body: @escaping @Sendable (DomainID, ObjectID) throws -> Void) {
        afterPack.withLock { $0 = body }
    }

    func list(_ folder: Folder) throws -> [StoredObject] {
        let there = try under.list(folder)
        let gone = ghosts.withLock { $0 }.filter {
            $0.name.description.hasPrefix(folder.path + "/")
        }
        return (there + gone).sorted { $0.name.description < $1.name.description }
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        try under.put(name, bytes)
        if case .pack(let domain, let id) = name { try afterPack.withLock { $0 }(domain, id) }
    }
}

extension TestRepository {
    /// Changes a byte of an object, as far into it as `part` says.
    fileprivate func damage(_ name: ObjectName, at part: Double) throws {
        var bytes = try store.get(name)
        bytes[Int(Double(bytes.count) * part)] ^= 1
        try store.remove(name)
        try store.put(name, bytes)
    }

    /// The packs that `body` adds.
    func packs(of body: () throws -> Void) throws -> [ObjectID] {
        let before = Set(try packs)
        try body()
        return try packs.filter { !before.contains($0) }
    }

    fileprivate func condemn(_ target: Tombstone.Target, _ id: ObjectID) throws {
        let vault = try open()
        try vault.signedObjects.put(
            Tombstone(
                target: target, reason: .pruned, domain: .shared, id: id,
                time: vault.surroundings.now()))
    }
}

@Test func `no pack goes where the base of a delta in a manifest is lost`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let dropped = try repository.add(random.bytes(400_000), to: "gone").snapshot
    var stream = random.bytes(200_000)
    let lost = try repository.packs { try repository.add(stream, to: "s") }
    stream.replaceSubrange(90_000..<90_020, with: repeatElement(1, count: 20))
    let delta = try repository.add(stream, to: "s").snapshot
    let manifest = try SnapshotStore(repository.open().requiredContext(.shared))
        .manifest(delta.id, expecting: delta.head)
    #expect(manifest.inline != nil)
    for pack in lost { try repository.store.remove(.pack(.shared, pack)) }
    let before = try repository.packs
    let error = #expect(throws: Unprunable.self) { try repository.prune(dropping: [dropped]) }
    #expect(error?.exitCode == .damage)
    #expect(try repository.packs == before)
}

@Test func `no pack goes where a chunk that counts is lost, else it may`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let store = RefusingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    let dropped = try repository.add(random.bytes(300_000), to: "gone").snapshot
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "kept")
    // What was never finished may lack anything.
    store.refuse { if case .commit = $0 { true } else { false } }
    let never = try repository.packs {
        #expect(throws: RefusingStore.Refused.self) {
            try repository.add(random.bytes(250_000), to: "never")
        }
    }
    store.refuse { _ in false }
    #expect(!never.isEmpty)
    for pack in never { try store.remove(.pack(.shared, pack)) }
    let outcome = try repository.prune(dropping: [dropped])
    #expect(outcome.packsDeleted == 1)
    #expect(try repository.cat("kept") == stream)
    let lost = try repository.packs { try repository.add(random.bytes(200_000), to: "lost") }
    let other = try repository.add(random.bytes(300_000), to: "other").snapshot
    for pack in lost { try store.remove(.pack(.shared, pack)) }
    let before = try repository.packs
    let error = #expect(throws: Unprunable.self) { try repository.prune(dropping: [other]) }
    #expect(error?.underlying is LostChunk)
    #expect(try repository.packs == before)
}

@Test func `a pack that is damaged where it is used is not rewritten, and told`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let repository = try TestRepository(surroundings: told.surroundings)
    let kept = random.bytes(900_000)
    let large = try repository.packs { try repository.add(kept + random.bytes(900_000), to: "large") }
    try repository.add(kept, to: "kept")
    let dropped = try History.load(repository.open()).snapshots.filter { $0.head.series == "large" }
    let pack = try #require(large.first)
    // In the middle of the first half, which stays.
    try repository.damage(.pack(.shared, pack), at: 0.2)
    let outcome = try repository.prune(dropping: dropped)
    #expect(outcome.damaged == 1 && outcome.packsDeleted == 0)
    #expect(told.says("pack \(pack.short) is left as it is"))
    #expect(try repository.packs.contains(pack))
    #expect(try !repository.isSound())
}

@Test func `nothing is deleted where what has to be moved first is damaged`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let repository = try TestRepository(surroundings: told.surroundings)
    let packs = try repository.packs { try repository.add(random.bytes(500_000), to: "s") }
    // Another prune condemned it while it was being relied on, and was stopped.
    for pack in packs {
        try repository.condemn(.pack, pack)
        try repository.damage(.pack(.shared, pack), at: 0.3)
    }
    let outcome = try repository.prune()
    #expect(outcome.packsDeleted == 0 && outcome.damaged == 1)
    #expect(told.says("nothing is deleted: what is live cannot be moved"))
    #expect(Set(packs).isSubset(of: try repository.packs))
}

@Test func `a prune whose work others undo deletes nothing, and ends`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let store = HauntedStore()
    let repository = try TestRepository(store: store, surroundings: told.surroundings)
    let stream = random.bytes(300_000)
    let packs = try repository.packs { try repository.add(stream, to: "s") }
    for pack in packs { try repository.condemn(.pack, pack) }
    let other = try repository.open(cache: "other")
    let moved = Counter(0)
    store.afterPack { domain, id in
        _ = moved.next(adding: 1)
        try other.signedObjects.put(
            Tombstone(
                target: .pack, reason: .pruned, domain: domain, id: id,
                time: other.surroundings.now()))
    }
    let outcome = try repository.prune()
    #expect(outcome.packsDeleted == 0 && moved.next(adding: 0) == 10)
    #expect(told.says("nothing was deleted, this time"))
    #expect(try repository.cat("s") == stream)
    store.afterPack { _, _ in }
    let after = try repository.prune()
    #expect(after.packsDeleted >= packs.count)
    #expect(try repository.cat("s") == stream && repository.isSound())
}

@Test func `a pack that only a listing shows is not counted on`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let store = HauntedStore(isEventual: true)
    let repository = try TestRepository(store: store, surroundings: told.surroundings)
    let gone = try repository.packs { try repository.add(random.bytes(300_000), to: "gone") }
    let kept = try repository.packs { try repository.add(random.bytes(300_000), to: "kept") }
    let dropped = try History.load(repository.open()).snapshots.filter { $0.head.series == "gone" }
    // Where listings lag a snapshot is condemned by one run and removed by the next.
    _ = try repository.prune(dropping: dropped) { $0.options.settle = 0 }
    for pack in kept { try store.hide(.pack(.shared, pack)) }
    let outcome = try repository.prune { $0.options.settle = 0 }
    #expect(outcome.snapshotsDropped == 1)
    // What is condemned shows that it was tried, again and again.
    #expect(outcome.packsCondemned > 0 && outcome.packsDeleted == 0)
    #expect(told.says("not all could be freed, this time"))
    for pack in gone { #expect(try store.under.byteCount(of: .pack(.shared, pack)) != nil) }
}

@Test func `a store that has locked nothing is not believed to lock`() throws {
    struct Unproven: PassingStore {
        let under: any ObjectStore = MemoryStore()
        var locks: Bool { true }
        func keepLonger(_ name: ObjectName) throws -> LockChange { .unproven }
    }
    let told = Told()
    let repository = try TestRepository(store: Unproven(), surroundings: told.surroundings)
    try repository.add([1, 2, 3], to: "s")
    #expect(try repository.prune().objectsLocked == 0)
    #expect(told.says("nothing here is locked, so nothing was"))
}

@Test func `what a group saved together goes together where a run was stopped between`() throws {
    let store = StoppingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    for series in ["a", "b"] {
        try repository.add(Array(series.utf8), to: series) { $0.group = "night" }
    }
    try repository.add([3], to: "alone")
    let together = try History.load(repository.open()).snapshots.filter {
        $0.head.series != "alone"
    }
    store.allow(writes: 1)
    #expect(throws: StoppingStore.Stopped.self) { try repository.prune(dropping: together) }
    store.allow(writes: .max)
    #expect(try store.list(.all(.tombstones)).count == 1)
    // Nobody asks for either of them any more.
    let outcome = try repository.prune()
    #expect(outcome.snapshotsDropped == 2)
    #expect(try History.load(repository.open()).snapshots.map { $0.head.series } == ["alone"])
}

@Test func `a manifest that was never finished and cannot be read is told, and left`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let repository = try TestRepository(surroundings: told.surroundings)
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "s")
    let id = ObjectID([UInt8](repeating: 9, count: 16))
    try repository.store.put(.snapshot(.shared, id), random.bytes(800))
    let error = #expect(throws: Unprunable.self) {
        try repository.prune { $0.options.keepIncomplete = 0 }
    }
    #expect(error?.snapshot == id)
    #expect(told.says("snapshot \(id.short) was never finished and cannot be read"))
    #expect(try repository.store.byteCount(of: .snapshot(.shared, id)) != nil)
    #expect(try repository.cat("s") == stream)
}

@Test func `a manifest that only a listing shows is none`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let store = HauntedStore()
    let repository = try TestRepository(store: store)
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "s")
    let id = ObjectID([UInt8](repeating: 9, count: 16))
    try store.put(.snapshot(.shared, id), random.bytes(800))
    try store.hide(.snapshot(.shared, id))
    let dropped = try repository.add(random.bytes(100_000), to: "gone").snapshot
    let outcome = try repository.prune(dropping: [dropped]) { $0.options.keepIncomplete = 0 }
    #expect(outcome.snapshotsAbandoned == 0 && outcome.snapshotsDropped == 1)
    #expect(try repository.cat("s") == stream)
}

@Test func `a tombstone of what cannot be read stays, and what it speaks of`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let repository = try TestRepository(surroundings: told.surroundings)
    try repository.add(random.bytes(200_000), to: "s")
    let id = ObjectID([UInt8](repeating: 9, count: 16))
    try repository.condemn(.snapshot, id)
    try repository.store.put(.snapshot(.shared, id), random.bytes(800))
    #expect(throws: Unprunable.self) { try repository.prune() }
    #expect(told.says("\(ObjectName.snapshot(.shared, id))"))
    #expect(try repository.store.byteCount(of: .snapshot(.shared, id)) != nil)
    #expect(try repository.store.byteCount(of: .tombstone(.snapshot, id)) != nil)
}

@Test func `a condemned snapshot whose manifest is gone is recorded, and its commit goes`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "s")
    let lost = try repository.add(random.bytes(300_000), to: "lost").snapshot
    try repository.condemn(.snapshot, lost.id)
    try repository.store.remove(.snapshot(.shared, lost.id))
    let outcome = try repository.prune()
    #expect(outcome.bytesFreed > 290_000)
    #expect(try repository.store.list(.records(.forgotten)).count == 1)
    #expect(try repository.store.byteCount(of: .commit(.shared, lost.id)) == nil)
    #expect(try repository.store.list(.all(.tombstones)).isEmpty)
    #expect(try repository.cat("s") == stream && repository.isSound())
}

/// Twelve nights of which the first and the last are left: deltas that are worth making anew.
private func propped(_ surroundings: Surroundings) throws -> TestRepository {
    let repository = try TestRepository(surroundings: surroundings)
    var table = Restless(seed: announcedSeed())
    var snapshots: [Snapshot] = []
    for night in 0..<12 {
        if night > 0 { table.pass(edits: 600) }
        snapshots.append(try repository.add(table.stream, to: "s").snapshot)
    }
    try repository.prune(dropping: Array(snapshots[1..<11])) { $0.options.unusedMax = 0 }
    return repository
}

/// The packs that hold more than lists.
private func large(_ store: any ObjectStore) -> [ObjectName] {
    ((try? store.list(.packs(.shared))) ?? []).filter { $0.byteCount > 50_000 }.map { $0.name }
}

/// Does something once, when deltas are about to be made anew.
private final class AtRebase: Sendable {
    private let body = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }

    func see(_ progress: Progress) {
        guard progress.step?.name == "deltas made anew" else { return }
        let body = self.body.withLock { held in
            defer { held = nil }
            return held
        }
        body?()
    }
}

@Test func `packs that vanish while deltas are made anew stop the prune`() throws {
    let moment = AtRebase()
    var surroundings = testSurroundings()
    surroundings.progress = { moment.see($0) }
    let repository = try propped(surroundings)
    let store = repository.store
    moment.set { for name in large(store) { try? store.remove(name) } }
    // Nobody has it elsewhere, which is found out before anything is deleted.
    let error = #expect(throws: Unprunable.self) {
        try repository.prune { $0.options.rebases = true }
    }
    #expect(error?.exitCode == .damage)
}

@Test func `a parent whose manifest cannot be read is told, and what is added is whole`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var stream = random.bytes(200_000)
    let parent = try repository.add(stream, to: "s").snapshot
    stream[100_000] ^= 1
    let sound = try repository.add(stream, to: "s")
    #expect(!sound.reservations.contains { $0.contains("earlier snapshots are damaged") })
    try repository.damage(.snapshot(.shared, sound.snapshot.id), at: 0.5)
    stream[50_000] ^= 1
    let next = try repository.add(stream, to: "s")
    #expect(next.reservations.contains { $0.contains("earlier snapshots are damaged") })
    #expect(try repository.cat("s") == stream)
    #expect(parent.id != sound.snapshot.id)
}
