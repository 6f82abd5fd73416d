import ChunkIndex
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// One domain of the repository that is copied to.
final class CopyTarget {
    let context: DomainContext
    let index: ChunkIndex
    /// Where what lists of earlier snapshots are made of is read from.
    private let bases: DomainContext
    /// Packs that exist and carry no tombstone.
    private(set) var existing: Set<ObjectID>
    private let workers: Int
    /// What counts there.
    var snapshots: [Snapshot]

    init(
        _ vault: Vault, _ domain: DomainID, _ sent: SentObjects, snapshots: [Snapshot]
    ) throws {
        var context = try vault.requiredContext(domain)
        bases = vault.cachedContext(context)
        context.store = SentObjects.Store(under: context.store, sent: sent)
        self.context = context
        self.snapshots = snapshots
        workers = vault.surroundings.workers
        index = try vault.openIndex(domain)
        existing = try vault.lastingPacks(context, index)
    }

    /// A snapshot there, as far as it can be read.
    func earlier(_ snapshot: Snapshot?) -> EarlierSnapshot? { EarlierSnapshot(snapshot, bases) }

    /// What takes one snapshot in.
    /// - Parameter earlier: what the new lists are made against.
    func chunkStore(against earlier: EarlierSnapshot?) -> ChunkStore {
        ChunkStore(
            context, index, existing: existing, level: nil, workers: workers, bases: bases,
            limits: .usual, carried: earlier?.carried)
    }

    /// Takes over what a store wrote.
    func take(_ store: ChunkStore) { existing.formUnion(store.own) }
}
