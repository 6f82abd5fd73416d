import Faults
import ObjectStorage
import Sealing
import Vault

/// A second repository beside the one that the command works on, and the options that say how it is
/// opened: `--to-password-file` and so on. What is not said is as of the first one.
struct OtherRepository: Sendable {
    /// The option that names it.
    let location: Option
    let credential: CredentialOptions
    let endpoint: Option
    let region: Option
    let profile: Option

    init(_ prefix: String, location: Option) {
        func option(_ name: String, _ value: String, _ help: String) -> Option {
            Option("\(prefix)-\(name)", value: value, help)
        }
        self.location = location
        credential = CredentialOptions(
            what: "the other repository's password",
            passwordFile: option(
                "password-file", "FILE",
                "open that one with the password in the first line of FILE"),
            passwordCommand: option(
                "password-command", "CMD", "open it with the password that CMD prints"),
            keyFile: option("key-file", "FILE", "open it with the 32 bytes of a key file"),
            recoveryKeyFile: option(
                "recovery-key-file", "FILE", "open it with its recovery key"))
        endpoint = option("endpoint", "URL", "of s3://: its object store")
        region = option("region", "NAME", "of s3://: its region")
        profile = option("profile", "NAME", "of s3://: the profile for it")
    }

    var options: [Option] { [location] + credential.all + [endpoint, region, profile] }
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
        if let source = try other.credential.source(arguments, environment) {
            return try open(store, with: try credential(from: source, question: ""))
        }
        do {
            return try open(store, with: first)
        } catch VaultError.nothingOpens {
            guard Prompt.open(surroundings) != nil else {
                throw OtherKeyWanted(
                    store: store.location, option: other.credential.passwordFile.flag)
            }
            return try open(
                store,
                with: try credential(
                    from: nil, question: "password for \(printable(store.location)): "))
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
