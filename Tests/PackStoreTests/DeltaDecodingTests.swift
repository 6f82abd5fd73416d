import ObjectStorage
import PackStore
import TestSupport
import Testing
import WireFormat

private func piece(_ segment: Int, frame: Int = 0, _ chunks: Range<Int> = 0..<1)
    -> PackDirectory.Piece
{
    PackDirectory.Piece(
        segment: segment, frame: frame, firstChunk: chunks.lowerBound, chunkCount: chunks.count)
}

private func name(_ envelope: NewEnvelope, _ number: UInt64 = 0) -> PackDirectory.SegmentName {
    PackDirectory.SegmentName(envelope: envelope.stored.header.id, number: number)
}

@Test func `a delta is decoded against the chunks its base names`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let old = (0..<6).map { _ in random.sqlRows(byteCount: 20_000) }
    let first = try NewEnvelope(.data, place.context)
    try place.put([([try HandMade(old, place)], 3)], envelope: first)

    // New content against chunks 1 to 3 of the old; then another against that.
    var changed = old[1] + old[2] + old[3]
    changed.replaceSubrange(30_000..<30_010, with: Array("0123456789".utf8))
    let delta = try HandMade(changed, against: old[1] + old[2] + old[3], [piece(0, 1..<4)], place)
    #expect(delta.stored.count < 500)
    let second = try NewEnvelope(.data, place.context)
    try place.put([([delta], 0)], bases: [name(first, 3)], envelope: second)
    #expect(try place.read(changed) == changed)

    var again = changed
    again.replaceSubrange(0..<4, with: Array("(99,".utf8))
    let deep = try HandMade(again, against: changed, [piece(0)], depth: 2, closureFrames: 2, place)
    let third = try NewEnvelope(.data, place.context)
    try place.put([([deep], 0)], bases: [name(second)], envelope: third)
    #expect(try place.read(again) == again)
}

@Test func `bases that stand on each other are refused, not followed for ever`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let a = random.sqlRows(byteCount: 10_000)
    let b = random.sqlRows(byteCount: 10_000)
    let first = try NewEnvelope(.data, place.context)
    let second = try NewEnvelope(.data, place.context)
    for (bytes, base, own, other) in [(a, b, first, second), (b, a, second, first)] {
        let delta = try HandMade(bytes, against: base, [piece(0)], place)
        try place.put([([delta], 0)], bases: [name(other)], envelope: own)
    }
    #expect(throws: WireError.self) { try place.read(a) }
}

/// A depth that the directory of a delta says, above a base that says 1.
@Test(arguments: [1, 2]) func `a base that is not less deep is refused`(depth: Int) throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let contents = (0..<3).map { _ in random.sqlRows(byteCount: 5000) }
    var envelopes = [try NewEnvelope(.data, place.context)]
    try place.put([([try HandMade([contents[0]], place)], 0)], envelope: envelopes[0])
    for (number, depth) in [(1, 1), (2, depth)] {
        let delta = try HandMade(
            contents[number], against: contents[number - 1], [piece(0)], depth: depth, place)
        let envelope = try NewEnvelope(.data, place.context)
        try place.put([([delta], 0)], bases: [name(envelopes[number - 1])], envelope: envelope)
        envelopes.append(envelope)
    }
    #expect(try place.read(contents[1]) == contents[1])
    if depth == 2 {
        #expect(try place.read(contents[2]) == contents[2])
    } else {
        #expect(throws: WireError.self) { try place.read(contents[2]) }
    }
}

/// Directories that say little and ask for much: a delta on so many frames, of which each holds a
/// small chunk and one that is so long. The longest base that is allowed and the first that is not
/// differ by one frame.
@Test(arguments: [
    (frames: 64, bytes: 100, isRefused: false), (65, 100, true),
    (16, (1 << 20) - 100, false), (17, (1 << 20) - 100, true),
])
func `more than 64 frames or 16 MiB below a frame are refused`(
    frames: Int, bytes: Int, isRefused: Bool
) throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let small = (0..<frames).map { _ in random.bytes(100) }
    let envelope = try NewEnvelope(.data, place.context)
    let plain = try small.enumerated().map { number, small in
        var long = [UInt8](repeating: UInt8(number), count: bytes)
        long[0] = 0xff
        return try HandMade([small, long], place)
    }
    try place.put([(plain, 0)], envelope: envelope)
    let base = small.flatMap { $0 }
    let bytes = base + random.bytes(10)
    let delta = try HandMade(
        bytes, against: base, (0..<frames).map { piece(0, frame: $0) }, place)
    #expect(delta.stored.count < 200)
    let second = try NewEnvelope(.data, place.context)
    try place.put([([delta], 0)], bases: [name(envelope)], envelope: second)
    if isRefused {
        let error = #expect(throws: WireError.self) { try place.read(bytes) }
        #expect(error?.message.contains("too many bases") == true)
    } else {
        #expect(try place.read(bytes) == bytes)
    }
}

