import Faults

/// What can go wrong between a key and the bytes it seals.
package enum SealingError: Explained {
    /// A sealed part does not open under the key it should: changed, or somebody else's. Names the
    /// part.
    case doesNotOpen(String)
    /// The commitment says that this secret is not the one the slot was sealed with.
    case wrongSecret
    case malformed(String)
    case signature(String)
    /// The kernel gave no randomness, or the cryptographic library refused an operation that cannot
    /// fail.
    case library(String)
    case lacksKey(String)

    package var message: String {
        switch self {
        case .doesNotOpen(let part):
            "\(part) does not open: it was changed, or belongs to another repository"
        case .wrongSecret: "this password or key file does not open this key slot"
        case .malformed(let what): "\(what) is malformed"
        case .signature(let what): "\(what) is not signed by this repository's keys"
        case .library(let operation): "the cryptographic library refused: \(operation)"
        case .lacksKey(let what): "this key cannot \(what)"
        }
    }

    package var hint: String? {
        switch self {
        case .lacksKey: "use a full key: repo key list shows which there are"
        default: nil
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .doesNotOpen, .malformed, .signature: .damage
        case .wrongSecret: .noKeyOpens
        case .library, .lacksKey: .failed
        }
    }
}
