import Faults
import WireFormat

/// What can go wrong between a password and an open repository.
package enum VaultError: Explained {
    case nothingOpens(slots: Int, secret: String)
    case noKeySlots
    case lastFullKey
    case noSuchKey(String, near: [String])
    case tooManyKeys
    case notARepositoryOf(String)
    case costlySlots(Int)

    package var message: String {
        switch self {
        case .nothingOpens(let slots, let secret):
            slots == 1
                ? "the \(secret) does not open the one key slot"
                : "the \(secret) opens none of the \(slots) key slots"
        case .noKeySlots: "the repository has no key slot left"
        case .lastFullKey:
            "this is the last full key: without it only the recovery key would open the repository"
        case .noSuchKey(let text, let near):
            "there is no key \(text)"
                + (near.isEmpty ? "" : "; there are \(near.joined(separator: ", "))")
        case .tooManyKeys: "the repository has \(Limits.keySlots) key slots, there cannot be more"
        case .notARepositoryOf(let location):
            "the keys at \(location) belong to another repository than its config"
        case .costlySlots(let count):
            "\(count) key slot\(count == 1 ? " asks" : "s ask") for more memory than is allowed unasked"
        }
    }

    package var hint: String? {
        switch self {
        case .nothingOpens:
            "try another password file, or --recovery-key-file with the recovery key"
        case .noKeySlots: "open it with --recovery-key-file and make one: repo key add"
        case .lastFullKey: "make another first: repo key add"
        case .noSuchKey: "repo key list shows them"
        case .tooManyKeys: "remove one first: repo key list, then repo key remove ID"
        case .notARepositoryOf, .costlySlots: nil
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .nothingOpens, .noKeySlots, .costlySlots: .noKeyOpens
        case .notARepositoryOf: .damage
        case .lastFullKey, .noSuchKey, .tooManyKeys: .failed
        }
    }
}
