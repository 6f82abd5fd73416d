import Faults
import Files
import ObjectStorage
import Operations
import PackStore
import Snapshots
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

/// Rows of which every chunk is another night by night, though little has changed.
struct Restless {
    var stream: [UInt8]
    private var random: SeededRandom

    init(seed: UInt64, byteCount: Int = 1_200_000) {
        random = SeededRandom(seed: seed)
        stream = random.sqlRows(byteCount: byteCount)
    }

    /// - Parameter edits: how many bytes are changed at each place.
    mutating func pass(edits: Int = 1) {
        // Less than the shortest chunk apart; the last chunk may be of any length.
        let places = stride(from: random.number(0...2000), to: stream.count - edits, by: 2000)
        for place in Array(places) + [stream.count - edits] {
            for place in place..<(place + edits) {
                stream[place] ^= UInt8(random.number(1...31))
            }
        }
    }
}

// MARK: the parent

@Test func `the parent is the newest of the series that is not incomplete, whatever the host`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let dump = mysqlDump(&random, rowBytes: 400_000)
    let first = try repository.add(dump, to: "s", vault: vault) { $0.host = "a" }
    #expect(first.snapshot.head.parent == nil && first.deltas.frames == 0)
    let cut = try repository.add(Array(dump.prefix(300_000)), to: "s", vault: vault) {
        $0.allowIncomplete = true
    }
    #expect(cut.snapshot.head.completeness == .incomplete)
    #expect(cut.snapshot.head.parent == first.snapshot.id)
    // The end of a stream that says nothing of its end is not known: such a one will do.
    let unknown = try repository.add(random.bytes(100), to: "s", vault: vault) { $0.host = "b" }
    #expect(unknown.snapshot.head.completeness == .unknown)
    #expect(unknown.snapshot.head.parent == first.snapshot.id)
    let next = try repository.add(dump, to: "s", vault: vault) { $0.host = "c" }
    #expect(next.snapshot.head.parent == unknown.snapshot.id)
    let other = try repository.add(dump, to: "other", vault: vault)
    #expect(other.snapshot.head.parent == nil)
}

@Test func `an incremental is compared with the newest, a differential with the last full`() throws {
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    func night(_ kind: Head.Kind) throws -> AddOutcome {
        table.pass()
        let outcome = try repository.add(table.stream, to: "s", vault: vault) { $0.kind = kind }
        #expect(try repository.cat("s", vault: vault) == table.stream)
        #expect(outcome.snapshot.head.kind == kind && outcome.snapshot.head.needs == nil)
        return outcome
    }
    for kind in [Head.Kind.incremental, .differential] {
        let error = #expect(throws: OperationError.self) { try night(kind) }
        #expect(error?.exitCode == .usage)
    }
    let full = try night(.full).snapshot
    let first = try night(.incremental)
    #expect(first.snapshot.head.parent == full.id && first.deltas.frames > 0)
    let second = try night(.incremental)
    #expect(second.snapshot.head.parent == first.snapshot.id && second.deltas.frames > 0)
    let other = try night(.differential)
    #expect(other.snapshot.head.parent == full.id && other.snapshot.head.base == full.id)
    #expect(other.deltas.frames > 0)
    #expect(try night(.incremental).snapshot.head.parent == other.snapshot.id)
}

@Test func `a parent of another series is used where it is named, and none where it is not`()
    throws
{
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let parent = try repository.add(table.stream, to: "shop/north", vault: vault)
    table.pass()
    let alone = try repository.add(table.stream, to: "shop/east", vault: vault)
    #expect(alone.chunksNew == alone.chunks && alone.deltas.frames == 0)
    #expect(alone.snapshot.head.parent == nil)
    table.pass()
    let stream = table.stream
    let outcome = try repository.add(stream, to: "shop/south", vault: vault) {
        $0.parent = Reference("shop/north")
    }
    #expect(outcome.snapshot.head.parent == parent.snapshot.id)
    #expect(outcome.chunksNew == outcome.chunks && outcome.deltas.frames > 0)
    #expect(outcome.snapshot.head.bytesStored * 5 < parent.snapshot.head.bytesStored)
    #expect(try repository.cat("shop/south", vault: vault) == stream)
    #expect(throws: OperationError.self) {
        try repository.add(stream, to: "shop/west", vault: vault) {
            $0.parent = Reference("shop/nowhere")
        }
    }
}

// MARK: bases that are not at hand

