import ObjectStorage
import PackStore
import TestSupport
import Testing
import WireFormat

@Test(arguments: [0, 2])
func `chunks come back from packs`(workers: Int) throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let place = try Place()
    let chunks = (0..<400).map { number in
        number % 2 == 0
            ? random.bytes(random.number(1...60_000))
            : random.sqlRows(byteCount: random.number(1...60_000))
    }
    _ = try place.write(chunks, workers: workers)
    for chunk in chunks { #expect(try place.read(chunk) == chunk) }
}

@Test func `packs keep to their target and waste little on padding`() throws {
    var random = SeededRandom(seed: testSeed &+ 1)
    let place = try Place()
    let chunks = (0..<1500).map { _ in random.bytes(random.number(20_000...40_000)) }
    let raw = chunks.reduce(0) { $0 + $1.count }
    let packs = try place.write(chunks)
    #expect(packs.allSatisfy { $0.indexed.fileBytes <= Limits.packTargetBytes + (1 << 20) })
    #expect(packs.reduce(0) { $0 + $1.indexed.fileBytes } < raw + raw / 80)
}

@Test func `a pack's length is one that many packs have`() throws {
    let place = try Place()
    let packs = try place.write([[1, 2, 3]])
    let name = ObjectName.pack(.shared, packs[0].indexed.id)
    let object = try place.context.store.get(name)
    let trailer = try PackTrailer(tail: object, fileBytes: object.count, what: "the pack")
    #expect(trailer.bodyBytes == Padding.padme(trailer.bodyBytes))
}
