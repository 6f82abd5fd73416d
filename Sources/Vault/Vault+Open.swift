import Faults
import Files
import ObjectStorage
import Sealing
import WireFormat

extension Vault {
    /// Opens a repository.
    /// - Parameters:
    ///   - credential: tried on each key slot, the one that opened last first.
    ///   - cacheParent: where caches are kept; nil for none.
    package static func open(
        _ store: any ObjectStore, with credential: borrowing Credential, surroundings: Surroundings,
        cacheParent: Path?
    ) throws -> Vault {
        let stored = try readConfig(store, surroundings)
        let slots = try readSlots(store, surroundings)
        guard stored != nil || !slots.isEmpty else {
            throw StorageError.noRepository(store.location)
        }
        guard let repository = stored?.config.repository ?? slots.first?.repository else {
            throw StorageError.noRepository(store.location)
        }
        let cache = openCache(cacheParent, repository, surroundings)

        let opened: (keyring: Keyring, config: Config, slot: ObjectID?)
        switch credential.kind {
        case .recoveryKey:
            let keyring = Keyring(root: credential.secret.copy())
            try proveRoot(keyring, stored?.config, store)
            let config =
                stored?.config
                ?? Config(
                    repository: repository, consistency: .strong, created: 0,
                    rootCheck: keyring.rootCheck)
            opened = (keyring, config, nil)
        case .password: opened = try openSlot(slots, .password, credential, cache)
        case .keyFile: opened = try openSlot(slots, .keyFile, credential, cache)
        }
        guard opened.config.repository == repository else {
            throw VaultError.notARepositoryOf(store.location)
        }
        if stored?.config != opened.config {
            surroundings.warn(
                "config is damaged or missing; the copy in the key is used (repo check says more)")
        }
        return Vault(
            store: store, config: opened.config, keyring: opened.keyring, slot: opened.slot,
            surroundings: surroundings, cache: cache)
    }

    /// The config, if it is there and whole. Another format version is refused; damage is what keys
    /// hold a copy for.
    static func readConfig(
        _ store: any ObjectStore, _ surroundings: Surroundings
    ) throws -> (config: Config, content: [UInt8])? {
        let object: [UInt8]
        do {
            object = try store.get(.config, limit: 64 << 10)
        } catch StorageError.missing {
            return nil
        } catch StorageError.tooLong {
            return nil
        }
        guard let (content, hash) = try? Config.split(object), SHA256.hash(content) == hash else {
            return nil
        }
        return (try Config(content), content)
    }

    /// The key slots that can be read; the others are told as warnings.
    static func readSlots(_ store: any ObjectStore, _ surroundings: Surroundings) throws
        -> [KeySlot]
    {
        var slots: [KeySlot] = []
        for object in try store.list(.keys).prefix(Limits.keySlots) {
            do {
                slots.append(try readSlot(object.name, store))
            } catch let error as any Explained
                where error.exitCode == .damage || error.exitCode == .unknownVersion
            {
                surroundings.warn("\(error.message); the other keys still open the repository")
            }
        }
        return slots
    }

    /// Reads a key slot and checks that it is whole.
    package static func readSlot(_ name: ObjectName, _ store: any ObjectStore) throws -> KeySlot {
        let (content, hash) = try KeySlot.split(
            try store.get(name, limit: 64 << 10), what: "\(name)")
        guard SHA256.hash(content) == hash else {
            throw WireError.malformed("\(name) is damaged: its hash does not hold")
        }
        let slot = try KeySlot(content, what: "\(name)")
        guard name == .key(slot.id) else {
            throw WireError.malformed("\(name) is another key slot under this name")
        }
        return slot
    }

