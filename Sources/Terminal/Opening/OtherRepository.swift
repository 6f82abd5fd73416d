import Faults
import ObjectStorage
import Sealing
import Vault

/// A second repository beside the one that the command works on, and the options that say how it is
/// opened: `--to-password-file` and so on. What is not said is as of the first one.
struct OtherRepository: Sendable {
    /// The option that names it.
    let location: Option
    let passwordFile: Option
    let passwordCommand: Option
    let keyFile: Option
    let recoveryKeyFile: Option
    let endpoint: Option
    let region: Option
    let profile: Option

    init(_ prefix: String, location: Option) {
        func option(_ name: String, _ value: String, _ help: String) -> Option {
            Option("\(prefix)-\(name)", value: value, help)
        }
        self.location = location
        passwordFile = option(
            "password-file", "FILE", "open that one with the password in the first line of FILE")
        passwordCommand = option(
            "password-command", "CMD", "open it with the password that CMD prints")
        keyFile = option("key-file", "FILE", "open it with the 32 bytes of a key file")
        recoveryKeyFile = option("recovery-key-file", "FILE", "open it with its recovery key")
        endpoint = option("endpoint", "URL", "of s3://: its object store")
        region = option("region", "NAME", "of s3://: its region")
        profile = option("profile", "NAME", "of s3://: the profile for it")
    }

    var options: [Option] {
        [
            location, passwordFile, passwordCommand, keyFile, recoveryKeyFile, endpoint, region,
            profile,
        ]
    }

    /// The one source of its password or key that is named; nil for none.
    func source(_ arguments: Arguments) throws(UsageError) -> CredentialSource? {
        var found: [(name: String, source: CredentialSource)] = []
        if let path = arguments.path(passwordFile) {
            found.append((passwordFile.flag, .passwordFile(path)))
        }
        if let command = arguments.bytes(passwordCommand) {
            found.append((passwordCommand.flag, .passwordCommand(command)))
        }
        if let path = arguments.path(keyFile) { found.append((keyFile.flag, .keyFile(path))) }
        if let path = arguments.path(recoveryKeyFile) {
            found.append((recoveryKeyFile.flag, .recoveryKeyFile(path)))
        }
        return try CredentialSource.one(of: found, what: "the other repository's password")
    }
}

/// A repository that is open, and what opened it: another one may have the same password.
struct OpenedVault: ~Copyable {
    let vault: Vault
    let credential: Credential
}

extension Session {
    /// Where the other repository is; nil where none is named.
    func place(of other: OtherRepository) throws -> Location? {
        guard let bytes = arguments.bytes(other.location) else {
            for option in other.options where arguments.has(option) {
                throw UsageError(
                    "\(option.flag) is about another repository, and none is named",
                    hint: "say which: \(other.location.synopsis)")
            }
            return nil
        }
        return try Location(bytes)
    }

    /// The store at the place of the other repository.
    func store(at location: Location, of other: OtherRepository) throws -> any ObjectStore {
        guard location.isFar else { return try store(at: location) }
        return try FarStore.open(
            location, self, endpoint: other.endpoint, region: other.region, profile: other.profile)
    }

    /// The store of another repository that must be there.
    func existing(_ location: Location, of other: OtherRepository) throws -> any ObjectStore {
        let store = try store(at: location, of: other)
        guard try store.hasConfigOrKeys() else {
            throw StorageError.noRepository(store.location)
        }
        return store
    }

    /// Opens another repository: with the key that its options name, else with what opened the first
    /// one, else with a password that a person types.
    func openVault(
        _ other: OtherRepository, in store: any ObjectStore,
        trying first: borrowing Credential
    ) throws -> Vault {
        func open(_ credential: borrowing Credential) throws -> Vault {
            try Vault.open(
                store, with: credential, surroundings: surroundings, cacheParent: cacheParent(),
                cacheBytesMax: try CacheLocation.bytesMax(arguments, environment))
        }
        if let source = try other.source(arguments) {
            return try open(try credential(from: source, question: ""))
        }
        do {
            return try open(first)
        } catch VaultError.nothingOpens {
            guard Prompt.open(surroundings) != nil else {
                throw OtherKeyWanted(store: store.location, option: other.passwordFile.flag)
            }
            return try open(
                try credential(from: nil, question: "password for \(printable(store.location)): "))
        }
    }
}

/// The other repository has another password, and none was given.
private struct OtherKeyWanted: Explained {
    let store: String
    let option: String

    var message: String { "what opens this repository does not open \(store)" }
    var hint: String? { "say what does: \(option) FILE" }
    var exitCode: ExitCode { .noKeyOpens }
}
