import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// The last steps of an add: publish, look, commit, look (docs/format.md, section 15).
struct Publication {
    let context: DomainContext
    let signed: SignedObjects
    /// What was written, and all that it stands on.
    let store: ChunkStore
    let surroundings: Surroundings

    /// Makes a snapshot of a manifest.
    /// - Parameter bytesStoredBefore: what grew in the repository already.
    /// - Returns: the snapshot, once it counts and cannot be lost any more.
    func publish(_ draft: Manifest, bytesStoredBefore: Int) throws -> (Snapshot, Manifest) {
        let snapshots = SnapshotStore(context)
        let id = try context.newID("snapshot", mixing: draft.bytes)
        var manifest = draft
        // The lengths do not depend on the number: it has a fixed width, and both objects are
        // padded.
        manifest.head.bytesStored = bytesStoredBefore
        let headBytes = try snapshots.seal(manifest.head, id: id).count
        let trial = try snapshots.seal(manifest, id: id).count
        manifest.head.bytesStored = bytesStoredBefore + trial + headBytes
        // Nothing counts that cannot be read: a fault of ours would be found when it is needed.
        _ = try Manifest(manifest.bytes, what: "the manifest")
        let sealed = try snapshots.seal(manifest, id: id)
        var head = manifest.head
        head.manifestHash = Digest32(SHA256.hash(sealed))

        try snapshots.publish(sealed, id: id)
        do {
            try lookAtPacks()
            if let needed = head.needs {
                try lookAt(needed, "snapshot \(needed.short), which this increment needs,")
            }
        } catch {
            // It never counted, and nobody else ends it: it would keep what it names for days.
            try? context.store.remove(.snapshot(context.domain, id))
            throw error
        }
        try snapshots.commit(try snapshots.seal(head, id: id), id: id)
        try lookAt(id, "the snapshot itself")
        return (Snapshot(domain: context.domain, id: id, head: head), manifest)
    }

    /// Tombstones first, existence second: the other order could miss a pack condemned and deleted
    /// in between. What lies in a pack that will go, or is gone, is taken from another or moved to a new
    /// one, and that is looked at in turn.
    private func lookAtPacks() throws {
        for _ in 0..<Self.roundsMax {
            let reliedOn = store.reliedOn
            let condemned =
                context.isEventual
                ? try signed.condemned(among: reliedOn, context)
                : try signed.condemnedPacks(surroundings)
            let bad = try condemned.intersection(reliedOn).union(
                context.missing(reliedOn.subtracting(condemned)))
            guard let first = bad.min() else { return }
            do {
                try store.rescue(
                    from: bad, condemned: condemned, damaged: surroundings.tellUnusable)
            } catch is LostSegment {
                throw OperationError.condemned("pack \(first.short)")
            }
        }
        throw OperationError.condemned("what this snapshot stands on")
    }

    /// Each round takes a prune that condemned what the one before had found.
    private static let roundsMax = 20

    private func lookAt(_ id: ObjectID, _ what: String) throws {
        if try signed.tombstone(.snapshot, id) != nil { throw OperationError.condemned(what) }
        if try context.store.byteCount(of: .snapshot(context.domain, id)) == nil {
            throw OperationError.condemned(what)
        }
    }
}
