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
        let removal = SnapshotRemoval(vault: vault, now: try vault.store.now())
        let candidates = chosen.map { SnapshotRemoval.Candidate($0, .forgotten) }
        try removal.condemn(candidates)
        // Where listings lag, what needs one of them may not be seen yet: a later prune removes them.
        guard !vault.isEventual else { return decisions }
        let outcome = try removal.remove(candidates, history.snapshots)
        // It may have been taken for this.
        vault.store.makeReserve()
        // Whoever came to need one before the tombstone was there keeps it; the tombstone stays.
        if let (candidate, why) = outcome.kept.first {
            throw OperationError.staysCondemned(id: candidate.id.short, why: why.text)
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
