import Files
import ObjectStorage
import Operations
import Vault
import WireFormat

/// Where a recovery key is written: a new file, or a terminal that a person reads it from. Never a
/// pipe, which would leave it in some log.
enum RecoveryKeyOutput: Equatable, Sendable {
    case file(Path)
    case terminal

    /// - Parameter option: the one that names a file.
    static func choose(
        _ option: Option, _ arguments: Arguments, _ settings: Console.Settings
    ) throws(UsageError) -> RecoveryKeyOutput {
        if let path = arguments.path(option) { return .file(path) }
        guard settings.outputIsTerminal && !settings.isJSON else {
            throw UsageError(
                "the recovery key needs a place, and is never written into a pipe",
                hint: "name a file for it that does not exist yet: \(option.flag) FILE")
        }
        return .terminal
    }

    /// What stands in a file. Lines that begin with # are comments to whoever reads it.
    static func fileText(_ key: String, of vault: Vault) -> String {
        """
        # recovery key of the repository \(vault.config.repository)
        # at \(printable(vault.store.location)), written \(Times.local(vault.surroundings.now()))
        # It opens everything without a password. Keep it on paper, away from the repository.
        \(key)

        """
    }
}
