import Faults
import PackStore
import Snapshots
import Vault
import WireFormat

package struct CopyRequest: Sendable {
    /// Series, groups or single snapshots; none for all.
    package var references: [Reference]
    /// Only snapshots from this time on, milliseconds since 1970.
    package var since: Int64?
    /// Whether what was sent is read back and verified.
    package var readsBack: Bool
    package var acceptRollback: Bool

    package init(
        references: [Reference] = [], since: Int64? = nil, readsBack: Bool = true,
        acceptRollback: Bool = false
    ) {
        self.references = references
        self.since = since
        self.readsBack = readsBack
        self.acceptRollback = acceptRollback
    }
}

package struct CopyOutcome: Sendable {
    /// What was copied: the snapshot there, and the one here that it is a copy of.
    package var copied: [(snapshot: Snapshot, source: Snapshot)] = []
    /// How many of those asked for were there already.
    package var already = 0
    /// What could not be copied because it is damaged here, and why.
    package var failed: [(source: Snapshot, error: any Error)] = []
    package var bytesSent = 0
    package var objectsSent = 0
    /// How much of that was read back.
    package var bytesVerified = 0
    /// Whether what was sent was sound when it was looked at.
    package var damages: [(object: String, error: any Error)] = []
    /// Whether segments went as they were sealed.
    package var isVerbatim = false
    package var seconds = 0.0

    package var exitCode: ExitCode { failed.isEmpty && damages.isEmpty ? .done : .damage }
}

/// Copies snapshots to another repository: of other keys, where all is sealed anew, or of the same,
/// where segments go as they are. What is there already is not sent again, whole snapshots or parts.
/// - Parameters:
///   - copied: told of each snapshot once it counts there.
package func copy(
    _ request: CopyRequest, from source: Vault, to target: Vault,
    copied: (Snapshot) throws -> Void = { _ in }
) throws -> CopyOutcome {
    guard source.config.repository != target.config.repository else {
        throw CopyError.sameRepository
    }
    let began = ContinuousClock.now
    let run = try CopyRun(request, source, target)
    var outcome = try run.copyAll(copied)
    outcome.seconds = began.elapsedSeconds
    return outcome
}

/// What forbids copying.
package enum CopyError: Explained {
    case sameRepository
    /// A snapshot that needs one that cannot be copied.
    case lacksNeeded(String, needed: String)
    /// What keys allow to copy only as it is sealed.
    case cannotReseal

    package var message: String {
        switch self {
        case .sameRepository: "the repository to copy to is the one to copy from"
        case .lacksNeeded(let id, let needed):
            "\(id) needs \(needed), which is not there to be copied"
        case .cannotReseal:
            "the keys of the two repositories differ, and this one cannot open the data to seal it anew"
        }
    }

    package var hint: String? {
        switch self {
        case .sameRepository: "say another place: --to LOCATION"
        case .lacksNeeded: nil
        case .cannotReseal:
            "open it with a full key, or make the other one with the same keys: repo copy --same-keys"
        }
    }
}
