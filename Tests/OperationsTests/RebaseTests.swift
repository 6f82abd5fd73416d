import ChunkIndex
import Faults
import ObjectStorage
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

extension TestRepository {
    fileprivate var bytes: Int {
        get throws {
            try (store.list(.all(.packs)) + store.list(.all(.index))).reduce(0) { $0 + $1.byteCount }
        }
    }

    fileprivate func rebase(
        change: (inout PruneRequest) -> Void = { _ in }
    ) throws -> PruneOutcome {
        try prune { request in
            request.options.rebases = true
            change(&request)
        }
    }
}

@Test func `deltas are made anew where what they stand on weighs more`() throws {
    let clock = SettableClock(1_790_000_000_000)
    let repository = try TestRepository(store: MemoryStore(now: { clock.time }))
    var table = Restless(seed: announcedSeed())
    var snapshots: [Snapshot] = []
    let first = table.stream
    for night in 0..<12 {
        if night > 0 { table.pass(edits: 600) }
        snapshots.append(try repository.add(table.stream, to: "s").snapshot)
    }
    // What is between is needed by the last one only.
    try repository.prune(dropping: Array(snapshots[1..<11])) { $0.options.unusedMax = 0 }
    let before = try repository.bytes
    let plan = try repository.rebase { $0.isDryRun = true }
    #expect(try repository.bytes == before)
    #expect(try repository.rebase { $0.options.repackMax = 1000 }.bytesRebased == 0)
    // What the new ones take the place of goes after the time of grace, by runs that make nothing anew.
    clock.time += 25 * 3_600_000
    let grace: (inout PruneRequest) -> Void = { $0.options.grace = 24 * 3_600_000 }
    let outcome = try repository.rebase(change: grace)
    #expect(outcome.packsCondemned > 0 && outcome.packsDeleted == 0)
    #expect(abs(outcome.bytesRebased - plan.bytesRebased) * 20 < plan.bytesRebased)
    clock.time += 25 * 3_600_000
    let later = try repository.prune(change: grace)
    // Only an index object is merged.
    #expect(later.packsDeleted > 0 && later.bytesRewritten < 10_000 && later.bytesUnused == 0)
    #expect(try repository.bytes * 2 < before)
    #expect(abs(later.bytesFreed - plan.bytesFreed) * 20 < plan.bytesFreed)
    #expect(try repository.cat("s") == table.stream && repository.cat("\(snapshots[0].id)") == first)
    #expect(try repository.isSound())
    let again = try repository.rebase()
    #expect(again.bytesRewritten == 0 && again.packsCondemned == 0)
    // What comes next stands on what is new.
    table.pass(edits: 20)
    let next = try repository.add(table.stream, to: "s")
    #expect(next.snapshot.head.bytesStored < table.stream.count / 10)
    #expect(try repository.cat("s") == table.stream)
}

@Test func `making deltas anew never takes more than it frees, and often less`() throws {
    var random = SeededRandom(seed: announcedSeed())
    var smaller = 0
    for _ in 0..<12 {
        var table = Restless(
            seed: random.next(), byteCount: random.number(400_000...1_500_000))
        let repository = try TestRepository()
        var (streams, snapshots) = ([[UInt8]](), [Snapshot]())
        for _ in 0..<random.number(5...14) {
            streams.append(table.stream)
            snapshots.append(try repository.add(table.stream, to: "s").snapshot)
            table.pass(edits: random.number(20...900))
        }
        let dropped = snapshots.filter { _ in random.number(0...3) > 0 }
        try repository.prune(dropping: dropped) { $0.options.unusedMax = 0 }
        let before = try repository.bytes
        let outcome = try repository.rebase { $0.options.unusedMax = 0 }
        #expect(try outcome.bytesRebased == 0 || repository.bytes < before)
        if outcome.bytesRebased > 0 { smaller += 1 }
        for snapshot in try History.load(repository.open()).snapshots {
            let number = try #require(snapshots.firstIndex { $0.id == snapshot.id })
            #expect(try repository.cat("\(snapshot.id)") == streams[number])
        }
        #expect(try repository.isSound())
    }
    #expect(smaller > 0)
}

@Test func `a key that opens no data makes no deltas anew`() throws {
    let repository = try TestRepository()
    try repository.add([1, 2, 3], to: "s")
    let vault = try repository.open()
    _ = try vault.addKey(.maintain, key(9), label: nil)
    let maintainer = try repository.open(key(9), cache: "maintainer")
    #expect(throws: SealingError.self) {
        try repository.prune(vault: maintainer) { $0.options.rebases = true }
    }
}
