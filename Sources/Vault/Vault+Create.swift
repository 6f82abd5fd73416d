import Files
import ObjectStorage
import Sealing
import WireFormat

extension Vault {
    /// Makes a repository in an empty store: a random root key, the config, a first full key.
    ///
    /// The key slot is durable before the config: a stop in between leaves a key that says all that
    /// the config would, and no snapshot.
    /// - Parameters:
    ///   - generalCutting: the lengths of chunks of what is no text.
    ///   - other: a repository whose cuts it shares.
    package static func create(
        in store: any ObjectStore, with credential: borrowing Credential, label: String?,
        surroundings: Surroundings, cacheParent: Path?,
        generalCutting: Config.Cutting = .general, cuttingLike other: Vault? = nil
    ) throws -> Vault {
        var rootBytes = try surroundings.randomBytes(32)
        return try create(
            in: store, Keyring(root: Secret(moving: &rootBytes)), with: credential, label: label,
            surroundings: surroundings, cacheParent: cacheParent, generalCutting: generalCutting,
            cuttingLike: other)
    }

    /// Makes a repository of the same keys in an empty store. Needs a full key.
    package static func create(
        in store: any ObjectStore, sharing other: Vault, with credential: borrowing Credential,
        surroundings: Surroundings
    ) throws -> Vault {
        try create(
            in: store, Keyring(root: try other.keyring.withRoot { $0.copy() }), with: credential,
            label: nil, surroundings: surroundings, cacheParent: nil, cuttingLike: other)
    }

    private static func create(
        in store: any ObjectStore, _ keyring: Keyring, with credential: borrowing Credential,
        label: String?, surroundings: Surroundings, cacheParent: Path?,
        generalCutting: Config.Cutting = .general, cuttingLike other: Vault? = nil
    ) throws -> Vault {
        let model = other?.config
        let repository = ObjectID(try surroundings.randomBytes(ObjectID.byteCount))
        let config = Config(
            repository: repository,
            textCutting: model?.textCutting ?? .text,
            generalCutting: model?.generalCutting ?? generalCutting,
            consistency: store.isEventual ? .eventual : .strong,
            created: surroundings.now(), rootCheck: keyring.rootCheck,
            cutKey: try other.map {
                try CutKey.seal(
                    of: $0.keyring, for: keyring, repository: repository.bytes,
                    salt: try surroundings.randomBytes(32))
            })
        let keyring = try withCutKey(keyring, config)
        let vault = Vault(
            store: store, config: config, keyring: keyring, slot: nil, surroundings: surroundings,
            cache: try cacheParent.map {
                try CacheDirectory($0, repository: config.repository, surroundings: surroundings)
            })
        _ = try vault.addKey(.full, credential, label: label)
        try store.put(.config, vault.configObject)
        store.makeReserve()
        return vault
    }

    /// A full key that cuts as the config says.
    static func withCutKey(_ keyring: Keyring, _ config: Config) throws -> Keyring {
        guard let box = config.cutKey else { return keyring }
        return try CutKey.apply(box, to: keyring, repository: config.repository.bytes)
    }

    /// The bytes of the object `config`.
    package var configObject: [UInt8] {
        let content = config.bytesBeforeHash
        return content + SHA256.hash(content)
    }
}
