import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

package struct ForgetRequest: Sendable {
    package var references: [Reference]
    package var dryRun: Bool
    package var allowEmpty: Bool

    package init(references: [Reference], dryRun: Bool = false, allowEmpty: Bool = false) {
        self.references = references
        self.dryRun = dryRun
        self.allowEmpty = allowEmpty
    }
}

package struct ForgetDecision: Sendable {
    package let snapshot: Snapshot
    package let reason: String
}

/// Drops single snapshots: they are gone from `list`; prune frees their space.
///
/// Nothing is removed unless all of them may go.
package func forget(_ request: ForgetRequest, in vault: Vault) throws -> [ForgetDecision] {
    let history = try History.load(vault)
    var chosen: [Snapshot] = []
    for reference in request.references {
        let snapshot = try reference.resolve(in: history)
        if !chosen.contains(where: { $0.id == snapshot.id }) { chosen.append(snapshot) }
    }
    let going = Set(chosen.map { $0.id })
    for snapshot in chosen {
        let others = history.snapshots.filter {
            $0.head.needs == snapshot.id && !going.contains($0.id)
        }
        guard others.isEmpty else {
            throw OperationError.neededBy(id: snapshot.id.short, others: others.map { $0.id.short })
        }
        let left = history.series(snapshot.head.series, in: snapshot.domain)
            .filter { !going.contains($0.id) && $0.head.completeness != .incomplete }
        if left.isEmpty && snapshot.head.completeness != .incomplete && !request.allowEmpty {
            throw OperationError.lastGoodSnapshot(
                series: snapshot.head.series, id: snapshot.id.short)
        }
    }
    if !request.dryRun {
        // Newest first: what stands on another goes before it.
        for snapshot in chosen.sorted(by: { $0.head.time > $1.head.time }) {
            try remove(snapshot, vault)
        }
    }
    return chosen.map { ForgetDecision(snapshot: $0, reason: "named") }
}

/// Tombstone, look, record, manifest, commit, tombstone (docs/format.md, sections 15 and 16).
private func remove(_ snapshot: Snapshot, _ vault: Vault) throws {
    let signed = vault.signedObjects
    let context = try vault.requiredContext(snapshot.domain)
    try signed.put(
        Tombstone(
            target: .snapshot, reason: .forgotten, domain: snapshot.domain, id: snapshot.id,
            time: vault.surroundings.now()))
    // Whoever came to need it before the tombstone was there keeps it; the tombstone stays.
    let store = SnapshotStore(context)
    for id in try store.manifests() where id != snapshot.id {
        if let needing = try? store.manifest(id, expecting: nil), needing.head.needs == snapshot.id
        {
            throw OperationError.neededBy(id: snapshot.id.short, others: [id.short])
        }
    }
    let record = ForgottenRecord(
        snapshot: snapshot.id, writer: snapshot.head.writer, sequence: snapshot.head.sequence,
        series: snapshot.head.series, time: snapshot.head.time, recorded: vault.surroundings.now(),
        reason: .forgotten)
    try signed.put(.forgotten, record.bytes, context)
    try context.store.remove(.snapshot(snapshot.domain, snapshot.id))
    try context.store.remove(.commit(snapshot.domain, snapshot.id))
    try signed.removeTombstone(.snapshot, snapshot.id)
}
