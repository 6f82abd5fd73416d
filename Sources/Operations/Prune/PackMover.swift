import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import Vault
import WireFormat
import Workers

/// Moves segments to new packs as they are sealed, under their names, and stores what is made anew. An index
/// object speaks of a new pack before anything relies on it.
///
/// A class: it owns threads. Used by one thread.
final class PackMover {
    private let context: DomainContext
    private let keeper: IndexKeeper
    private let surroundings: Surroundings
    private let data: PackWriter
    private let lists: PackWriter
    private var packsAtLast = 0
    /// Two packs may hold the same.
    private var moved: Set<PackDirectory.SegmentName> = []
    private(set) var bytesWritten = 0
    /// Those that an index object speaks of.
    private(set) var packs: Set<ObjectID> = []

    /// An index object takes over so many packs.
    private static let packsMax = 64

    /// - Parameter bases: where deltas that are made anew find what they stand on; nil where nothing is.
    init(
        _ context: DomainContext, _ index: ChunkIndex, _ surroundings: Surroundings,
        bases: Bases? = nil
    ) {
        self.context = context
        self.surroundings = surroundings
        keeper = IndexKeeper(context, index)
        let workers = surroundings.workers
        data = PackWriter(
            .data, context, level: nil, workers: workers, putsAtOnce: context.putsAtOnce,
            bases: bases)
        lists = PackWriter(
            .list, context, level: 3, workers: min(workers, 1), putsAtOnce: 1, bases: bases)
    }

    func stop() {
        data.stop()
        lists.stop()
    }

    /// Takes segments out of a pack. What this key cannot open is proven by the hash of the whole pack: a
    /// copy of what was damaged must not be the only one left.
    func move(_ segments: [Int], of pack: ObjectID) throws {
        let source = try open(pack)
        let reader = SegmentReader(context, pool: SegmentReader.pool())
        for segment in segments {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            try add(try reader.run(SegmentPlace(directory: source, segment: segment)))
        }
    }

    func add(_ segment: SealedSegment) throws {
        guard moved.insert(segment.name).inserted else { return }
        try writer(segment.envelope.header.contentClass).add(segment, new: 0)
        try settleIfMuch()
    }

    /// Stores runs of chunks that are stored already, in another way.
    func add(_ runs: [DeltaRun], _ contentClass: ContentClass) throws {
        try writer(contentClass).add(runs)
        try settleIfMuch()
    }

    private func writer(_ contentClass: ContentClass) -> PackWriter {
        contentClass == .data ? data : lists
    }

    private func settleIfMuch() throws {
        if data.packsPut + lists.packsPut >= packsAtLast + Self.packsMax { try settle() }
    }

    /// Makes all that was moved durable and findable.
    func settle() throws {
        try data.flush()
        try lists.flush()
        packsAtLast = data.packsPut + lists.packsPut
        let new = data.takePacks() + lists.takePacks()
        bytesWritten += new.reduce(0) { $0 + $1.indexed.fileBytes }
        bytesWritten += try keeper.write(new)
        packs.formUnion(new.map { $0.indexed.id })
    }

    /// The pack with its directory; the whole of it in memory where it is read whole.
    private func open(_ pack: ObjectID) throws -> OpenDirectory {
        let name = ObjectName.pack(context.domain, pack)
        if context.store.isNear, context.keyring.opensData {
            return OpenDirectory(
                .pack(name), try PackDirectories.read(pack, context).0, context)
        }
        let slice = Slice(copying: try context.store.get(name))
        let (directory, _) = try PackDirectories.open(slice, pack: pack, context)
        return OpenDirectory(.loaded(slice, of: name), directory, context)
    }
}
