import ChunkIndex
import Compression
import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

package struct CheckRequest: Sendable {
    /// Percent of the packs whose data is read and verified; nil for none.
    package var readDataPercent: Int?
    package var acceptRollback: Bool
    /// Whether what is damaged is set aside, and what can be is put right.
    package var repairs: Bool

    package init(readDataPercent: Int?, acceptRollback: Bool = false, repairs: Bool = false) {
        self.readDataPercent = readDataPercent
        self.acceptRollback = acceptRollback
        self.repairs = repairs
    }
}

/// An object that is not what it should be, and what that concerns.
package struct Damage: Sendable, Equatable {
    package let object: String
    package let problem: String
    /// Snapshots that cannot be restored whole.
    package var snapshots: [ObjectID]
}

/// What of a snapshot cannot be had.
package struct SnapshotLosses: Sendable {
    package let snapshot: Snapshot
    package let losses: [Loss]
    package let parts: [DamagedPart]
}

package struct CheckOutcome: Sendable {
    /// What a repair did, in order; what follows is what was found after it.
    package var repairs: [String] = []
    package var damages: [Damage] = []
    /// Of snapshots whose manifest can be read.
    package var losses: [SnapshotLosses] = []
    package var notes: [String] = []
    package var snapshots = 0
    package var packs = 0
    package var chunks = 0
    package var bytesRead = 0
    package var dataWasRead = false
    package var seconds = 0.0
    package var exitCode: ExitCode = .done
}

/// Proves that everything can be restored, or says what cannot; repairs what can be, if it is asked to.
package func check(_ request: CheckRequest, _ vault: Vault) throws -> CheckOutcome {
    let began = ContinuousClock.now
    if request.repairs, !vault.keyring.opensData || !vault.keyring.signs {
        throw SealingError.lacksKey("repair")
    }
    var run = CheckRun(request, vault)
    try run.checkAll()
    var outcome = run.outcome
    if request.repairs {
        let repairs = try repair(run.findings, vault)
        if !repairs.isEmpty {
            // What was read is known; what is there is looked at anew.
            var after = request
            after.readDataPercent = nil
            run = CheckRun(after, vault)
            try run.checkAll()
            let before = outcome
            outcome = run.outcome
            (outcome.bytesRead, outcome.dataWasRead) = (before.bytesRead, before.dataWasRead)
            outcome.repairs = repairs
        }
    }
    outcome.seconds = began.elapsedSeconds
    return outcome
}
