import Faults
import Snapshots
import Vault
import WireFormat

/// Tells what differs between two snapshots: of files and archives by path, of dumps by table, of
/// other streams in bytes.
/// - Parameter body: told of every difference; what is gone comes last.
package func diff(
    _ first: Snapshot, _ second: Snapshot, in vault: Vault, _ body: (Difference) throws -> Void
) throws -> DiffOutcome {
    let began = ContinuousClock.now
    let readers = (try SnapshotReader(first, vault), try SnapshotReader(second, vault))
    func bothHave(_ role: Manifest.Role) -> Bool {
        readers.0.manifest.stream(role) != nil && readers.1.manifest.stream(role) != nil
    }
    var outcome: DiffOutcome
    if bothHave(.catalog) {
        outcome = try EntriesDiff(readers.0, readers.1, .catalog).run(body)
    } else if bothHave(.members) {
        outcome = try EntriesDiff(readers.0, readers.1, .members).run(body)
    } else {
        for (one, other) in [readers, (readers.1, readers.0)]
        where one.manifest.stream(.catalog) != nil {
            throw OperationError.otherShape(
                files: one.snapshot.id.short, stream: other.snapshot.id.short)
        }
        guard first.domain == second.domain else {
            throw OperationError.otherKeys(first.id.short, second.id.short)
        }
        outcome = try StreamDiff(readers.0, readers.1).run(body)
    }
    outcome.seconds = began.elapsedSeconds
    return outcome
}
