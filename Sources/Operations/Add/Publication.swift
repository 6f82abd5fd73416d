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
        let condemned = try signed.condemned(.pack) { name, error in
            warn("\(name) is ignored: \(explanation(of: error))")
        }
        for tombstone in condemned where reliedOn.contains(tombstone.id) {
            throw OperationError.condemned("pack \(tombstone.id.short)")
        }
        let existing = try existingPacks()
        for id in reliedOn.sorted() where !existing.contains(id) {
            throw OperationError.condemned("pack \(id.short)")
        }
    }

    /// Of the packs that are relied on those that exist.
    private func existingPacks() throws -> Set<ObjectID> {
        guard context.store.isNear || reliedOn.count <= Self.askedSinglyMax else {
            // A far store tells of a thousand packs in one answer.
            return Set(
                try context.store.list(.packs(context.domain)).compactMap { object in
                    if case .pack(_, let id) = object.name { id } else { nil }
                })
        }
        return try reliedOn.filter {
            try context.store.byteCount(of: .pack(context.domain, $0)) != nil
        }
    }

    private static let askedSinglyMax = 1

    private func lookAt(_ id: ObjectID, _ what: String) throws {
        if try signed.tombstone(.snapshot, id) != nil { throw OperationError.condemned(what) }
        if try context.store.byteCount(of: .snapshot(context.domain, id)) == nil {
            throw OperationError.condemned(what)
        }
    }
}
