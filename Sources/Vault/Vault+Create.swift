import Files
import ObjectStorage
import Sealing
import WireFormat

extension Vault {
    /// Makes a repository in an empty store: a random root key, the config, a first full key.
    ///
    /// The key slot is durable before the config, which makes it a repository: a stop in between
    /// leaves nothing that opens by mistake.
    package static func create(
        in store: any ObjectStore, with credential: borrowing Credential, label: String?,
        surroundings: Surroundings,
        cacheParent: Path?
    ) throws -> Vault {
        var rootBytes = try surroundings.randomBytes(32)
        let keyring = Keyring(root: Secret(moving: &rootBytes))
        let config = Config(
            repository: ObjectID(try surroundings.randomBytes(ObjectID.byteCount)),
            consistency: .strong,
            created: surroundings.now(), rootCheck: keyring.rootCheck)
        let vault = Vault(
            store: store, config: config, keyring: keyring, slot: nil, surroundings: surroundings,
            cache: try cacheParent.map {
                try CacheDirectory($0, repository: config.repository, surroundings: surroundings)
            })
        _ = try vault.addKey(.full, credential, label: label)
        try store.put(.config, vault.configObject)
        return vault
    }

    /// The bytes of the object `config`.
    package var configObject: [UInt8] {
        let content = config.bytesBeforeHash
        return content + SHA256.hash(content)
    }
}
