import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test(arguments: 0..<6)
func `what prunes left out of a pack keeps no snapshot from being copied as it is sealed`(
    _ seed: Int
) throws {
    var table = Restless(seed: UInt64(seed) + 100, byteCount: 4_000_000)
    var random = SeededRandom(seed: UInt64(seed))
    let repository = try TestRepository()
    var streams: [[UInt8]] = []
    for night in 0..<5 {
        streams.append(table.stream)
        try repository.add(table.stream, to: "s")
        let part = random.number(0...1_500_000)..<random.number(1_600_000...4_000_000)
        try repository.add(Array(table.stream[part]), to: "part\(night)")
        table.pass(edits: 100)
    }
    for _ in 0..<2 {
        let there = try History.load(repository.open()).snapshots
        try repository.prune(
            dropping: there.filter {
                random.number(0...9) < ($0.head.series == "s" ? 7 : 3)
            }
        ) { $0.options.unusedMax = 0 }
        // What comes again is stored anew, beside frames that stand on nothing any more.
        for night in 0..<5 where random.number(0...1) == 0 {
            try repository.add(streams[night], to: "again\(random.number(0...9))")
        }
    }
    #expect(try repository.isSound())
    let store = MemoryStore()
    _ = try Vault.create(
        in: store, sharing: try repository.open(), with: key(),
        surroundings: testSurroundings(seed: testSeed &+ 2))
    let there = try TestRepository(
        sharing: store, surroundings: testSurroundings(seed: testSeed &+ 3))
    let outcome = try copy(
        CopyRequest(), from: repository.open(cache: "fresh"), to: there.open())
    #expect(outcome.isVerbatim && outcome.failed.isEmpty && outcome.damages.isEmpty)
    #expect(try there.isSound())
}
