import ObjectStorage
import PackStore
import Sealing
import Snapshots
import WireFormat

/// An earlier snapshot that a new one is made against, as far as it can be read here: deltas are worth
/// having, not worth failing for.
struct EarlierSnapshot {
    let snapshot: Snapshot
    let manifest: Manifest
    private let context: DomainContext

    /// - Parameters:
    ///   - context: where what deltas stand on is read from; nil where none are made.
    ///   - unreadable: told what is wrong with a manifest that is there, and that this key opens.
    init?(
        _ snapshot: Snapshot?, _ context: DomainContext?,
        unreadable: (any Error) -> Void = { _ in }
    ) {
        guard let snapshot, let context else { return nil }
        do {
            manifest = try SnapshotStore(context).manifest(
                snapshot.id, expecting: snapshot.head)
        } catch StorageError.missing, SealingError.lacksKey {
            return nil
        } catch {
            unreadable(error)
            return nil
        }
        self.snapshot = snapshot
        self.context = context
    }

    /// The segments that its manifest carries itself.
    var carried: OpenDirectory? { manifest.carried(of: snapshot, context) }

    /// The list of a stream of it; nil where there is none that can be read.
    func list(_ role: Manifest.Role, _ store: ChunkStore) -> ListReader? {
        guard let stream = manifest.stream(role), let lists = try? store.listReader() else {
            return nil
        }
        return try? ListReader(stream, lists, what: "the list of snapshot \(snapshot.id.short)")
    }
}

extension Manifest {
    /// The segments that it carries itself.
    func carried(of snapshot: Snapshot, _ context: DomainContext) -> OpenDirectory? {
        inline.map {
            OpenDirectory(
                .inline($0.bytes, of: .snapshot(snapshot.domain, snapshot.id)), $0.directory,
                context)
        }
    }
}