    private static func openSlot(
        _ slots: [KeySlot], _ kind: KeySlot.SecretKind, _ credential: borrowing Credential,
        _ cache: CacheDirectory?
    ) throws -> (keyring: Keyring, config: Config, slot: ObjectID?) {
        let last = try? cache?.lastSlot()
        let fitting = slots.filter { $0.secret == kind }
        // What asks for more memory than a command may take is not tried: a hostile slot must not
        // exhaust it.
        let cheap = fitting.filter { $0.log2N <= ScryptCost.standard.log2N }
        for slot in cheap.filter({ $0.id == last }) + cheap.filter({ $0.id != last }) {
            var bytes: [UInt8]
            do {
                let padded = try SlotSealing.open(
                    commitment: slot.commitment, ciphertext: slot.ciphertext,
                    secret: credential.secret,
                    cost: ScryptCost(log2N: slot.log2N, r: slot.r, p: slot.p), salt: slot.salt,
                    header: slot.header)
                bytes = try Padding.unpad(padded, what: "keys/\(slot.id)")
            } catch SealingError.wrongSecret {
                continue
            }
            defer { bytes.wipe() }
            let bundle = try KeyBundle(bytes, what: "keys/\(slot.id)")
            let config = try Config(bundle.config)
            try? cache?.noteSlot(slot.id)
            return (try keyring(of: bundle), config, slot.id)
        }
        if cheap.count < fitting.count && cheap.isEmpty {
            throw VaultError.costlySlots(fitting.count)
        }
        if slots.isEmpty { throw VaultError.noKeySlots }
        throw VaultError.nothingOpens(slots: slots.count, secret: credential.kind.rawValue)
    }

    private static func keyring(of bundle: KeyBundle) throws -> Keyring {
        func secret(_ bytes: [UInt8]?) throws -> Secret {
            guard var bytes else { throw WireError.malformed("a key slot lacks a key") }
            return Secret(moving: &bytes)
        }
        func bytes(_ bytes: [UInt8]?) throws -> [UInt8] {
            guard let bytes else { throw WireError.malformed("a key slot lacks a key") }
            return bytes
        }
        switch bundle.kind {
        case .full: return Keyring(root: try secret(bundle.root))
        case .maintain:
            return Keyring(
                maintaining: try secret(bundle.listKey),
                signingSeed: try secret(bundle.signingSeed),
                structureRoot: try secret(bundle.structureRoot),
                data: try bytes(bundle.dataPublicKey))
        case .write:
            guard let domain = bundle.domain else {
                throw WireError.malformed("a key slot lacks its domain")
            }
            let keys = DomainKeys(
                domain: domain.word, chunkIDs: try secret(bundle.chunkIDs),
                cuts: try secret(bundle.cuts),
                listIDs: try secret(bundle.listIDs), index: try secret(bundle.index),
                auth: try secret(bundle.auth))
            return Keyring(
                writing: keys, data: try bytes(bundle.dataPublicKey),
                list: try bytes(bundle.listPublicKey),
                signing: try bytes(bundle.signingPublicKey))
        }
    }

    /// A recovery key is taken without a slot: the config tells the right one; where that is lost,
    /// a signature of it.
    private static func proveRoot(_ keyring: Keyring, _ config: Config?, _ store: any ObjectStore)
        throws
    {
        let wrong = VaultError.nothingOpens(
            slots: try store.list(.keys).count, secret: "recovery key")
        if let check = config?.rootCheck {
            guard equalInConstantTime(check, keyring.rootCheck ?? []) else { throw wrong }
            return
        }
        let records = try store.list(.records(.key))
        let isOurs =
            try records.isEmpty
            || records.contains { object in
                let bytes = try store.get(object.name, limit: 1 << 20)
                let signed = Array(bytes.dropLast(Record.signatureBytes))
                return keyring.isSigned(
                    Record.signaturePrefix + signed, by: Array(bytes.suffix(Record.signatureBytes)))
            }
        guard isOurs else { throw wrong }
    }

    private static func openCache(
        _ parent: Path?, _ repository: ObjectID, _ surroundings: Surroundings
    ) -> CacheDirectory? {
        guard let parent else { return nil }
        do {
            return try CacheDirectory(parent, repository: repository, surroundings: surroundings)
        } catch {
            surroundings.warn(
                "no cache can be kept (\(error.message)): the index is read anew each time")
            return nil
        }
    }
}
