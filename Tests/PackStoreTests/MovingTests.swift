import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import TestSupport
import Testing
import WireFormat
import Workers

/// More chunks than a writer holds in memory: index objects take over in between, and not between what
/// was claimed and what is stored.
private let chunkCount = 80_000

private func store(_ place: Place) -> ChunkStore {
    ChunkStore(
        place.context, place.index, existing: [], level: 1, workers: 0, bases: nil,
        limits: .usual)
}

private func written(_ place: Place) throws -> (chunks: [[UInt8]], packs: [StoredPack]) {
    var random = SeededRandom(seed: announcedSeed())
    let chunks = (0..<chunkCount).map { _ in random.bytes(20) }
    return (chunks, try place.write(chunks))
}

private func directories(of packs: [StoredPack], _ place: Place) throws -> [OpenDirectory] {
    try packs.map {
        OpenDirectory(
            .pack(.pack(place.context.domain, $0.indexed.id)),
            try place.directory(of: $0.indexed.id), place.context)
    }
}

@Test func `frames that move to other keys are known there, however many they are`() throws {
    let (here, there) = (try Place(), try Place(root: 10))
    let (chunks, packs) = try written(here)
    let finder = ChunkFinder(here.context, here.index)
    let opener = try FrameOpener(
        here.context, finder, DecodedFrames(bytesMax: 4 << 20), target: there.context)
    let target = store(there)
    defer { target.stop() }
    for directory in try directories(of: packs, here) {
        for frame in directory.frames.indices {
            let place = FramePlace(directory: directory, frame: frame)
            try target.move(try opener.run(place), base: [])
        }
    }
    for chunk in chunks where try target.claim(there.id(chunk), byteCount: 20, .data) {
        Issue.record("a chunk is not known")
        break
    }
    #expect(target.chunksNew == chunkCount)
    try target.settle()
    #expect(there.index.entryCount == chunkCount)
    #expect(try there.read(chunks[chunkCount / 2]) == chunks[chunkCount / 2])
}

@Test func `segments that move under the same keys are known there, and are the same`() throws {
    let (here, there) = (try Place(), try Place())
    let (chunks, packs) = try written(here)
    let reader = SegmentReader(here.context, pool: SegmentReader.pool())
    let target = store(there)
    defer { target.stop() }
    for directory in try directories(of: packs, here) {
        for segment in directory.segments.indices {
            let frames = directory.segments[segment].frames
            try target.move(
                try reader.run(SegmentPlace(directory: directory, segment: segment)),
                for: Set(0..<frames.count))
        }
    }
    for chunk in chunks where try target.claim(there.id(chunk), byteCount: 20, .data) {
        Issue.record("a chunk is not known")
        break
    }
    try target.settle()
    #expect(there.index.entryCount == chunkCount)
    #expect(try there.read(chunks[7]) == chunks[7])
    let envelopes = Set(here.index.outlines.holders.keys)
    #expect(Set(there.index.outlines.holders.keys) == envelopes)
}
