import Faults

/// Bytes that are not what the format says.
package enum WireError: Explained {
    /// Names the part and the rule it breaks.
    case malformed(String)
    /// The object is of a version, suite or kind of content that this program does not know.
    case unknown(String)

    package var message: String {
        switch self {
        case .malformed(let what): what
        case .unknown(let what): what
        }
    }

    package var hint: String? {
        switch self {
        case .malformed: nil
        case .unknown: "a later version of repo wrote it: use that one"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .malformed: .damage
        case .unknown: .unknownVersion
        }
    }
}