/// Whether the index object goes with the pack, and whether the local index does.
@Test(arguments: [false, true], [false, true])
func `where the parent's pack is gone the next add is plain, and heals what it can`(
    withIndex: Bool, withCache: Bool
) throws {
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    let first = table.stream
    try repository.add(first, to: "s")
    let lost = try repository.store.list(.all(.packs)) + repository.store.list(.all(.index))
    let firstID = try #require(try History.load(repository.open()).snapshots.first?.id)
    // Half of it is as it was and lies in the pack that goes; half stands on that.
    table.pass()
    let second = Array(table.stream.prefix(600_000)) + first.dropFirst(600_000)
    let above = try repository.add(second, to: "s")
    #expect(above.deltas.frames > 0)
    for object in lost {
        if case .index = object.name, !withIndex { continue }
        try repository.store.remove(object.name)
    }
    let vault = try repository.open(cache: withCache ? "fresh" : "cache")
    for id in [firstID, above.snapshot.id] {
        #expect(throws: (any Error).self) { try repository.cat(id.description, vault: vault) }
    }

    // Nearly the same: nothing is at hand to stand on.
    table.stream = second
    table.pass()
    let third = try repository.add(table.stream, to: "s", vault: vault)
    #expect(third.deltas.frames == 0)
    #expect(try repository.cat("s", vault: vault) == table.stream)

    // The same: all of it is stored again, in a series of its own with nothing to stand on.
    let again = try repository.add(second, to: "again", vault: vault)
    #expect(again.chunksNew == again.chunks)
    #expect(try repository.cat("again", vault: vault) == second)
    #expect(try repository.cat(above.snapshot.id.description, vault: vault) == second)
    #expect(throws: (any Error).self) {
        try repository.cat(firstID.description, vault: vault)
    }
    // Which chunks were lost only an index can know; without one, deltas may be so small that a
    // manifest carries them, for itself alone.
    try repository.add(first, to: "again", vault: vault) {
        if withIndex { $0.deltaLimits = nil }
    }
    #expect(try repository.cat(firstID.description, vault: vault) == first)
    // Whatever is left of packs whose base is gone: every snapshot can be restored.
    let outcome = try check(CheckRequest(readDataPercent: 100), vault)
    #expect(outcome.damages.allSatisfy { $0.snapshots.isEmpty }, "\(outcome.damages)")
}

@Test(arguments: [nil, 100])
func `a base that is gone is damage of the snapshots above it`(readDataPercent: Int?) throws {
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let first = try repository.add(table.stream, to: "s", vault: vault)
    let packs = try repository.packs
    table.pass()
    let second = try repository.add(table.stream, to: "s", vault: vault)
    #expect(second.chunksNew == second.chunks && second.deltas.frames > 0)
    _ = try forget(
        ForgetRequest(references: [Reference(first.snapshot.id.description)]), in: vault)
    #expect(try check(CheckRequest(readDataPercent: readDataPercent), vault).exitCode == .done)
    for pack in packs { try repository.store.remove(.pack(.shared, pack)) }
    let outcome = try check(CheckRequest(readDataPercent: readDataPercent), vault)
    #expect(outcome.exitCode == .damage)
    #expect(
        outcome.damages.contains { $0.snapshots == [second.snapshot.id] }, "\(outcome.damages)")
    #expect(throws: (any Error).self) { try repository.cat("s", vault: vault) }
}

@Test func `bytes of a base that are damaged are not relied on`() throws {
    let seed = announcedSeed()
    var random = SeededRandom(seed: seed)
    let store = MemoryStore()
    let repository = try TestRepository(store: store)
    let vault = try repository.open()
    let context = try vault.requiredContext(.shared)
    var table = Restless(seed: seed)
    try repository.add(table.stream, to: "s", vault: vault)
    for night in 0..<8 {
        // A byte of a segment that holds data of the newest snapshot or of one below.
        let packs = try repository.packs.compactMap { id in
            let (directory, pack) = try PackDirectories.read(id, context)
            return pack.contentClass == .data ? (id, directory) : nil
        }
        let (id, directory) = packs[random.number(0...(packs.count - 1))]
        let segment = directory.segments[random.number(0...(directory.segments.count - 1))]
        let place = segment.offset + random.number(0...(segment.sealedBytes - 1))
        store.tamper(.pack(.shared, id)) { $0[place] ^= 1 }
        table.pass()
        let outcome = try repository.add(table.stream, to: "s", vault: vault)
        #expect(outcome.chunksNew == outcome.chunks, "night \(night)")
        let fresh = try repository.open(cache: "fresh\(night)")
        #expect(try repository.cat("s", vault: fresh) == table.stream, "night \(night)")
    }
}

