import ChunkIndex
import Compression
import ObjectStorage
import PackStore
import Sealing
import TestSupport
import WireFormat
import Workers

/// A domain with packs in memory.
struct Place {
    let context: DomainContext
    let index = ChunkIndex(inMemory: ())

    /// - Parameter root: places of one have the same keys.
    init(root: UInt8 = 9) throws {
        let random = SharedRandom(seed: testSeed &+ UInt64(root))
        let keyring = Keyring(root: Secret(count: 32) { $0[0] = root })
        guard let keys = keyring.keys(of: 0) else {
            preconditionFailure("a root opens the shared domain")
        }
        context = DomainContext(
            store: MemoryStore(), keyring: keyring, keys: keys,
            random: HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [1] }))
    }

    func id(_ bytes: [UInt8], _ contentClass: ContentClass = .data) throws -> ChunkID {
        let namer = try context.keys.namer(ofClass: contentClass.rawValue)
        let name = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            bytes.withUnsafeBytes { namer.name($0, into: buffer.baseAddress!) }
            count = 32
        }
        return ChunkID(Array(name.prefix(24)))
    }

    func chunk(_ bytes: [UInt8], _ contentClass: ContentClass = .data) throws -> PackDirectory.Chunk
    {
        PackDirectory.Chunk(id: try id(bytes, contentClass), byteCount: bytes.count)
    }

    var finder: ChunkFinder { ChunkFinder(context, index) }

    func read(_ chunk: [UInt8], _ contentClass: ContentClass = .data) throws -> [UInt8] {
        let reader = try ChunkReader(context, finder, DecodedFrames(bytesMax: 8 << 20))
        return try reader.chunk(id(chunk, contentClass)).withBytes { Array($0) }
    }

    // MARK: packs as a writer makes them

    func write(_ chunks: [[UInt8]], workers: Int = 0) throws -> [StoredPack] {
        let writer = PackWriter(.data, context, level: nil, workers: workers, putsAtOnce: 1)
        defer { writer.stop() }
        for chunk in chunks { try writer.add(try id(chunk), Slice(copying: chunk)) }
        return try finish(writer)
    }

    /// Writes runs of one chunk each, against chunks that are there.
    func write(_ runs: [(chunk: [UInt8], base: [[UInt8]])], limits: DeltaLimits) throws
        -> [StoredPack]
    {
        let bases = Bases(
            context: context, finder: finder, decoded: DecodedFrames(bytesMax: 8 << 20),
            limits: limits,
            reliance: FrameTable(index.outlines, usable: Set(index.packs.keys)))
        let writer = PackWriter(
            .data, context, level: nil, workers: 0, putsAtOnce: 1, bases: bases)
        defer { writer.stop() }
        for (bytes, base) in runs {
            try writer.add([
                DeltaRun(
                    chunks: [try chunk(bytes)], bytes: Slice(copying: bytes),
                    base: try base.map { try id($0) })
            ])
        }
        return try finish(writer)
    }

    private func finish(_ writer: PackWriter) throws -> [StoredPack] {
        try writer.flush()
        let packs = writer.takePacks()
        _ = try IndexKeeper(context, index).write(packs)
        return packs
    }

    func directory(of pack: ObjectID) throws -> PackDirectory {
        try PackDirectories.read(pack, context).0
    }

    // MARK: packs made by hand

    /// Puts a pack of segments that are given frame by frame.
    @discardableResult
    func put(
        _ segments: [(frames: [HandMade], number: UInt64)],
        bases: [PackDirectory.SegmentName] = [], envelope: NewEnvelope
    ) throws -> ObjectID {
        var directory = PackDirectory(envelopes: [envelope.stored], baseSegments: bases)
        var body = [UInt8](repeating: 0, count: ObjectHeader.byteCount)
        let cipher = envelope.key.cipher()
        for (frames, number) in segments {
            let segment = PackDirectory.Segment(
                envelope: 0, number: number, offset: body.count, frames: frames.map { $0.frame })
            body += cipher.seal(
                number: number,
                associated: envelope.key.associated(number: number, context: segment.context),
                frames.flatMap { $0.stored })
            directory.segments.append(segment)
        }
        return try put(directory, body: body, envelope.stored.header.contentClass)
    }

    /// Puts a pack of which only what is sealed stands already.
    /// - Parameters:
    ///   - body: with room for the header.
    ///   - waste: so much longer than it should be it becomes.
    @discardableResult
    func put(
        _ directory: PackDirectory, body: [UInt8], _ contentClass: ContentClass = .data,
        waste: Int = 0
    ) throws -> ObjectID {
        var body = body
        let id = try context.newID("pack")
        let header = ObjectHeader(
            .pack, detail: contentClass.rawValue, domain: .shared, id: id
        ).bytes
        body.replaceSubrange(0..<header.count, with: header)
        body += [UInt8](repeating: 0x55, count: Padding.padme(body.count) - body.count + waste)
        let box = Box.seal(
            Padding.pad(directory.bytes), key: context.keys.index, label: PackDirectory.boxLabel,
            name: id.bytes, salt: [UInt8](repeating: 1, count: 32), associated: header)
        let trailer = PackTrailer(bodyBytes: body.count, directoryBytes: box.count)
        let hashed = body + box + trailer.bytesBeforeHash
        try context.store.put(.pack(.shared, id), hashed + SHA256.hash(hashed))
        _ = try IndexKeeper(context, index).refresh { _, _ in }
        return id
    }
}

/// A frame made by hand, and its stored bytes.
struct HandMade {
    let frame: PackDirectory.Frame
    let stored: [UInt8]

    /// A frame without a base.
    init(_ chunks: [[UInt8]], _ place: Place, _ contentClass: ContentClass = .data) throws {
        stored = try compress(chunks.flatMap { $0 })
        frame = PackDirectory.Frame(
            codec: .zstd, storedBytes: stored.count,
            chunks: try chunks.map { try place.chunk($0, contentClass) })
    }

    /// A delta of one chunk.
    /// - Parameter base: the plaintext of its pieces; all else is what the directory says, true or
    ///   not.
    init(
        _ bytes: [UInt8], against base: [UInt8], _ pieces: [PackDirectory.Piece], depth: Int = 1,
        closureFrames: Int = 1, closureBytes: Int = 1, _ place: Place
    ) throws {
        stored = try compress(bytes, base: base)
        frame = PackDirectory.Frame(
            codec: .delta, storedBytes: stored.count,
            base: PackDirectory.Base(
                depth: depth, closureFrames: closureFrames, closureBytes: closureBytes,
                pieces: pieces),
            chunks: [try place.chunk(bytes)])
    }
}

func compress(_ bytes: [UInt8], base: [UInt8] = []) throws -> [UInt8] {
    var compressor = Compressor()
    return try [UInt8](unsafeUninitializedCapacity: bytes.count + 1000) { buffer, count in
        count = try bytes.withUnsafeBytes { bytes in
            try base.withUnsafeBytes {
                try compressor.compress(
                    bytes, level: 3, base: $0, into: UnsafeMutableRawBufferPointer(buffer), limit: Int.max)
                    ?? 0
            }
        }
    }
}
