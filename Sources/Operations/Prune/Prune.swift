import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// How packs are pruned.
package struct PruneOptions: Sendable {
    /// So long after it was condemned a pack is deleted, and so old a pack is before it is chosen; in
    /// milliseconds by the store's clock.
    package var grace: Int64 = 24 * 3_600_000
    /// Where listings lag: so long after it was condemned all that relies on something is listed; nil where
    /// nobody said.
    package var settle: Int64?
    /// How long a manifest may be without a commit.
    package var keepIncomplete: Int64 = 7 * 24 * 3_600_000
    /// Such a part of a pack may be dead.
    package var unusedMax = 0.1
    /// So many bytes are written anew at most.
    package var repackMax = Int.max
    /// Whether deltas are made anew where what they stand on weighs more than they save.
    package var rebases = false

    package init() {}

    /// How long a tombstone stands before what it speaks of is deleted.
    var wait: Int64 { max(grace, settle ?? 0) }
}

package struct PruneRequest: Sendable {
    package var options = PruneOptions()
    package var isDryRun = false
    /// What there is, as it was read when it was decided what is given up.
    package var history: History
    /// Snapshots that are given up.
    package var dropped: [Snapshot] = []

    package init(_ history: History) { self.history = history }
}

/// What prune did, or would do.
package struct PruneOutcome: Sendable {
    package var snapshotsDropped = 0
    /// Why some that were to go are still there.
    package var kept: [(snapshot: ObjectID, why: String)] = []
    package var snapshotsAbandoned = 0
    package var packsCondemned = 0
    package var packsDeleted = 0
    package var bytesFreed = 0
    package var bytesRewritten = 0
    /// Of those, what deltas take that were made anew.
    package var bytesRebased = 0
    /// Not needed, and freed by a later run.
    package var bytesLater = 0
    package var bytesLive = 0
    /// Not needed, and still there.
    package var bytesUnused = 0
    package var chunks = 0
    /// How many objects are kept from being deleted for longer now.
    package var objectsLocked = 0
    package var damaged = 0
    package var seconds = 0.0
}

/// Removes snapshots that are given up, and what nothing needs any more. Runs beside everything else.
package func prune(_ request: PruneRequest, _ vault: Vault) throws -> PruneOutcome {
    let began = ContinuousClock.now
    guard vault.keyring.signs else { throw SealingError.lacksKey("prune") }
    guard !request.options.rebases || vault.keyring.opensData else {
        throw SealingError.lacksKey("make deltas anew: run prune without --rebase")
    }
    if vault.isEventual && request.options.settle == nil { throw NeedsSettling() }
    var run = try PruneRun(request, vault, now: try vault.store.now())
    try run.run()
    run.outcome.seconds = began.elapsedSeconds
    return run.outcome
}

/// Where listings lag behind, looking must wait.
package struct NeedsSettling: Explained {
    package var message: String {
        "the listings of this store lag behind what was written: prune must be told how long"
    }
    package var hint: String? { "say --settle 1h, or longer: what is condemned goes that much later" }
    package var exitCode: ExitCode { .usage }
}
