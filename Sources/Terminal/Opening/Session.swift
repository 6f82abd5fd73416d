import CLinux
import Faults
import Files
import ObjectStorage
import Operations
import Sealing
import Vault
import WireFormat

/// What a command has to work with: what was asked, where to answer, and the way to the repository.
struct Session: Sendable {
    let arguments: Arguments
    let console: Console
    let environment: Environment
    let surroundings: Surroundings

    /// Takes an older state of the repository as the truth, once.
    static let acceptRollback = Option(
        "accept-rollback",
        "take the repository as it is although it shows less than it did (exit 7), once")

    // MARK: the repository

    /// Opens the repository that the options name, with the key that they name or that a person
    /// types.
    func openVault() throws -> Vault { try openVaultAndKey().vault }

    /// Opens the repository, and keeps what opened it.
    func openVaultAndKey() throws -> OpenedVault {
        let location = try Location.find(arguments, environment)
        let store = try store(at: location)
        // Before a password is asked for: that there is nothing to open is the first answer. A far store
        // is not asked twice where nobody has to type one.
        let source = Result { try CredentialSource.find(arguments, environment) }
        if !location.isFar || (try? source.get()) == nil {
            try requireRepository(location, store)
        }
        let credential = try credential(
            from: try source.get(), question: "password for \(printable(store.location)): ")
        let vault = try open(store, with: credential)
        warnOfUnlockedSecrets()
        return OpenedVault(vault: vault, credential: credential)
    }

    /// Opens the repository in a store.
    func open(_ store: any ObjectStore, with credential: borrowing Credential) throws -> Vault {
        try Vault.open(
            store, with: credential, surroundings: surroundings, cacheParent: cacheParent(),
            cacheBytesMax: try CacheLocation.bytesMax(arguments, environment))
    }

    func store(at location: Location) throws -> any ObjectStore {
        if location.isFar { return try FarStore.open(location, self) }
        // A variable speaks of whatever object store there is; who says it here means this place.
        guard try arguments.text(GlobalOptions.objectLock) == nil || namesFarPlace() else {
            throw UsageError(
                "\(GlobalOptions.objectLock.flag): a directory keeps nothing from being deleted",
                hint: "only object stores do: -r s3://BUCKET/PREFIX")
        }
        return DirectoryStore(
            location.path, calls: surroundings.systemCalls, randomBytes: surroundings.randomBytes)
    }

    /// Whether one of the places that a command works on is an object store.
    private func namesFarPlace() throws -> Bool {
        let others = arguments.command.options.compactMap { arguments.bytes($0) }
        return try others.contains { $0.starts(with: "s3://".utf8) }
            || Location.findIfGiven(arguments, environment)?.isFar ?? false
    }

    private func requireRepository(_ location: Location, _ store: any ObjectStore) throws {
        if !location.isFar {
            let status = try Directories(surroundings.systemCalls).statusFollowing(location.path)
            if let status, status.kind != .directory {
                throw NoRepository(
                    message: "there is no repository at \(location.path): it is no directory",
                    hint: nil)
            }
        }
        guard try store.hasConfigOrKeys() else {
            throw StorageError.noRepository(store.location)
        }
    }

    private func cacheParent() -> Path? {
        if let path = CacheLocation.find(arguments, environment) { return path }
        console.warn(
            "there is no place for a cache (--cache-dir, XDG_CACHE_HOME, HOME):"
                + " the index is read anew each time"
        )
        return nil
    }

    func warnOfUnlockedSecrets() {
        if SecretArena.shared.isUnlocked {
            console.warn(
                "keys could not be locked in memory and might be swapped out: raise ulimit -l")
        }
    }

    /// All snapshots that this key can see. What cannot be read of them is told.
    func history(_ vault: Vault) throws -> History {
        let history = try History.load(vault, acceptRollback: arguments.has(Self.acceptRollback))
        for (name, error) in history.unreadable {
            console.warn(
                "\(name) cannot be read: \(explanation(of: error));"
                    + " repo check says more"
            )
        }
        return history
    }

    /// The reference that an operand is.
    func reference(operand index: Int) throws -> Reference {
        Reference(try arguments.text(operand: index) ?? "")
    }

    /// The same without a progress line: of two things done at once one is shown.
    var withoutProgress: Session {
        var surroundings = surroundings
        surroundings.progress = { _ in }
        return Session(
            arguments: arguments, console: console, environment: environment,
            surroundings: surroundings)
    }

    // MARK: secrets

    /// The credential that a source holds.
    /// - Parameter source: nil asks a person.
    func credential(from source: CredentialSource?, question: String, isNew: Bool = false) throws
        -> Credential
    {
        let reader = SecretReader(calls: surroundings.systemCalls)
        switch source {
        case .passwordFile(let path): return Credential(.password, try reader.password(in: path))
        case .passwordCommand(let command):
            return Credential(
                .password, try PasswordCommand.run(command, calls: surroundings.systemCalls))
        case .passwordVariable:
            var bytes = environment.takeSecret(GlobalOptions.passwordVariable) ?? []
            defer { bytes.wipe() }
            return Credential(
                .password,
                try bytes.span.bytes.withUnsafeBytes {
                    try SecretReader.password($0, source: GlobalOptions.passwordVariable)
                })
        case .keyFile(let path): return Credential(.keyFile, try reader.key(in: path))
        case .recoveryKeyFile(let path):
            return Credential(.recoveryKey, try reader.recoveryKey(in: path))
        case nil:
            guard let prompt = Prompt.open(surroundings) else {
                throw CredentialError.noSource(
                    ask: isNew ? "a password for the new key" : "a password")
            }
            return Credential(
                .password, isNew ? try prompt.newPassword(question) : try prompt.password(question))
        }
    }
}
