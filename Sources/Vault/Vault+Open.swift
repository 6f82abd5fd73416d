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
    ///   - cacheBytesMax: what copies of packs may take of it; nil for what is usual.
    package static func open(
        _ store: any ObjectStore, with credential: borrowing Credential, surroundings: Surroundings,
        cacheParent: Path?, cacheBytesMax: Int? = nil
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
            store: store, config: opened.config,
            keyring: try withCutKey(opened.keyring, opened.config), slot: opened.slot,
            surroundings: surroundings, cache: cache, cacheBytesMax: cacheBytesMax)
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
            guard let (keyring, config) = try open(slot, credential) else { continue }
            try? cache?.noteSlot(slot.id)
            return (keyring, config, slot.id)
        }
        if cheap.count < fitting.count && cheap.isEmpty {
            throw VaultError.costlySlots(fitting.count)
        }
        if slots.isEmpty { throw VaultError.noKeySlots }
        throw VaultError.nothingOpens(slots: slots.count, secret: credential.kind.rawValue)
    }

    /// What a slot holds; nil where the credential is another's.
    private static func open(_ slot: KeySlot, _ credential: borrowing Credential) throws -> (
        keyring: Keyring, config: Config
    )? {
        let what = "keys/\(slot.id)"
        var padded: [UInt8] = []
        defer { padded.wipe() }
        do {
            padded = try SlotSealing.open(
                commitment: slot.commitment, ciphertext: slot.ciphertext,
                secret: credential.secret,
                cost: ScryptCost(log2N: slot.log2N, r: slot.r, p: slot.p), salt: slot.salt,
                header: slot.header)
        } catch SealingError.wrongSecret {
            return nil
        }
        let bundle = try KeyBundle(
            padded, in: try Padding.content(of: padded, what: what), what: what)
        let config = try Config(bundle.config)
        guard bundle.kind == slot.kind, config.repository == slot.repository else {
            throw WireError.malformed(
                "\(what) is malformed: it holds another key than its header says")
        }
        return (try keyring(of: bundle, padded), config)
    }

    /// - Parameter bytes: those that the bundle was read from.
    private static func keyring(of bundle: KeyBundle, _ bytes: [UInt8]) throws -> Keyring {
        func place(_ key: KeyBundle.Key) throws -> Range<Int> {
            guard let place = bundle.keys[key] else {
                throw WireError.malformed("a key slot lacks a key")
            }
            return place
        }
        func secret(_ key: KeyBundle.Key) throws -> Secret {
            let place = try place(key)
            return bytes.span.bytes.extracting(place).withUnsafeBytes { Secret(copying: $0) }
        }
        func publicKey(_ key: KeyBundle.Key) throws -> [UInt8] { Array(bytes[try place(key)]) }
        switch bundle.kind {
        case .full: return Keyring(root: try secret(.root))
        case .maintain:
            return Keyring(
                maintaining: try secret(.listKey), signingSeed: try secret(.signingSeed),
                structureRoot: try secret(.structureRoot), data: try publicKey(.dataPublicKey))
        case .write:
            guard let domain = bundle.domain else {
                throw WireError.malformed("a key slot lacks its domain")
            }
            let keys = DomainKeys(
                domain: domain.word, chunkIDs: try secret(.chunkIDs), cuts: try secret(.cuts),
                listIDs: try secret(.listIDs), index: try secret(.index), auth: try secret(.auth))
            return Keyring(
                writing: keys, data: try publicKey(.dataPublicKey),
                list: try publicKey(.listPublicKey), signing: try publicKey(.signingPublicKey))
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
