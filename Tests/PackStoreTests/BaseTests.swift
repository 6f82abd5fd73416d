import ChunkIndex
import ObjectStorage
import PackStore
import TestSupport
import Testing
import WireFormat

/// Versions of one chunk, each against the one before, as nights make them; returns the bases that
/// their directories name.
private func chain(_ count: Int, _ limits: DeltaLimits) throws -> [PackDirectory.Base] {
    var random = SeededRandom(seed: testSeed)
    let place = try Place()
    var versions = [random.bytes(20_000)]
    _ = try place.write(versions)
    var bases: [PackDirectory.Base] = []
    for number in 1...count {
        var next = versions[number - 1]
        // Somewhere else each time: none is made of others.
        next.replaceSubrange((number * 100)..<(number * 100 + 20), with: random.bytes(20))
        let packs = try place.write([(next, [versions[number - 1]])], limits: limits)
        let frame = try place.directory(of: packs[0].indexed.id).segments[0].frames[0]
        bases.append(try #require(frame.base, "version \(number) is no delta"))
        #expect(try place.read(next) == next)
        versions.append(next)
    }
    return bases
}

@Test(arguments: 1...5)
func `where the limit of depth would be passed, an older base takes the place of the last`(
    depth: Int
) throws {
    let bases = try chain(12, DeltaLimits(depth: depth, closureFrames: 64, closureBytes: 1 << 20))
    #expect(bases.map { $0.depth } == (1...12).map { min($0, depth) })
    #expect(bases.allSatisfy { $0.closureFrames == $0.depth })
    #expect(bases.allSatisfy { $0.closureBytes == 20_000 * $0.closureFrames })
}

@Test func `where the limit of the closure would be passed, the chain begins anew`() throws {
    let frames = try chain(12, DeltaLimits(depth: 32, closureFrames: 4, closureBytes: 1 << 20))
    #expect(frames.map { $0.depth } == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4])
    let bytes = try chain(7, DeltaLimits(depth: 32, closureFrames: 64, closureBytes: 60_000))
    #expect(bytes.map { $0.closureBytes } == [1, 2, 3, 1, 2, 3, 1].map { $0 * 20_000 })
}

@Test func `of a base only chunks are kept that have something in common with the run`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let old = (0..<8).map { _ in random.bytes(10_000) }
    _ = try place.write(old)
    var new = old[2]
    new.replaceSubrange(500..<520, with: random.bytes(20))
    let packs = try place.write([(new, old)], limits: .usual)
    let frame = try place.directory(of: packs[0].indexed.id).segments[0].frames[0]
    #expect(
        frame.base?.pieces
            == [PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 2, chunkCount: 1)])
    // And nothing at all of what has nothing in common.
    let other = random.bytes(10_000)
    let plain = try place.write([(other, old)], limits: .usual)
    let codec = try place.directory(of: plain[0].indexed.id).segments[0].frames[0].codec
    #expect(codec == .raw)
}

// MARK: segments and chunks in a directory

@Test func `a segment is found by its name, however the messages are numbered`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let envelope = try NewEnvelope(.data, place.context)
    let numbers: [UInt64] = [5, 0, 1, 1_048_575, 3, 2]
    let chunks = numbers.map { _ in random.bytes(200) }
    let id = try place.put(
        try zip(chunks, numbers).map { ([try HandMade([$0], place)], $1) }, envelope: envelope)
    for (position, number) in numbers.enumerated() {
        let name = PackDirectory.SegmentName(envelope: envelope.stored.header.id, number: number)
        let (directory, segment) = try place.finder.locate(name)
        #expect(directory.source.name == .pack(.shared, id) && segment == position)
        #expect(directory.name(ofSegment: segment) == name)
        let found = try place.finder.find(try place.id(chunks[position]))
        #expect(found.frame == position && found.byteCount == 200)
    }
    for number in [4, 6, 1_048_574] as [UInt64] {
        let name = PackDirectory.SegmentName(envelope: envelope.stored.header.id, number: number)
        #expect(throws: LostSegment.self) { try place.finder.locate(name) }
    }
}

@Test func `of several copies of a segment one is found as long as there is one`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let envelope = try NewEnvelope(.data, place.context)
    let chunk = random.bytes(500)
    // Moved to other packs: under the same name, behind others.
    let packs = try (0..<3).map { before in
        let others = try (0..<before).map { number in
            ([try HandMade([random.bytes(100)], place)], UInt64(10 + number))
        }
        return try place.put(others + [([try HandMade([chunk], place)], 0)], envelope: envelope)
    }
    let name = PackDirectory.SegmentName(envelope: envelope.stored.header.id, number: 0)
    for pack in packs.shuffled(using: &random) {
        #expect(try place.read(chunk) == chunk)
        #expect(
            try place.finder.locate(name).directory.name(ofSegment: 0).envelope == name.envelope)
        try place.context.store.remove(.pack(.shared, pack))
    }
    #expect(throws: StorageError.self) { try place.finder.locate(name) }
    #expect(throws: (any Error).self) { try place.read(chunk) }
}

