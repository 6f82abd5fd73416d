import ChunkIndex
import ObjectStorage
import WireFormat
import Workers

/// What one `add` knows and writes of chunks: known ones are named, new ones go to packs.
///
/// A class: it owns threads. Used by one thread.
package final class ChunkStore {
    private let context: DomainContext
    private let index: ChunkIndex
    private let keeper: IndexKeeper
    private let data: PackWriter
    private let lists: PackWriter
    private let usable: Set<ObjectID>
    private var pending = PendingChunks()

    /// Packs that existed before and are relied on now.
    package private(set) var reliedOn: Set<ObjectID> = []
    package private(set) var chunksNew = 0
    package private(set) var bytesNew = 0
    /// What grew in the repository so far: packs and index objects.
    package var bytesStored: Int { data.bytesPut + lists.bytesPut + indexBytes }
    private var indexBytes = 0

    /// So many new chunks are held in memory until an index object takes them over.
    private static let pendingMax = 200_000

    /// - Parameters:
    ///   - usable: packs that exist and carry no tombstone.
    ///   - level: zstd's level for data; nil tries.
    package init(
        _ context: DomainContext, _ index: ChunkIndex, usable: Set<ObjectID>, level: Int?,
        workers: Int,
        putsAtOnce: Int
    ) {
        self.context = context
        self.index = index
        self.usable = usable
        keeper = IndexKeeper(context, index)
        data = PackWriter(.data, context, level: level, workers: workers, putsAtOnce: putsAtOnce)
        lists = PackWriter(.list, context, level: 3, workers: min(workers, 1), putsAtOnce: 1)
    }

    /// Sees to it that a chunk is or will be stored. Returns whether it was new.
    package func store(_ id: ChunkID, _ slice: Slice, _ contentClass: ContentClass) throws -> Bool {
        if pending.contains(id) { return false }
        if let place = index.place(of: id, where: { usable.contains($0) }) {
            reliedOn.insert(place.pack)
            return false
        }
        if pending.count >= Self.pendingMax { try settle() }
        _ = pending.insert(id)
        switch contentClass {
        case .data:
            chunksNew += 1
            bytesNew += slice.count
            try data.add(id, slice)
        case .list: try lists.add(id, slice)
        }
        return true
    }

    /// Tells that the buffer of the chunks before will not be continued.
    package func endOfBuffer() throws { try data.endOfBuffer() }

    /// If all data is small, the segments for the manifest to carry instead of a pack.
    package func takeInline() throws -> Manifest.InlineSegments? {
        guard pending.count == data.chunkCount else { return nil }
        return try data.takeInline()
    }

    /// Makes everything durable and findable: packs, then an index object of them.
    package func settle() throws {
        try data.flush()
        try lists.flush()
        let packs = data.takePacks() + lists.takePacks()
        for pack in packs { ownPacks.insert(pack.indexed.id) }
        indexBytes += try keeper.write(packs)
        pending.removeAll()
    }

    /// Packs this add made.
    package private(set) var ownPacks: Set<ObjectID> = []

    package func stop() {
        data.stop()
        lists.stop()
    }
}
