import Faults
import WireFormat

/// What can be wrong with a password before any repository sees it.
enum CredentialError: Explained, Equatable {
    case noSource(ask: String)
    case empty(String)
    case tooLong(String)
    case commandFailed(String)
    case notAKeyFile(String, byteCount: Int)
    case badRecoveryKey(String, why: String)
    case differ
    case aborted

    var message: String {
        switch self {
        case .noSource(let ask): "\(ask) is needed, and there is no terminal to ask for it"
        case .empty(let source): "the password in \(source) is empty"
        case .tooLong(let source):
            "the password in \(source) has more than \(Limits.passwordBytes) bytes"
        case .commandFailed(let how): "the password command \(how)"
        case .notAKeyFile(let path, let count):
            "\(path) is no key file: it has \(count) bytes, not 32"
        case .badRecoveryKey(let path, let why): "\(path) holds no recovery key: \(why)"
        case .differ: "the two passwords differ"
        case .aborted: "no password was given"
        }
    }

    var hint: String? {
        switch self {
        case .noSource:
            "name a file that holds it: --password-file FILE or REPO_PASSWORD_FILE"
                + " (repo help passwords)"
        case .empty: "a password is the first line of its file or output"
        case .notAKeyFile: "head -c 32 /dev/urandom > FILE makes one"
        case .badRecoveryKey: "it has 14 groups of 4 letters and digits"
        case .tooLong, .commandFailed, .differ, .aborted: nil
        }
    }

    var exitCode: ExitCode {
        switch self {
        case .noSource, .empty, .tooLong: .usage
        case .commandFailed, .differ, .aborted: .failed
        case .notAKeyFile, .badRecoveryKey: .noKeyOpens
        }
    }
}
