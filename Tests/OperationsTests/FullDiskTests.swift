import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import Snapshots
import Synchronization
import TestSupport
import Testing
import WireFormat

/// A store that has no room for some objects.
private final class FullStore: PassingStore {
    let under: any ObjectStore = MemoryStore()
    private let hasRoom = Mutex<@Sendable (ObjectName) -> Bool>({ _ in true })

    func hasRoom(_ names: @escaping @Sendable (ObjectName) -> Bool) {
        hasRoom.withLock { $0 = names }
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        guard hasRoom.withLock({ $0 })(name) else {
            throw FileError("write", Path(name.description), code: ENOSPC)
        }
        try under.put(name, bytes)
    }
}

@Test func `on a full disk that goes which needs no room, and the rest by the next run`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let told = Told()
    let store = FullStore()
    let repository = try TestRepository(store: store, surroundings: told.surroundings)
    let kept = random.bytes(1_900_000)
    let half = try repository.packs { try repository.add(kept + random.bytes(1_900_000), to: "half") }
    let gone = try repository.packs { try repository.add(random.bytes(300_000), to: "gone") }
    try repository.add(kept, to: "kept")
    let dropped = try History.load(repository.open()).snapshots.filter {
        $0.head.series != "kept"
    }
    // Room for what is short, and not for what would be moved.
    store.hasRoom { name in if case .pack = name { false } else { true } }
    let first = try repository.prune(dropping: dropped)
    #expect(first.snapshotsDropped == 2 && first.packsDeleted == gone.count)
    #expect(told.says("there was no room for all of it: run prune again"))
    #expect(try repository.cat("kept") == kept && repository.isSound())
    store.hasRoom { _ in true }
    let second = try repository.prune()
    #expect(second.packsDeleted == half.count && second.bytesRewritten > 1_800_000)
    #expect(try repository.cat("kept") == kept && repository.isSound())
}

@Test func `a disk without room for a tombstone frees what was condemned before, else says so`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let store = FullStore()
    let repository = try TestRepository(store: store)
    let stream = random.bytes(200_000)
    try repository.add(stream, to: "kept")
    var snapshots: [Snapshot] = []
    for series in ["a", "b", "c"] {
        snapshots.append(try repository.add(random.bytes(150_000), to: series).snapshot)
    }
    let stones = Counter(0)
    store.hasRoom { name in
        if case .tombstone = name { stones.next(adding: 1) <= 1 } else { true }
    }
    // One snapshot fits, no pack.
    let first = try repository.prune(dropping: snapshots)
    #expect(first.snapshotsDropped == 1 && first.packsCondemned == 0 && first.packsDeleted == 0)
    let error = #expect(throws: FileError.self) { try repository.prune(dropping: snapshots) }
    #expect(error?.code == ENOSPC && error?.hint?.contains("free some space") == true)
    #expect(try repository.isSound())
    store.hasRoom { _ in true }
    let rest = try History.load(repository.open()).snapshots.filter { $0.head.series != "kept" }
    #expect(rest.count == 2)
    #expect(try repository.prune(dropping: rest).packsDeleted == 3)
    #expect(try repository.cat("kept") == stream && repository.isSound())
}