@Test func `chunks one behind the other are found across frames and segments`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let envelope = try NewEnvelope(.data, place.context)
    let chunks = (0..<12).map { _ in random.bytes(50) }
    let frames = try (0..<6).map { try HandMade(Array(chunks[(2 * $0)..<(2 * $0 + 2)]), place) }
    try place.put(
        [(Array(frames[..<3]), 0), (Array(frames[3...]), 1)], envelope: envelope)
    let finder = place.finder
    var last: FoundChunk?
    for (number, chunk) in chunks.enumerated() {
        let id = try place.id(chunk)
        let found = try finder.find(id, after: last)
        #expect(found.chunk == number && found.frame == number / 2 && found.id == id)
        #expect(found.range == (number % 2 * 50)..<(number % 2 * 50 + 50))
        last = found
    }
    // The next after the last, and one that is not the next.
    #expect(try finder.find(try place.id(chunks[0]), after: last).chunk == 0)
    #expect(throws: LostChunk.self) { try finder.find(try place.id([1]), after: last) }
}

// MARK: packs that stand on packs

/// A pack for the index, with nothing in it but links.
private func linked(_ number: UInt8, holds: [UInt8], on: [UInt8] = []) -> IndexedPack {
    func id(_ number: UInt8) -> ObjectID { ObjectID([UInt8](repeating: number, count: 16)) }
    return IndexedPack(
        id: id(number), contentClass: .data, byteCount: 1, segments: [], envelopes: holds.map(id),
        baseEnvelopes: on.map(id))
}

private func ids(_ numbers: [UInt8]) -> Set<ObjectID> {
    Set(numbers.map { ObjectID([UInt8](repeating: $0, count: 16)) })
}

@Test func `packs are whole where all that they stand on is there, all the way down`() throws {
    let index = ChunkIndex(inMemory: ())
    // 3 on 2 on 1; 5 on 4, whose messages 6 holds as well; 8 on 1 and 4; 9 on what nobody holds.
    try index.insert(
        [
            linked(1, holds: [101]), linked(2, holds: [102], on: [101]),
            linked(3, holds: [103], on: [102]), linked(4, holds: [104]),
            linked(5, holds: [105], on: [104]), linked(6, holds: [104, 106]),
            linked(8, holds: [108], on: [101, 104]), linked(9, holds: [109], on: [110]),
        ], covering: [])
    let links = index.links
    let cases: [(there: [UInt8], whole: [UInt8])] = [
        ([1, 2, 3, 4, 5, 6, 8, 9], [1, 2, 3, 4, 5, 6, 8]),
        // The end of the chain is gone, its middle, its beginning.
        ([2, 3, 4, 5, 6, 8], [4, 5, 6]), ([1, 3, 4], [1, 4]), ([1, 2], [1, 2]),
        // One of two copies is enough, for whoever stands on it.
        ([5, 6], [5, 6]), ([4, 5], [4, 5]), ([5], []), ([1, 8], [1]), ([1, 6, 8], [1, 6, 8]),
        // What no index speaks of stands on nothing.
        ([7], [7]), ([], []),
    ]
    for (there, whole) in cases {
        #expect(links.whole(among: ids(there)) == ids(whole), "\(there)")
    }
    let all = ids([1, 2, 3, 4, 5, 6, 8])
    let closures: [(of: [UInt8], among: Set<ObjectID>, closure: [UInt8])] = [
        ([3], all, [1, 2, 3]), ([2], all, [1, 2]), ([1], all, [1]),
        // All copies of what is stood on are relied on: whichever of them is read.
        ([5], all, [4, 5, 6]), ([5], ids([5, 6]), [5, 6]), ([8, 3], all, [1, 2, 3, 4, 6, 8]),
        ([7], all, [7]), ([], all, []),
        // A chain that is broken ends there.
        ([3], ids([1, 3]), [3]), ([9], all, [9]),
    ]
    for (packs, usable, closure) in closures {
        #expect(links.closure(of: ids(packs), among: usable) == ids(closure), "\(packs)")
    }
}

@Test func `packs that stand on each other are whole together and end`() throws {
    let index = ChunkIndex(inMemory: ())
    try index.insert(
        [linked(1, holds: [101], on: [102]), linked(2, holds: [102], on: [101])], covering: [])
    #expect(index.links.whole(among: ids([1, 2])) == ids([1, 2]))
    #expect(index.links.whole(among: ids([1])) == [])
    #expect(index.links.closure(of: ids([1]), among: ids([1, 2])) == ids([1, 2]))
}

@Test func `a base of more pieces than a directory may name is cut short`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    // Every other chunk has something in common with the run: no two pieces touch.
    let old = (0..<600).map { _ in random.bytes(1500) }
    _ = try place.write(old)
    let new = Array(stride(from: 0, to: 600, by: 2).map { old[$0] }.joined())
    let packs = try place.write([(new, old)], limits: .usual)
    let base = try place.directory(of: packs[0].indexed.id).segments[0].frames[0].base
    #expect(base?.pieces.count == Limits.piecesPerBase)
    #expect(try place.read(new) == new)
}
