import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import Vault
import WireFormat
import Workers

/// Moves segments to new packs as they are sealed, under their names. An index object speaks of a new
/// pack before anything relies on it.
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

    /// An index object takes over so many packs.
    private static let packsMax = 64

    init(_ context: DomainContext, _ index: ChunkIndex, _ surroundings: Surroundings) {
        self.context = context
        self.surroundings = surroundings
        keeper = IndexKeeper(context, index)
        let workers = surroundings.workers
        data = PackWriter(
            .data, context, level: 1, workers: workers, putsAtOnce: context.putsAtOnce)
        lists = PackWriter(.list, context, level: 1, workers: min(workers, 1), putsAtOnce: 1)
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
        let writer = segment.envelope.header.contentClass == .data ? data : lists
        try writer.add(segment, new: 0)
        if data.packsPut + lists.packsPut >= packsAtLast + Self.packsMax { try settle() }
    }

    /// Makes all that was moved durable and findable.
    func settle() throws {
        try data.flush()
        try lists.flush()
        packsAtLast = data.packsPut + lists.packsPut
        let packs = data.takePacks() + lists.takePacks()
        bytesWritten += packs.reduce(0) { $0 + $1.indexed.fileBytes }
        bytesWritten += try keeper.write(packs)
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
