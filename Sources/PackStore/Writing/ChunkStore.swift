import ChunkIndex
import ObjectStorage
import WireFormat
import Workers

/// What one `add` knows and writes of chunks: known ones are named, new ones go to packs.
///
/// A class: it owns threads. Used by one thread.
package final class ChunkStore {
    let context: DomainContext
    let index: ChunkIndex
    let keeper: IndexKeeper
    private let data: PackWriter
    private let lists: PackWriter
    let finder: ChunkFinder
    private let bases: Bases?
    /// What may be relied on, and what is.
    let reliance: FrameTable
    /// Once all is settled: every segment that must be there, and a pack that holds it.
    var relied: [PackDirectory.SegmentName: ObjectID]?
    private var pending = PendingChunks()
    /// Packs of this add that an index object speaks of already.
    package private(set) var own: Set<ObjectID> = []
    /// Whether something is stored anew whose pack is gone, or will be.
    private var isHealing = false

    package private(set) var chunksNew = 0
    package private(set) var bytesNew = 0
    /// What grew in the repository so far: packs and index objects.
    package var bytesStored: Int { data.bytesPut + lists.bytesPut + indexBytes }
    private var indexBytes = 0
    /// Deltas among the data: how many frames, of how many bytes, in how many.
    package var deltas: (frames: Int, rawBytes: Int, storedBytes: Int) { data.deltas }

    /// Twice what a delta may stand on would serve two threads that are at different places; they are
    /// mostly near each other.
    private static let decodedBytes = 12 << 20
    /// So many new chunks are held in memory until an index object takes them over.
    private static let pendingMax = 32_768

    /// - Parameters:
    ///   - existing: packs that exist and carry no tombstone.
    ///   - level: zstd's level for data; nil tries.
    ///   - bases: where deltas find what they stand on; nil makes none.
    ///   - limits: what deltas keep to.
    ///   - carried: what the parent's manifest carries itself.
    package init(
        _ context: DomainContext, _ index: ChunkIndex, existing: Set<ObjectID>, level: Int?,
        workers: Int, bases: DomainContext?, limits: DeltaLimits,
        carried: OpenDirectory? = nil
    ) {
        self.context = context
        self.index = index
        let reliance = FrameTable(index.outlines, usable: existing)
        self.reliance = reliance
        keeper = IndexKeeper(context, index)
        let finder = ChunkFinder(bases ?? context, index, inline: carried, existing: existing, doubtsIndex: false)
        self.finder = finder
        self.bases = bases.map { bases in
            Bases(
                context: bases, finder: finder, decoded: DecodedFrames(bytesMax: Self.decodedBytes),
                limits: limits, reliance: reliance)
        }
        data = PackWriter(
            .data, context, level: level, workers: workers,
            putsAtOnce: context.putsAtOnce, bases: self.bases, reliance: reliance)
        lists = PackWriter(
            .list, context, level: 3, workers: min(workers, 1), putsAtOnce: 1, bases: self.bases,
            reliance: reliance)
    }

    /// Reads what lists of earlier snapshots are made of; nil where no deltas are made.
    package func listReader() throws -> ChunkReader? {
        try bases.map { try ChunkReader($0.context, $0.finder, $0.decoded) }
    }

    /// Tells that the data are rows of a dump.
    package func expectRows() { data.holdsRows = true }

    /// Whether a chunk is or will be stored. If not it is taken for stored from now on: whoever asks
    /// hands it to `add`.
    package func claim(_ id: ChunkID, byteCount: Int, _ contentClass: ContentClass) throws -> Bool {
        if pending.contains(id) { return false }
        var wasKnown = false
        let place = index.place(of: id) { place in
            wasKnown = true
            return reliance.isWhole(place)
        }
        if let place {
            reliance.need(place)
            return false
        }
        if wasKnown { isHealing = true }
        try makeRoom(for: 1)
        _ = pending.insert(id)
        if contentClass == .data {
            chunksNew += 1
            bytesNew += byteCount
        }
        return true
    }

    /// Whether a chunk is or will be stored, so that claiming it costs nothing.
    package func isStored(_ id: ChunkID, _ contentClass: ContentClass) -> Bool {
        pending.contains(id)
            || index.place(of: id) { reliance.isWhole($0) } != nil
    }

    /// Makes what was taken in durable if so many chunks more would be too many to hold in memory. Whoever
    /// claims several before it stores them asks for room first: what is claimed is forgotten with the
    /// rest.
    func makeRoom(for count: Int) throws {
        if pending.count + count > Self.pendingMax, pending.count > 0 { try settle() }
    }

    /// Whether a chunk was taken in and has no place yet.
    func isPending(_ id: ChunkID) -> Bool { pending.contains(id) }

    /// Stores a chunk that was claimed.
    package func add(_ id: ChunkID, _ slice: Slice, _ contentClass: ContentClass) throws {
        try writer(contentClass).add(id, slice)
    }

    /// Stores runs of chunks that were claimed, as deltas where that is less.
    package func add(_ runs: [DeltaRun], _ contentClass: ContentClass) throws {
        try writer(contentClass).add(runs)
    }

    func writer(_ contentClass: ContentClass) -> PackWriter {
        switch contentClass {
        case .data: data
        case .list: lists
        }
    }

    /// What is wrong with what the parent is made of, where that was found out.
    package var damagedBase: String? { data.damagedBase ?? lists.damagedBase }

    /// Numbers for the frames that chunks lie in: those of one frame have the same.
    package func frames(of ids: [ChunkID]) -> [Int] {
        var last: FoundChunk?
        var number = 0
        return ids.map { id in
            let found = try? finder.find(id, after: last)
            if found?.directory !== last?.directory || found?.frame != last?.frame { number += 1 }
            last = found
            return number
        }
    }

    /// What became of runs of data whose place was only reckoned, once.
    package func takeAlignments() -> [RunAlignment] { data.takeAlignments() }

    /// Tells that the buffer of the chunks before will not be continued.
    package func endOfBuffer() throws { try data.endOfBuffer() }

    /// If all data is small, the segments for the manifest to carry instead of a pack. Not where
    /// other snapshots have lost some of it: what a manifest carries is its own.
    package func takeInline() throws -> Manifest.InlineSegments? {
        guard pending.count == data.chunkCount, !isHealing else { return nil }
        return try data.takeInline()
    }

    /// Makes everything durable and findable: packs, then an index object of them.
    package func settle() throws {
        try data.flush()
        try lists.flush()
        let packs = data.takePacks() + lists.takePacks()
        indexBytes += try keeper.write(packs)
        own.formUnion(packs.map { $0.indexed.id })
        if !packs.isEmpty {
            reliance.extend(index.outlines, by: packs.map { $0.indexed.id })
            finder.indexHasGrown(by: packs.map { $0.indexed.id })
        }
        pending.removeAll()
    }

    /// Makes what was stored findable where saving fails: it is good, whatever went wrong, and the next
    /// one uses it.
    package func settlingOnFailure<Result>(_ save: () throws -> Result) throws -> Result {
        do {
            return try save()
        } catch {
            try? settle()
            throw error
        }
    }

    package func stop() {
        data.stop()
        lists.stop()
    }
}
