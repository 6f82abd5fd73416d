import Files
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import TestSupport
import Vault
import WireFormat
import Workers

@testable import ChunkIndex

/// The cache of this machine, which anything may have happened to, and frames on frames.
func localTargets() -> [FuzzTarget] { [outline, run, cache, frames] }

// MARK: the index

private let outline = FuzzTarget(
    name: "pack-outline",
    seeds: [PackOutline(Samples.directory).bytes, PackOutline(frameCount: 3).bytes]
) { bytes in
    _ = reading { try PackOutline.envelopes(of: bytes) }
    guard let outline = reading({ try PackOutline(bytes) }) else { return }
    for (number, frame) in outline.frames.enumerated() {
        mustHold(Int(frame.segment) < outline.segments.count, "a frame lies in a segment")
        for base in outline.bases(ofFrame: number) {
            mustHold(Int(base.segment) < outline.baseSegments.count, "a base is somewhere")
        }
    }
    let written = outline.bytes
    guard let again = reading({ try PackOutline(written) }) else {
        fatalError("an outline that was written is refused")
    }
    mustHold(again.frames.count == outline.frames.count, "an outline keeps its frames")
}

private let scratch = TemporaryDirectory()
private let runDirectory = Path(scratch.path) / "index"
private let runPath = runDirectory / "run3-0123"

/// What the first run holds.
private let known = (0..<40).map { chunkID(UInt8($0)) }

/// The bytes of a run as the index writes it.
private let soundRun: [UInt8] = {
    let directory = Path(scratch.path) / "sound"
    do {
        let index = try ChunkIndex(
            directory: directory, calls: .kernel,
            randomBytes: { [UInt8](repeating: 1, count: $0) })
        let packs = [
            IndexedPack(
                id: objectID(1), contentClass: .data, byteCount: 70_000,
                frames: [Array(known[..<20]), [], Array(known[20...])]),
            IndexedPack(id: objectID(2), contentClass: .list, byteCount: 900, frames: [known]),
        ]
        try index.insert(packs, covering: [objectID(3), objectID(4)])
        guard let name = try Directories(.kernel).names(directory)?.first else {
            fatalError("the index wrote no run")
        }
        return try Directories(.kernel).contents(of: directory / name, limit: 1 << 20)
    } catch {
        fatalError("\(error)")
    }
}()

/// A byte that says whether the checksums are set right and whether entries are mapped, then the file.
private let run = FuzzTarget(
    name: "index-run", inputBytesMax: 8192, share: 15,
    seeds: [[0] + soundRun, [3] + soundRun, [1] + soundRun]
) { input in
    guard let flags = input.first else { return }
    var bytes = Array(input.dropFirst())
    if flags & 1 == 1 { mendRun(&bytes) }
    do {
        let directories = Directories(.kernel)
        try directories.make(runDirectory)
        for name in try directories.names(runDirectory) ?? [] {
            try directories.remove(runDirectory / name)
        }
        try bytes.withUnsafeBytes { try directories.create(runPath, $0, durable: false) }
        let index = try ChunkIndex(
            directory: runDirectory, calls: .kernel,
            randomBytes: { [UInt8](repeating: 2, count: $0) },
            mappedEntryBytesMax: flags & 2 == 2 ? 0 : 1 << 30)
        for id in known + [chunkID(200)] {
            let places = index.places(of: id)
            mustHold(index.place(of: id) == places.first, "the first place is the place")
        }
        index.forEachChunk { _, place in
            mustHold(place.frame >= 0, "a frame has a number")
        }
        let packs = index.packs
        let outlines = index.outlines
        for pack in packs.keys { _ = outlines.outline(of: pack) }
        _ = (index.covered, index.entryCount)
        // Merging reads everything, too.
        try index.insert(
            [
                IndexedPack(
                    id: objectID(9), contentClass: .data, byteCount: 1,
                    frames: [Array(known.prefix(3))])
            ], covering: [objectID(8)])
        mustHold(index.covered.contains(objectID(8)), "what is inserted is there")
    } catch let error as FileError {
        fatalError("the directory of runs cannot be used: \(error)")
    } catch {}
}

