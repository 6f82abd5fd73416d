import ChunkIndex
import Files
import ObjectStorage
import Operations
import PackStore
import Snapshots
import TestSupport
import Vault
import WireFormat

/// `decoding REPOSITORY SNAPSHOT`: what must be decoded to read a snapshot, in order and anywhere.
enum Decoding {
    /// Of plaintext that is kept while a stream is read in order.
    private static let cacheBytes = [32 << 20, 64 << 20]
    /// More than any snapshot has.
    private static let all = 1 << 50
    private static let readBytes = 16 << 10
    private static let reads = 500

    static func run(_ arguments: ArraySlice<String>) throws {
        guard arguments.count == 2, let directory = arguments.first, let name = arguments.last else {
            throw Misused("decoding takes REPOSITORY and SNAPSHOT")
        }
        let store = DirectoryStore(
            Path(directory), calls: .kernel, randomBytes: ThisProcess.randomBytes)
        let vault = try Vault.open(
            store, with: try ThisProcess.credential(), surroundings: ThisProcess.surroundings(),
            cacheParent: nil)
        let snapshot = try Reference(name).resolve(in: try History.load(vault))
        let context = try vault.requiredContext(snapshot.domain)
        let index = ChunkIndex(inMemory: ())
        _ = try IndexKeeper(context, index).refresh { _, _ in }
        let manifest = try SnapshotStore(context).manifest(snapshot.id, expecting: snapshot.head)
        let finder = ChunkFinder(
            context, index,
            inline: manifest.inline.map {
                OpenDirectory(
                    .inline($0.bytes, of: .snapshot(snapshot.domain, snapshot.id)), $0.directory,
                    context)
            })
        guard let stream = manifest.stream(.data) else { throw Misused("it holds no data") }
        let lists = try ChunkReader(context, finder, DecodedFrames(bytesMax: 8 << 20))
        var list = try ListReader(stream, lists, what: "the list")
        var chunks: [FoundChunk] = []
        while let entry = try list.next() {
            if case .chunk(let id, _) = entry {
                chunks.append(try finder.find(id, after: chunks.last))
            }
        }

        var distinct = (frames: 0, bytes: 0)
        var results: [String] = []
        for bytesMax in [all] + cacheBytes {
            let shared = DecodedFrames(bytesMax: bytesMax)
            let decoder = try FrameDecoder(context, finder, shared)
            for chunk in chunks { _ = try decoder.frame(chunk.frame, of: chunk.directory) }
            if bytesMax == all {
                distinct = shared.decoded
            } else {
                let again = shared.decoded.bytes - distinct.bytes
                results.append(
                    #"{"cache_bytes":\#(bytesMax),"frames":\#(shared.decoded.frames),"#
                        + #""again":\#(Double(again) / Double(distinct.bytes))}"#)
            }
        }
        let costs = try readAnywhere(chunks, context, finder).sorted()
        print(
            #"{"chunks":\#(chunks.count),"frames":\#(distinct.frames),"#
                + #""frame_bytes":\#(distinct.bytes),"in_order":[\#(results.joined(separator: ","))],"#
                + #""reads":\#(costs.count),"read_median_bytes":\#(costs[costs.count / 2]),"#
                + #""read_max_bytes":\#(costs.last ?? 0)}"#)
    }

    /// Bytes decoded for each of some reads, with nothing decoded before.
    private static func readAnywhere(
        _ chunks: [FoundChunk], _ context: DomainContext, _ finder: ChunkFinder
    ) throws -> [Int] {
        var random = SeededRandom(seed: 1)
        return try (0..<reads).map { _ in
            let first = random.number(0...(chunks.count - 1))
            let shared = DecodedFrames(bytesMax: all)
            let decoder = try FrameDecoder(context, finder, shared)
            // It begins anywhere in the first chunk.
            var rest = readBytes + random.number(0...(chunks[first].byteCount - 1))
            for chunk in chunks[first...] where rest > 0 {
                _ = try decoder.frame(chunk.frame, of: chunk.directory)
                rest -= chunk.byteCount
            }
            return shared.decoded.bytes
        }
    }
}
