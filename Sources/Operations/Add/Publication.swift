import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import WireFormat

/// The last steps of an add: publish, look, commit, look (docs/format.md, section 15).
struct Publication {
    let context: DomainContext
    let signed: SignedObjects
    /// Packs that existed before and are relied on.
    let reliedOn: Set<ObjectID>
    let warn: @Sendable (String) -> Void

    /// Makes a snapshot of a manifest.
    /// - Parameter bytesStoredBefore: what grew in the repository already.
    /// - Returns: the snapshot, once it counts and cannot be lost any more.
    func publish(_ draft: Manifest, bytesStoredBefore: Int) throws -> (Snapshot, Manifest) {
        let store = SnapshotStore(context)
        let id = try context.newID("snapshot", mixing: draft.bytes)
        var manifest = draft
        // The lengths do not depend on the number: it has a fixed width, and both objects are
        // padded.
        manifest.head.bytesStored = bytesStoredBefore
        let headBytes = try store.seal(manifest.head, id: id).count
        let trial = try store.seal(manifest, id: id).count
        manifest.head.bytesStored = bytesStoredBefore + trial + headBytes
        // Nothing counts that cannot be read: a fault of ours would be found when it is needed.
        _ = try Manifest(manifest.bytes, what: "the manifest")
        let sealed = try store.seal(manifest, id: id)
        var head = manifest.head
        head.manifestHash = Digest32(SHA256.hash(sealed))

        try store.publish(sealed, id: id)
        try lookAtPacks()
        if let needed = head.needs {
            try lookAt(needed, "snapshot \(needed.short), which this increment needs,")
        }
        try store.commit(try store.seal(head, id: id), id: id)
        try lookAt(id, "the snapshot itself")
        return (Snapshot(domain: context.domain, id: id, head: head), manifest)
    }

    /// Tombstones first, existence second: the other order could miss a pack condemned and deleted
    /// in between.
    private func lookAtPacks() throws {
        if let id = try signed.condemnedPacks(warn).intersection(reliedOn).min() {
            throw OperationError.condemned("pack \(id.short)")
        }
        // Each by its name: what a listing shows may be gone already in stores whose listings lag.
        try askAll(
            reliedOn.sorted(), atOnce: context.requestsAtOnce,
            { try context.store.byteCount(of: .pack(context.domain, $0)) != nil }
        ) { id, exists in
            guard try exists.get() else { throw OperationError.condemned("pack \(id.short)") }
        }
    }

    private func lookAt(_ id: ObjectID, _ what: String) throws {
        if try signed.tombstone(.snapshot, id) != nil { throw OperationError.condemned(what) }
        if try context.store.byteCount(of: .snapshot(context.domain, id)) == nil {
            throw OperationError.condemned(what)
        }
    }
}
