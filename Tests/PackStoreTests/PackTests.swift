import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import TestSupport
import Testing
import WireFormat
import Workers

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
    // A pack of these lengths may be padded by one part in 32; together they are not by half of it,
    // whichever lengths they come to.
    #expect(packs.reduce(0) { $0 + $1.indexed.fileBytes } < raw + raw / 64)
}

@Test func `a pack's length is one that many packs have`() throws {
    let place = try Place()
    let packs = try place.write([[1, 2, 3]])
    let name = ObjectName.pack(.shared, packs[0].indexed.id)
    let object = try place.context.store.get(name)
    let trailer = try PackTrailer(tail: object, fileBytes: object.count, what: "the pack")
    #expect(trailer.bodyBytes == Padding.padme(trailer.bodyBytes))
}

@Test func `what an add sees again it stores once, however much came in between`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let store = ChunkStore(
        place.context, place.index, existing: [], level: 1, workers: 0, bases: nil,
        limits: .usual)
    defer { store.stop() }
    let bytes = Slice(copying: random.bytes(20))
    // More than are held in memory at once: an index object takes over in between.
    let ids = (0..<70_000).map { _ in
        ChunkID(words: (random.next(), random.next(), random.next()))
    }
    for id in ids {
        #expect(try store.claim(id, byteCount: bytes.count, .data))
        try store.add(id, bytes, .data)
    }
    for id in ids where try store.claim(id, byteCount: bytes.count, .data) {
        Issue.record("\(id) is new again")
        break
    }
    try store.settle()
    #expect(store.chunksNew == ids.count)
    #expect(place.index.entryCount == ids.count)
    #expect(store.reliedOn == store.own)
}

// MARK: what no writer writes

/// A directory of one segment in an envelope, and the body with room for the header.
private func sealed(_ bytes: [UInt8], _ envelope: NewEnvelope, _ place: Place) throws -> (
    directory: PackDirectory, body: [UInt8]
) {
    let made = try HandMade([bytes], place, envelope.stored.header.contentClass)
    let segment = PackDirectory.Segment(
        envelope: 0, number: 0, offset: ObjectHeader.byteCount, frames: [made.frame])
    let sealed = envelope.key.cipher().seal(
        number: 0, associated: envelope.key.associated(number: 0, context: segment.context),
        made.stored)
    return (
        PackDirectory(envelopes: [envelope.stored], segments: [segment]),
        [UInt8](repeating: 0, count: ObjectHeader.byteCount) + sealed
    )
}

/// A place in another domain of the same root.
private func elsewhere(_ place: Place) throws -> DomainContext {
    DomainContext(
        store: place.context.store, keyring: place.context.keyring,
        keys: try #require(place.context.keyring.keys(of: 5)), random: place.context.random)
}

@Test func `a pack with an envelope of another class or domain is refused`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let bytes = random.bytes(1000)
    let envelopes = [
        try NewEnvelope(.data, place.context), try NewEnvelope(.list, place.context),
        try NewEnvelope(.data, elsewhere(place)),
    ]
    for (number, envelope) in envelopes.enumerated() {
        var (directory, body) = try sealed(bytes, envelope, place)
        // One that holds no segment counts, too.
        directory.envelopes.append(try NewEnvelope(.data, place.context).stored)
        let id = try place.put(directory, body: body)
        if number == 0 {
            #expect(try place.directory(of: id) == directory)
            #expect(try place.read(bytes) == bytes)
        } else {
            #expect(throws: WireError.self) { try place.directory(of: id) }
        }
    }
}

@Test func `a body that has not its own padded length is refused`() throws {
    let place = try Place()
    let (directory, body) = try sealed(
        [UInt8](repeating: 7, count: 100), NewEnvelope(.data, place.context), place)
    #expect(try place.directory(of: place.put(directory, body: body)) == directory)
    let id = try place.put(directory, body: body, waste: 1)
    #expect(throws: WireError.self) { try place.directory(of: id) }
}

@Test func `an index object that says a pack is of another class or domain is refused`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let keeper = IndexKeeper(place.context, place.index)
    let cases: [(ContentClass, NewEnvelope, isRefused: Bool)] = [
        (.data, try NewEnvelope(.data, place.context), false),
        (.list, try NewEnvelope(.list, place.context), false),
        (.list, try NewEnvelope(.data, place.context), true),
        (.data, try NewEnvelope(.list, place.context), true),
        (.data, try NewEnvelope(.data, elsewhere(place)), true),
    ]
    for (contentClass, envelope, isRefused) in cases {
        let (directory, body) = try sealed(random.bytes(100), envelope, place)
        let pack = IndexObject.Pack(
            id: try place.context.newID("pack"), contentClass: contentClass,
            fileBytes: body.count + 1000, directory: directory.bytes)
        let before = Set(place.index.covered)
        _ = try keeper.write([StoredPack(pack, directory)])
        let id = try #require(place.index.covered.subtracting(before).first)
        if isRefused {
            #expect(throws: WireError.self) { try IndexKeeper.readPacks(id, place.context) }
        } else {
            #expect(try IndexKeeper.readPacks(id, place.context).map { $0.0.id } == [pack.id])
        }
    }
}
