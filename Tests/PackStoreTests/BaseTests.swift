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

// MARK: frames that stand on frames

private typealias Name = PackDirectory.SegmentName

private func object(_ number: UInt8) -> ObjectID {
    ObjectID([UInt8](repeating: number, count: 16))
}

private func name(_ envelope: UInt8) -> Name { Name(envelope: object(envelope), number: 0) }

/// A pack for the index, with nothing in it but segments: the envelope of each, and what each of its
/// frames stands on: envelope and number of a frame.
private func pack(_ number: UInt8, _ segments: (UInt8, [[(UInt8, Int32)]])...) -> IndexedPack {
    let bases = Set(segments.flatMap { $0.1.flatMap { $0.map { $0.0 } } }).sorted()
    let outline = PackOutline(
        envelopes: segments.map { object($0.0) }, baseSegments: bases.map { name($0) },
        segments: segments.map { segment in
            let frames = segment.1.map { frame in
                frame.map { base in
                    PackOutline.Base(
                        segment: Int32(bases.firstIndex(of: base.0)!), frame: base.1)
                }
            }
            return (name(segment.0), 100, frames)
        })
    let count = segments.reduce(0) { $0 + $1.1.count }
    return IndexedPack(
        id: object(number), contentClass: .data, byteCount: 1,
        frames: Array(repeating: [], count: count), outline: outline)
}

private func places(_ pairs: [(UInt8, Int)]) -> [ChunkPlace] {
    pairs.map { ChunkPlace(pack: object($0.0), frame: $0.1) }
}

@Test func `frames are whole where all that they stand on is there, all the way down`() throws {
    let index = ChunkIndex(inMemory: ())
    // 3 on 2 on 1, frame by frame; the second frame of 4 stands on what nobody holds, its first on nothing.
    // 5 holds the segment of 2 as well. 6 stands on the first frame of 4, and its second on the second.
    try index.insert(
        [
            pack(1, (101, [[], []])), pack(2, (102, [[(101, 1)]])), pack(3, (103, [[(102, 0)], []])),
            pack(4, (104, [[], [(120, 0)]])), pack(5, (102, [[(101, 1)]]), (105, [[]])),
            pack(6, (106, [[(104, 0)], [(104, 1)], [(104, 0), (101, 0)]])),
            pack(7, (107, [[(101, 2)]])),
        ], covering: [])
    let cases: [(there: [UInt8], whole: [(UInt8, Int)], broken: [(UInt8, Int)])] = [
        (
            [1, 2, 3, 4, 5, 6, 7],
            [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (4, 0), (5, 0), (5, 1), (6, 0), (6, 2)],
            // The last two name frames that their segments do not have.
            [(4, 1), (6, 1), (7, 0), (1, 2)]
        ),
        // One of two copies is enough, for whoever stands on it.
        ([1, 3, 5], [(3, 0), (5, 0)], [(2, 0)]), ([1, 2, 3], [(3, 0)], [(5, 0)]),
        // The end of the chain is gone, or its middle: only the frames that stood on it.
        ([2, 3, 5], [(3, 1), (5, 1)], [(2, 0), (3, 0), (5, 0)]), ([1, 3], [(3, 1)], [(3, 0)]),
        ([4, 6], [(6, 0)], [(6, 2)]), ([], [], [(1, 0)]),
    ]
    for (there, whole, broken) in cases {
        let table = FrameTable(index.outlines, usable: Set(there.map { object($0) }))
        for place in places(whole) { #expect(table.isWhole(place), "\(there), \(place)") }
        for place in places(broken) {
            #expect(!table.isWhole(place), "\(there), \(place)")
            #expect(!table.need(place))
        }
        #expect(table.needed.isEmpty)
    }
    let table = FrameTable(index.outlines, usable: Set([1, 2, 3, 4, 6].map { object($0) }))
    table.need(ChunkPlace(pack: object(3), frame: 0))
    #expect(
        table.needed == [name(103): object(3), name(102): object(2), name(101): object(1)])
    #expect(Set(table.needed.values) == Set([1, 2, 3].map { object($0) }))
    #expect(table.need(name(106), frame: 0))
    #expect(table.neededSegments(of: object(6)) == [0] && table.neededSegments(of: object(4)) == [0])
    // What was missing came to be.
    let later = ChunkIndex(inMemory: ())
    try later.insert([pack(3, (103, [[(102, 0)], []]))], covering: [])
    let growing = FrameTable(later.outlines, usable: [object(3)])
    #expect(!growing.isWhole(ChunkPlace(pack: object(3), frame: 0)))
    growing.extend(index.outlines, by: [object(1), object(2)])
    #expect(growing.isWhole(ChunkPlace(pack: object(3), frame: 0)))
}

@Test func `frames that stand on each other are broken, and asking ends`() throws {
    let index = ChunkIndex(inMemory: ())
    try index.insert(
        [pack(1, (101, [[(102, 0)]])), pack(2, (102, [[(101, 0)]])), pack(3, (103, [[(103, 0)]]))],
        covering: [])
    let table = FrameTable(index.outlines, usable: Set([1, 2, 3].map { object($0) }))
    for number in [UInt8(1), 2, 3] {
        #expect(!table.isWhole(ChunkPlace(pack: object(number), frame: 0)))
    }
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