@Test func `an add that comes upon a damaged base says so, and is whole`() throws {
    let store = MemoryStore()
    let repository = try TestRepository(store: store)
    let vault = try repository.open()
    let context = try vault.requiredContext(.shared)
    var table = Restless(seed: announcedSeed())
    #expect(try repository.add(table.stream, to: "s", vault: vault).reservations.isEmpty)
    for id in try repository.packs {
        let (directory, pack) = try PackDirectories.read(id, context)
        for segment in directory.segments where pack.contentClass == .data {
            store.tamper(.pack(.shared, id)) { $0[segment.offset] ^= 1 }
        }
    }
    table.pass()
    let outcome = try repository.add(table.stream, to: "s", vault: vault)
    #expect(outcome.deltas.frames == 0)
    let said = try #require(outcome.reservations.first)
    #expect(said.contains("packs/") && said.contains("repo check"), "\(said)")
    #expect(try repository.cat("s", vault: vault) == table.stream)
    // What the next night stands on is sound again.
    table.pass()
    let next = try repository.add(table.stream, to: "s", vault: vault)
    #expect(next.reservations.isEmpty && next.deltas.frames > 0)
}

@Test func `nothing relies on a pack that is condemned, nor on one that stands on such a pack`()
    throws
{
    var table = Restless(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let first = table.stream
    try repository.add(first, to: "s", vault: vault)
    let below = try repository.packs
    table.pass()
    let second = table.stream
    #expect(try repository.add(second, to: "s", vault: vault).deltas.frames > 0)
    for pack in below {
        try vault.signedObjects.put(
            Tombstone(target: .pack, reason: .pruned, domain: .shared, id: pack, time: 0))
    }
    let above = try repository.packs
    // What is in the pack, what stands on it, and what is nearly either: all anew.
    table.pass()
    for (name, stream) in [("third", table.stream), ("first", first), ("second", second)] {
        let outcome = try repository.add(stream, to: "new/\(name)", vault: vault) {
            $0.parent = Reference("s")
        }
        #expect(outcome.chunksNew == outcome.chunks && outcome.deltas.frames == 0, "\(name)")
    }
    // It can go now, and all that stood on it.
    for pack in above { try repository.store.remove(.pack(.shared, pack)) }
    #expect(try repository.cat("new/first", vault: vault) == first)
    #expect(try repository.cat("new/second", vault: vault) == second)
    #expect(try repository.cat("new/third", vault: vault) == table.stream)
    #expect(try repository.cat("s", vault: vault) == second)
}

@Test func `a check reads what is stored, not what all nights can be restored to`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let store = CountingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    var stream = random.bytes(3_000_000)
    for _ in 0..<10 {
        try repository.add(stream, to: "s")
        stream[random.number(0...(stream.count - 1))] ^= 1
    }
    _ = store.take()
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .done)
    let read = store.take()
    // The data once, what changed stands on perhaps for each night again.
    #expect(read > 3_000_000 && read < 15_000_000, "\(read)")
}

/// Does something right before the first manifest is put, in all else the memory behind it.
private final class InterruptedStore: PassingStore {
    let under: any ObjectStore = MemoryStore()
    private let before = Mutex<(@Sendable () throws -> Void)?>(nil)

    func beforeManifest(_ body: @escaping @Sendable () throws -> Void) {
        before.withLock { $0 = body }
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        if case .snapshot = name {
            let body = before.withLock { body in
                defer { body = nil }
                return body
            }
            try body?()
        }
        try under.put(name, bytes)
    }
}

/// Whether the pack is condemned or gone, and how many nights below the last base it is.
@Test(arguments: [false, true], [0, 1])
func `an add moves what its deltas stand on out of packs condemned meanwhile, and fails where it is gone`(
    isGone: Bool, below: Int
) throws {
    var table = Restless(seed: announcedSeed())
    let store = InterruptedStore()
    let repository = try TestRepository(store: store)
    let vault = try repository.open()
    var packs: [[ObjectID]] = []
    for _ in 0..<2 {
        try repository.add(table.stream, to: "s", vault: vault)
        packs.append(try repository.packs.filter { !packs.joined().contains($0) })
        // So much that no manifest carries it.
        table.pass(edits: 200)
    }
    #expect(packs.allSatisfy { !$0.isEmpty })
    let condemned = packs[packs.count - 1 - below]
    store.beforeManifest {
        for pack in condemned {
            if isGone {
                try store.remove(.pack(.shared, pack))
            } else {
                try vault.signedObjects.put(
                    Tombstone(target: .pack, reason: .pruned, domain: .shared, id: pack, time: 0))
            }
        }
    }
    let stream = table.stream
    if isGone {
        let error = #expect(throws: OperationError.self) {
            try repository.add(stream, to: "s", vault: vault)
        }
        guard case .condemned = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try History.load(vault).snapshots.count == 2)
        // Once more: it stands on nothing of that.
    }
    try repository.add(stream, to: "s", vault: vault)
    for pack in condemned { try store.remove(.pack(.shared, pack)) }
    #expect(try repository.cat("s", vault: vault) == stream)
}
