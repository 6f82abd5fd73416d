import Faults
import Files
import ObjectStorage
import Operations
import PackStore
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// Rows of which every chunk is another night by night, though little has changed.
private struct Restless {
    var stream: [UInt8]
    private var random: SeededRandom

    init(seed: UInt64, byteCount: Int = 1_200_000) {
        random = SeededRandom(seed: seed)
        stream = random.sqlRows(byteCount: byteCount)
    }

    mutating func pass() {
        // Less than the shortest chunk apart; the last chunk may be of any length.
        let places = stride(from: random.number(0...2000), to: stream.count, by: 2000)
        for place in Array(places) + [stream.count - 1] {
            stream[place] = stream[place] ^ UInt8(random.number(1...31))
        }
    }
}

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
}
