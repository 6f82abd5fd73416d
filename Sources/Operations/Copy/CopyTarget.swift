import ChunkIndex
import Faults
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
        let warn = vault.surroundings.warn
        let packs = try IndexKeeper(context, index).refresh(warn)
        let condemned = try vault.signedObjects.condemned(.pack) { name, error in
            warn("\(name) is ignored: \(explanation(of: error))")
        }
        existing = packs.subtracting(condemned.map { $0.id })
    }

    /// What takes one snapshot in.
    /// - Parameter before: the snapshot there whose lists the new ones are made against.
    func chunkStore(against before: Snapshot?) -> ChunkStore {
        let carried = before.flatMap { before -> OpenDirectory? in
            guard let manifest = try? SnapshotStore(bases).manifest(before.id, expecting: before.head),
                let inline = manifest.inline
            else { return nil }
            return OpenDirectory(
                .inline(inline.bytes, of: .snapshot(before.domain, before.id)), inline.directory,
                bases)
        }
        return ChunkStore(
            context, index, existing: existing, level: nil, workers: workers,
            putsAtOnce: context.store.isNear ? 1 : 4, bases: bases, limits: .usual,
            carried: carried)
    }

    /// Takes over what a store wrote.
    func take(_ store: ChunkStore) { existing.formUnion(store.own) }
}
