import ChunkIndex
import Compression
import ObjectStorage
import PackStore
import Sealing
import TestSupport
import Testing
import WireFormat
import Workers

private struct Place {
    let context: DomainContext
    let index = ChunkIndex(inMemory: ())

    init() throws {
        let random = SharedRandom(seed: testSeed)
        let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
        let keys = try #require(keyring.keys(of: 0))
        context = DomainContext(
            store: MemoryStore(), keyring: keyring, keys: keys,
            random: HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [1] }))
    }

    func id(_ bytes: [UInt8]) throws -> ChunkID {
        let namer = try context.keys.namer(ofClass: 0)
        let name = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            bytes.withUnsafeBytes { namer.name($0, into: buffer.baseAddress!) }
            count = 32
        }
        return ChunkID(Array(name.prefix(24)))
    }

    func write(_ chunks: [[UInt8]], workers: Int = 0) throws -> [StoredPack] {
        let writer = PackWriter(.data, context, level: nil, workers: workers, putsAtOnce: 1)
        defer { writer.stop() }
        for chunk in chunks { try writer.add(try id(chunk), Slice(copying: chunk)) }
        try writer.flush()
        let packs = writer.takePacks()
        _ = try IndexKeeper(context, index).write(packs)
        return packs
    }

    func read(_ chunk: [UInt8]) throws -> [UInt8] {
        let reader = try ChunkReader(
            context, ChunkFinder(context, index), DecodedFrames(bytesMax: 8 << 20))
        return try reader.chunk(id(chunk)).withBytes { Array($0) }
    }
}

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

// MARK: deltas, which a writer of this version does not make yet but every reader must understand

/// Puts a pack of hand-made segments.
private func put(
    _ segments: [(frames: [(PackDirectory.Frame, [UInt8])], number: UInt64)],
    bases: [PackDirectory.SegmentName],
    _ place: Place, envelope: NewEnvelope
) throws {
    var directory = PackDirectory(envelopes: [envelope.stored], baseSegments: bases)
    var body = [UInt8](repeating: 0, count: ObjectHeader.byteCount)
    let cipher = envelope.key.cipher()
    for (frames, number) in segments {
        let segment = PackDirectory.Segment(
            envelope: 0, number: number, offset: body.count, frames: frames.map { $0.0 })
        body += cipher.seal(
            number: number,
            associated: envelope.key.associated(number: number, context: segment.context),
            frames.flatMap { $0.1 })
        directory.segments.append(segment)
    }
    let id = try place.context.newID("pack")
    let header = ObjectHeader(.pack, domain: .shared, id: id).bytes
    body.replaceSubrange(0..<header.count, with: header)
    body += [UInt8](repeating: 0x55, count: Padding.padme(body.count) - body.count)
    let box = Box.seal(
        Padding.pad(directory.bytes), key: place.context.keys.index, label: PackDirectory.boxLabel,
        name: id.bytes,
        salt: [UInt8](repeating: 1, count: 32), associated: header)
    let trailer = PackTrailer(bodyBytes: body.count, directoryBytes: box.count)
    let hashed = body + box + trailer.bytesBeforeHash
    try place.context.store.put(.pack(.shared, id), hashed + SHA256.hash(hashed))
    _ = try IndexKeeper(place.context, place.index).refresh { _, _ in }
}

private func compress(_ bytes: [UInt8], base: [UInt8]) throws -> [UInt8] {
    var compressor = Compressor(level: 3)
    return try [UInt8](unsafeUninitializedCapacity: bytes.count + 100) { buffer, count in
        count = try bytes.withUnsafeBytes { bytes in
            try base.withUnsafeBytes {
                try compressor.compress(
                    bytes, base: $0, into: UnsafeMutableRawBufferPointer(buffer), limit: Int.max)
                    ?? 0
            }
        }
    }
}

@Test func `a delta is decoded against the chunks its base names`() throws {
    var random = SeededRandom(seed: testSeed &+ 2)
    let place = try Place()
    let old = (0..<6).map { _ in random.sqlRows(byteCount: 20_000) }
    let envelope = try NewEnvelope(.data, place.context)
    let raw = old.flatMap { $0 }
    let plain = PackDirectory.Frame(
        codec: .raw, storedBytes: raw.count,
        chunks: try old.map { PackDirectory.Chunk(id: try place.id($0), byteCount: $0.count) })
    try put([([(plain, raw)], 3)], bases: [], place, envelope: envelope)

    // New content against chunks 1 to 3 of the old; then another against that.
    var changed = old[1] + old[2] + old[3]
    changed.replaceSubrange(30_000..<30_010, with: Array("0123456789".utf8))
    let stored = try compress(changed, base: old[1] + old[2] + old[3])
    #expect(stored.count < 500)
    func delta(
        _ bytes: [UInt8], _ stored: [UInt8], depth: Int, frames: Int, closure: Int, first: Int,
        count: Int
    ) throws
        -> PackDirectory.Frame
    {
        PackDirectory.Frame(
            codec: .delta, storedBytes: stored.count,
            base: PackDirectory.Base(
                depth: depth, closureFrames: frames, closureBytes: closure,
                pieces: [
                    PackDirectory.Piece(segment: 0, frame: 0, firstChunk: first, chunkCount: count)
                ]),
            chunks: [PackDirectory.Chunk(id: try place.id(bytes), byteCount: bytes.count)])
    }
    let second = try NewEnvelope(.data, place.context)
    let frame = try delta(
        changed, stored, depth: 1, frames: 1, closure: raw.count, first: 1, count: 3)
    try put(
        [([(frame, stored)], 0)],
        bases: [PackDirectory.SegmentName(envelope: envelope.stored.header.id, number: 3)],
        place, envelope: second)
    #expect(try place.read(changed) == changed)

    var again = changed
    again.replaceSubrange(0..<4, with: Array("(99,".utf8))
    let storedAgain = try compress(again, base: changed)
    let third = try NewEnvelope(.data, place.context)
    let deep = try delta(
        again, storedAgain, depth: 2, frames: 2, closure: raw.count + changed.count, first: 0,
        count: 1)
    try put(
        [([(deep, storedAgain)], 0)],
        bases: [PackDirectory.SegmentName(envelope: second.stored.header.id, number: 0)],
        place, envelope: third)
    #expect(try place.read(again) == again)
}

@Test func `bases that stand on each other are refused, not followed for ever`() throws {
    var random = SeededRandom(seed: testSeed &+ 3)
    let place = try Place()
    let a = random.sqlRows(byteCount: 10_000)
    let b = random.sqlRows(byteCount: 10_000)
    let first = try NewEnvelope(.data, place.context)
    let second = try NewEnvelope(.data, place.context)
    for (bytes, base, own, other) in [(a, b, first, second), (b, a, second, first)] {
        let stored = try compress(bytes, base: base)
        let frame = PackDirectory.Frame(
            codec: .delta, storedBytes: stored.count,
            base: PackDirectory.Base(
                depth: 1, closureFrames: 1, closureBytes: base.count,
                pieces: [PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 0, chunkCount: 1)]),
            chunks: [PackDirectory.Chunk(id: try place.id(bytes), byteCount: bytes.count)])
        try put(
            [([(frame, stored)], 0)],
            bases: [PackDirectory.SegmentName(envelope: other.stored.header.id, number: 0)],
            place, envelope: own)
    }
    #expect(throws: WireError.self) { try place.read(a) }
}