@Test func `what lies below bases counts, too, each frame once`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let root = random.bytes(1000)
    var below = [try NewEnvelope(.data, place.context)]
    try place.put([([try HandMade([root], place)], 0)], envelope: below[0])
    var contents = [root]
    // 30 steps, of which each stands on the one below and on the root.
    for depth in 1...30 {
        let base = (contents.last ?? []) + root
        let bytes = base + random.bytes(depth == 30 ? 10 : 1)
        let delta = try HandMade(bytes, against: base, [piece(0), piece(1)], depth: depth, place)
        let envelope = try NewEnvelope(.data, place.context)
        try place.put(
            [([delta], 0)], bases: [name(below[below.count - 1]), name(below[0])],
            envelope: envelope)
        below.append(envelope)
        contents.append(bytes)
    }
    #expect(try place.read(contents[30]) == contents[30])
    // Those 31 and 33 more are all that is allowed; with 34 it is one too many.
    let more = (0..<34).map { _ in random.bytes(50) }
    let flat = try NewEnvelope(.data, place.context)
    try place.put([(try more.map { try HandMade([$0], place) }, 0)], envelope: flat)
    for count in [33, 34] {
        let base = contents[30] + more.prefix(count).flatMap { $0 }
        let bytes = base + random.bytes(10)
        let delta = try HandMade(
            bytes, against: base, [piece(0)] + (0..<count).map { piece(1, frame: $0) }, depth: 31,
            place)
        let envelope = try NewEnvelope(.data, place.context)
        try place.put([([delta], 0)], bases: [name(below[30]), name(flat)], envelope: envelope)
        if count == 33 {
            #expect(try place.read(bytes) == bytes)
        } else {
            #expect(throws: WireError.self) { try place.read(bytes) }
        }
    }
}

/// One frame again and again: the closure is small, the base is not.
@Test(arguments: [4, 5]) func `a base of more than 4 MiB is refused`(mebibytes: Int) throws {
    let place = try Place()
    let mebibyte = [UInt8]((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 8 ^ $0) })
    let envelope = try NewEnvelope(.data, place.context)
    try place.put([([try HandMade([mebibyte], place)], 0)], envelope: envelope)
    let bytes = Array("something else".utf8)
    let base = Array(repeatElement(mebibyte, count: mebibytes).joined())
    let delta = try HandMade(
        bytes, against: base, [PackDirectory.Piece](repeating: piece(0), count: mebibytes), place)
    let second = try NewEnvelope(.data, place.context)
    try place.put([([delta], 0)], bases: [name(envelope)], envelope: second)
    if mebibytes == 4 {
        #expect(try place.read(bytes) == bytes)
    } else {
        let error = #expect(throws: WireError.self) { try place.read(bytes) }
        #expect(error?.message.contains("too long") == true)
    }
}

@Test func `a base of another class is refused`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let list = random.sqlRows(byteCount: 3000)
    let envelope = try NewEnvelope(.list, place.context)
    try place.put([([try HandMade([list], place, .list)], 0)], envelope: envelope)
    #expect(try place.read(list, .list) == list)
    let bytes = list + random.bytes(10)
    let delta = try HandMade(bytes, against: list, [piece(0)], place)
    let second = try NewEnvelope(.data, place.context)
    try place.put([([delta], 0)], bases: [name(envelope)], envelope: second)
    #expect(throws: WireError.self) { try place.read(bytes) }
}

@Test(arguments: [
    piece(0, frame: 2), piece(0, frame: 1, 2..<3), piece(0, frame: 1, 0..<3),
    piece(0, frame: 0, 1..<1025),
])
func `a piece that is no part of its frame is refused`(_ piece: PackDirectory.Piece) throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let chunks = (0..<3).map { _ in random.sqlRows(byteCount: 1000) }
    let envelope = try NewEnvelope(.data, place.context)
    // Two frames, of one chunk and of two.
    let frames = [try HandMade([chunks[0]], place), try HandMade(Array(chunks[1...]), place)]
    try place.put([(frames, 0)], envelope: envelope)
    let bytes = chunks[1] + random.bytes(10)
    let delta = try HandMade(bytes, against: chunks[1], [piece], place)
    let second = try NewEnvelope(.data, place.context)
    try place.put([([delta], 0)], bases: [name(envelope)], envelope: second)
    #expect(throws: WireError.self) { try place.read(bytes) }
}

@Test func `a base that is nowhere is told as lost`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    let base = random.sqlRows(byteCount: 1000)
    let envelope = try NewEnvelope(.data, place.context)
    try place.put([([try HandMade([base], place)], 7)], envelope: envelope)
    let unknown = try NewEnvelope(.data, place.context)
    for lost in [name(envelope, 6), name(envelope, 0), name(unknown, 7)] {
        let bytes = base + random.bytes(10)
        let delta = try HandMade(bytes, against: base, [piece(0)], place)
        let own = try NewEnvelope(.data, place.context)
        try place.put([([delta], 0)], bases: [lost], envelope: own)
        #expect(throws: LostSegment.self) { try place.read(bytes) }
    }
}