/// Sets the checksums of the header and the tables right: nothing behind wrong ones is read.
private func mendRun(_ bytes: inout [UInt8]) {
    guard bytes.count >= RunHeader.byteCount else { return }
    func store(_ word: UInt64, _ number: Int) {
        for byte in 0..<8 {
            bytes[8 * number + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte))
        }
    }
    func sum(_ range: Range<Int>) -> UInt64 {
        bytes.withUnsafeBytes { WordChecksum.of(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
    store(sum(0..<120), 15)
    guard let header = bytes.withUnsafeBytes({ RunHeader($0) }),
        header.fileByteCount <= bytes.count
    else { return }
    bytes.removeLast(bytes.count - header.fileByteCount)
    store(sum(header.objectsOffset..<header.linesOffset), 7)
    store(sum(header.linesOffset..<header.entriesOffset), 8)
    store(sum(header.entriesOffset..<header.fileByteCount), 9)
    store(sum(0..<120), 15)
}

// MARK: the other files

private let cacheRoot = Path(scratch.path) / objectID(1).description

/// A byte that says which file, then the file.
private let cache = FuzzTarget(
    name: "cache-files", share: 15,
    seeds: [
        [0] + Array("\(objectID(1)) \(domain) 00ff\n".utf8),
        [1] + Array("\(objectID(1)) 18446744073709551615\n".utf8),
        [2] + Array("\(objectID(1))\n".utf8), [3] + Array("\(objectID(2))\n".utf8),
    ]
) { input in
    guard let kind = input.first else { return }
    let names = ["records-\(Record.Kind.hold.folder)", "seen-\(domain)", "writer", "slot"]
    let path = cacheRoot / names[Int(kind & 3)]
    do {
        let random = SharedRandom(seed: 1)
        let surroundings = Surroundings(
            systemCalls: .kernel, now: { 0 }, randomBytes: { random.bytes($0) },
            scryptCost: .standard, workers: 0, identity: [], hostName: "",
            stopRequested: { nil }, wakeUp: -1, progress: { _ in }, warn: { _ in })
        let cache = try CacheDirectory(
            Path(scratch.path), repository: objectID(1), surroundings: surroundings)
        let directories = Directories(.kernel)
        try directories.remove(path)
        try Array(input.dropFirst()).withUnsafeBytes {
            try directories.create(path, $0, durable: false)
        }
        let (seen, records) = (try cache.remembered(domain), try cache.knownRecords(.hold))
        try cache.remember(seen, domain)
        mustHold(try cache.remembered(domain) == seen, "what is remembered stays so")
        _ = (records, try cache.lastSlot())
        let writer = try cache.writer()
        mustHold(try cache.writer() == writer, "a writer keeps its name")
    } catch {
        fatalError("a cache of nonsense is no error: \(error)")
    }
}

// MARK: frames

/// A pack whose directory and segment somebody with the keys made up: one byte for the length of the
/// directory's fields in 16s, its fields, then the plaintext of its one segment, sealed as it should be.
private let frames = FuzzTarget(
    name: "frames", inputBytesMax: 4096, share: 5, seeds: frameSeeds()
) { input in
    guard let first = input.first else { return }
    let split = min(input.count, 1 + 16 * Int(first))
    let plaintext = Array(input[split...])
    guard let place = reading({ try Place() }),
        let envelope = reading({ try NewEnvelope(.data, place.context) }),
        let base = reading({ try basePack(place) }),
        var directory = reading({
            try PackDirectory(Array(input[1..<split]), body: 40..<(40 + (2 << 20)), what: "pack")
        })
    else { return }
    // Of this repository, where its message is and what it stands on; all else is as the input says.
    directory.envelopes = directory.envelopes.map { _ in envelope.stored }
    directory.baseSegments = directory.baseSegments.map {
        .init(envelope: base, number: $0.number)
    }
    guard directory.segments.count == 1, directory.segments[0].storedBytes == plaintext.count else {
        return
    }
    let segment = directory.segments[0]
    let sealed = envelope.key.cipher().seal(
        number: segment.number,
        associated: envelope.key.associated(number: segment.number, context: segment.context),
        plaintext)
    let body = [UInt8](repeating: 0, count: ObjectHeader.byteCount) + sealed
    let name = ObjectName.snapshot(.shared, objectID(3))
    var inline = directory
    inline.segments[0].offset = 0
    for opened in [
        OpenDirectory(.inline(sealed, of: name), inline, place.context),
        reading({ try place.put(directory, body: body) }).flatMap { id in
            reading { try PackDirectories.read(id, place.context).0 }.map {
                OpenDirectory(.pack(.pack(.shared, id)), $0, place.context)
            }
        },
    ] {
        guard let opened,
            let decoder = reading({
                try FrameDecoder(place.context, place.finder, DecodedFrames(bytesMax: 8 << 20))
            })
        else { continue }
        for number in opened.frames.indices {
            if let frame = reading({ try decoder.frame(number, of: opened) }) {
                mustHold(
                    frame.range.count == Int(opened.frames[number].rawBytes),
                    "a frame is as long as it says")
            }
            _ = reading { try decoder.verify(frame: number, of: opened) }
        }
    }
}

private let oldRows = [
    Array("(1,'one'),(2,'two'),(3,'three'),".utf8), Array("(4,'four'),(5,'five'),".utf8),
]

/// A pack that deltas may stand on; the name of its envelope.
private func basePack(_ place: Place) throws -> ObjectID {
    let envelope = try NewEnvelope(.data, place.context)
    try place.put([([try HandMade(oldRows, place)], 0)], envelope: envelope)
    return envelope.stored.header.id
}

private func frameSeeds() -> [[UInt8]] {
    do {
        let place = try Place()
        let envelope = try NewEnvelope(.data, place.context)
        let base = oldRows[0] + oldRows[1]
        let piece = PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 0, chunkCount: 2)
        let plain = try HandMade([Array("(7,'seven'),(7,'seven'),(7,'seven')".utf8)], place)
        let delta = try HandMade(base + oldRows[0], against: base, [piece], place)
        return [[plain], [delta], [plain, delta]].map { frames in
            let directory = PackDirectory(
                envelopes: [envelope.stored],
                baseSegments: [.init(envelope: objectID(1), number: 0)],
                segments: [
                    .init(envelope: 0, number: 0, offset: 40, frames: frames.map { $0.frame })
                ])
            // An unknown field fills it up.
            var bytes = directory.bytes
            let filling = (16 - (bytes.count + 6) % 16) % 16
            bytes += [9, 0, UInt8(filling), 0, 0, 0] + [UInt8](repeating: 0, count: filling)
            return [UInt8(bytes.count / 16)] + bytes + frames.flatMap { $0.stored }
        }
    } catch {
        fatalError("\(error)")
    }
}
