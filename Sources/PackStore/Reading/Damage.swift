import Faults

/// Whether an error says that stored bytes are not what they should be, rather than that they could
/// not be read.
package func isDamage(_ error: any Error) -> Bool {
    guard let explained = error as? any Explained else { return false }
    return explained.exitCode == .damage || explained.exitCode == .unknownVersion
}
