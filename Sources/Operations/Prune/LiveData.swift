import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// What of the packs of a domain is live: the chunks that manifests name, confirmed or not, and all frames
/// that those stand on.
///
/// A class: it grows while manifests are read.
final class LiveData {
    private let context: DomainContext
    private let index: ChunkIndex
    private let keeper: IndexKeeper
    let table: FrameTable
    /// The same without what goes: of a chunk that is there twice the place is taken for which nothing that
    /// goes is needed. Nil where nothing goes.
    private let lasting: FrameTable?
    private let condemned: Set<ObjectID>
    private let surroundings: Surroundings
    private let store: SnapshotStore
    private let finder: ChunkFinder
    private let lists: ChunkReader
    private var nodes: ListNodes
    /// Manifests that were read. They never change, so once is enough.
    private var read: Set<ObjectID> = []
    private var chunks = PendingChunks()
    /// Live chunks that are nowhere, and the snapshot that was being read.
    private(set) var lost: [(chunk: ChunkID, snapshot: ObjectID)] = []
    private(set) var chunkCount = 0
    /// The packs that were there when it was last looked.
    private(set) var existing: Set<ObjectID> = []

    /// So many chunks are known again when they come again; of more, each is looked up anew.
    private static let chunksMax = 4 << 20

    /// - Parameters:
    ///   - condemned: packs that carry a tombstone.
    ///   - replaced: segments in the place of which there are others.
    init(
        _ vault: Vault, _ context: DomainContext, _ index: ChunkIndex, condemned: Set<ObjectID>,
        replaced: Set<PackDirectory.SegmentName> = []
    ) throws {
        self.context = context
        self.index = index
        keeper = IndexKeeper(context, index)
        self.condemned = condemned
        surroundings = vault.surroundings
        table = FrameTable(PackOutlines(), usable: [], avoiding: condemned)
        lasting =
            condemned.isEmpty && replaced.isEmpty
            ? nil : FrameTable(PackOutlines(), usable: [], shunning: replaced)
        store = SnapshotStore(context)
        finder = ChunkFinder(vault.cachedContext(context), index)
        lists = try ChunkReader(
            vault.cachedContext(context), finder, DecodedFrames(bytesMax: 32 << 20))
        nodes = ListNodes(lists)
    }

    /// Reads the manifests that were not read yet. They are listed first, and what is stored is looked at
    /// anew after that: so what they stand on is known.
    /// - Parameter leftOut: snapshots taken to be gone.
    func readManifests(leavingOut leftOut: Set<ObjectID> = []) throws {
        let ids = try store.manifests().filter { !read.contains($0) && !leftOut.contains($0) }
        try lookAnew()
        let (store, stop) = (self.store, surroundings.stopRequested)
        var done = 0
        try askAll(
            ids, atOnce: context.requestsAtOnce,
            { id in
                if let signal = stop() { throw Interrupted(signal: signal) }
                return try store.manifest(id, expecting: nil)
            }
        ) { id, manifest in
            do {
                try take(id, try manifest.get())
            } catch StorageError.missing(.snapshot(context.domain, id)) {
                return
            } catch  where isDamage(error) {
                throw Unprunable(domain: context.domain, snapshot: id, underlying: error)
            }
            read.insert(id)
            done += 1
            surroundings.progress(Progress(done, of: ids.count, "snapshots read"))
        }
        // Another prune may have moved it just while packs were listed: in neither place it was seen.
        for _ in 0..<Self.looksMax where !lost.isEmpty {
            try lookAnew()
            let before = lost
            lost = []
            for (chunk, snapshot) in before { need(stored: chunk, of: snapshot) }
        }
    }

    private static let looksMax = 3

    private func lookAnew() throws {
        existing = try keeper.refresh(surroundings)
        table.extend(index.outlines, by: existing.sorted())
        lasting?.extend(index.outlines, by: existing.subtracting(condemned).sorted())
        finder.follow(existing)
    }

    private func take(_ id: ObjectID, _ manifest: Manifest) throws {
        let inline = manifest.inline.map {
            OpenDirectory(.inline($0.bytes, of: .snapshot(context.domain, id)), $0.directory, context)
        }
        for frame in inline?.frames.indices ?? 0..<0 {
            for base in inline?.bases(ofFrame: frame) ?? [] {
                if !table.need(base.segment, frame: base.frame) {
                    throw LostSegment(name: base.segment)
                }
            }
        }
        let what = "the list of snapshot \(id.short)"
        guard let inline else {
            for stream in manifest.streams {
                try nodes.walk(stream, what: what) { need($0, of: id) }
            }
            return
        }
        // What it carries it has for itself: of nodes that others share with it, they need all.
        let carried = Set(inline.chunks.map { $0.id })
        var own = ListNodes(lists)
        for stream in manifest.streams {
            try own.walk(stream, what: what) { if !carried.contains($0) { need($0, of: id) } }
        }
    }

    private func need(_ id: ChunkID, of snapshot: ObjectID) {
        if chunks.count < Self.chunksMax {
            guard chunks.insert(id) else { return }
        } else {
            guard chunks.value(of: id) == nil else { return }
        }
        chunkCount += 1
        need(stored: id, of: snapshot)
    }

    private func need(stored id: ChunkID, of snapshot: ObjectID) {
        let place =
            lasting.flatMap { lasting in index.place(of: id) { lasting.isWhole($0) } }
            ?? index.place(of: id) { table.isWhole($0) }
        guard let place, table.need(place) else {
            lost.append((id, snapshot))
            return
        }
    }
}

/// Something is damaged, so that what is live cannot be told.
package struct Unprunable: Explained {
    package let domain: DomainID
    package let snapshot: ObjectID
    package let underlying: any Error

    package var message: String {
        "snapshot \(snapshot.short) cannot be read: \(explanation(of: underlying)):"
            + " no pack is deleted, for nothing tells what it needs"
    }
    package var hint: String? {
        "repo check says what is damaged; repo forget \(snapshot.short) gives the snapshot up"
    }
    package var exitCode: ExitCode { .damage }
}
