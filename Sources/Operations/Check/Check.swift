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

    package init(readDataPercent: Int?, acceptRollback: Bool = false) {
        self.readDataPercent = readDataPercent
        self.acceptRollback = acceptRollback
    }
}

/// An object that is not what it should be, and what that concerns.
package struct Damage: Sendable, Equatable {
    package let object: String
    package let problem: String
    /// Snapshots that cannot be restored whole.
    package var snapshots: [ObjectID]
}

package struct CheckOutcome: Sendable {
    package var damages: [Damage] = []
    package var notes: [String] = []
    package var snapshots = 0
    package var packs = 0
    package var chunks = 0
    package var bytesRead = 0
    package var dataWasRead = false
    package var seconds = 0.0
    package var exitCode: ExitCode = .done
}

/// Proves that everything can be restored, or says what cannot.
package func check(_ request: CheckRequest, _ vault: Vault) throws -> CheckOutcome {
    let began = ContinuousClock.now
    var run = CheckRun(request, vault)
    try run.checkAll()
    var outcome = run.outcome
    outcome.seconds = began.elapsedSeconds
    return outcome
}
