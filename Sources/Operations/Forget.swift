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

/// Drops single snapshots, or all that a group saved together: they are gone from `list`; prune
/// frees their space.
///
/// Nothing is removed unless all of them may go.
package func forget(_ request: ForgetRequest, in vault: Vault) throws -> [ForgetDecision] {
    let history = try History.load(vault)
    let decisions = try choose(request.references, history)
    let chosen = decisions.map { $0.snapshot }
    let going = Set(chosen.map { $0.id })
    try refuseHeld(chosen, in: vault)
    try refusePartsOfGroups(decisions, going, history)
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
        // Where a key may write and not delete, nothing is begun that cannot be ended: an object that
        // cannot be there is deleted first.
        if let first = chosen.first, !vault.store.isNear {
            let context = try vault.requiredContext(first.domain)
            try context.store.remove(.snapshot(first.domain, context.newID("snapshot")))
        }
        // Newest first: what stands on another goes before it.
        for snapshot in chosen.sorted(by: {
            ($0.head.time, $0.id) > ($1.head.time, $1.id)
        }) {
            try remove(snapshot, vault)
        }
    }
    return decisions
}

/// What the references mean: snapshots, or all that a group saved together.
private func choose(_ references: [Reference], _ history: History) throws -> [ForgetDecision] {
    var decisions: [ForgetDecision] = []
    for reference in references {
        let named: [ForgetDecision]
        switch try reference.meaning(in: history) {
        case .snapshot(let snapshot): named = [ForgetDecision(snapshot: snapshot, reason: "named")]
        case .occurrence(let occurrence):
            named = occurrence.snapshots.map {
                ForgetDecision(snapshot: $0, reason: "group \(occurrence.group)")
            }
        }
        for decision in named
        where !decisions.contains(where: { $0.snapshot.id == decision.snapshot.id }) {
            decisions.append(decision)
        }
    }
    return decisions
}

/// What was saved together goes together: a part of it looks like a backup and is none.
private func refusePartsOfGroups(
    _ decisions: [ForgetDecision], _ going: Set<ObjectID>, _ history: History
) throws {
    for snapshot in decisions.map({ $0.snapshot }) {
        guard let occurrence = history.occurrence(holding: snapshot),
            case let staying = occurrence.snapshots.filter({ !going.contains($0.id) }),
            !staying.isEmpty
        else { continue }
        throw OperationError.partOfGroup(
            id: snapshot.id.short, group: occurrence.group,
            staying: staying.map { "\($0.id.short) (\($0.head.series))" },
            reference: reference(to: occurrence, history),
            all: occurrence.snapshots.map { $0.id.short })
    }
}

/// The words that mean this occurrence; nil where a series or another occurrence has them.
private func reference(to occurrence: Occurrence, _ history: History) -> String? {
    let text = "\(occurrence.group)@\(Times.utc(occurrence.time))"
    guard case .occurrence(let meant)? = try? Reference(text).meaning(in: history),
        meant.snapshots[0].id == occurrence.snapshots[0].id
    else { return nil }
    return text
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
