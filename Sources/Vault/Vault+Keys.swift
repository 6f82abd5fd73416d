import ObjectStorage
import PackStore
import Sealing
import Snapshots
import WireFormat

extension Vault {
    /// A key slot as people see it.
    package struct Key: Sendable {
        package let id: ObjectID
        package let kind: KeySlot.KeyKind
        package let secret: KeySlot.SecretKind
        package let created: Int64
        package let label: String?
        /// Of a write key, where this key can tell.
        package let domain: DomainID?
        /// Whether this key opened the repository just now.
        package let isOpen: Bool
    }

    /// Makes a key slot. Needs a full key.
    package func addKey(
        _ kind: KeySlot.KeyKind, _ credential: borrowing Credential, label: String?
    ) throws -> ObjectID {
        guard try store.list(.keys).count < Limits.keySlots else { throw VaultError.tooManyKeys }
        let domain =
            kind == .write ? DomainID(try surroundings.randomBytes(DomainID.byteCount)) : nil
        var bundle = try self.bundle(kind, domain, label: label)
        var bytes = bundle.bytes
        bundle.wipe()
        defer { bytes.wipe() }
        let slot =
            credential.kind == .password
            ? try seal(bytes, kind, .password, credential.secret, cost: surroundings.scryptCost)
            : try seal(bytes, kind, .keyFile, credential.secret, cost: .none)
        let content = slot.bytesBeforeHash
        let record = KeyRecord(
            slot: slot.id, kind: kind, domain: domain, label: label, created: slot.created)
        try signedObjects.put(.key, record.bytes, try requiredContext(.shared))
        try store.put(.key(slot.id), content + SHA256.hash(content))
        return slot.id
    }

    private func seal(
        _ bundle: [UInt8], _ kind: KeySlot.KeyKind, _ secretKind: KeySlot.SecretKind,
        _ secret: borrowing Secret,
        cost: ScryptCost
    ) throws -> KeySlot {
        var slot = KeySlot(
            secret: secretKind, kind: kind, log2N: cost.log2N, r: cost.r, p: cost.p,
            created: surroundings.now(),
            repository: config.repository,
            id: ObjectID(try surroundings.randomBytes(ObjectID.byteCount)),
            salt: try surroundings.randomBytes(KeySlot.saltBytes))
        (slot.commitment, slot.ciphertext) = try SlotSealing.seal(
            Padding.pad(bundle), secret: secret, cost: cost, salt: slot.salt, header: slot.header)
        return slot
    }

    private func bundle(_ kind: KeySlot.KeyKind, _ domain: DomainID?, label: String?) throws
        -> KeyBundle
    {
        var bundle = KeyBundle(kind: kind, config: config.bytesBeforeHash, label: label)
        func copy(_ secret: borrowing Secret) -> [UInt8] { secret.withBytes { Array($0) } }
        switch kind {
        case .full: bundle.root = try keyring.withRoot { copy($0) }
        case .maintain:
            try keyring.withRoot { _ in }
            try keyring.withMaintainSecrets { list, seed, structure in
                bundle.listKey = copy(list)
                bundle.signingSeed = copy(seed)
                bundle.structureRoot = copy(structure)
            }
        case .write:
            try keyring.withRoot { _ in }
            guard let domain, let keys = keyring.keys(of: domain.word), keys.chunkIDs != nil,
                keys.cuts != nil
            else {
                throw SealingError.lacksKey("make keys")
            }
            bundle.domain = domain
            bundle.chunkIDs = copy(keys.chunkIDs!)
            bundle.cuts = copy(keys.cuts!)
            bundle.listIDs = copy(keys.listIDs)
            bundle.index = copy(keys.index)
            bundle.auth = copy(keys.auth)
        }
        if kind != .full {
            bundle.dataPublicKey = keyring.dataPublicKey
            bundle.listPublicKey = keyring.listPublicKey
            bundle.signingPublicKey = keyring.signingPublicKey
        }
        return bundle
    }

    /// All key slots, in the order they were made.
    package func keys() throws -> [Key] {
        var records: [ObjectID: KeyRecord] = [:]
        let found = try signedObjects.records(.key, context: { self.context($0) }) { name, error in
            surroundings.warn("\(name) is ignored: \(error)")
        }
        for (_, value) in found {
            let record = try KeyRecord(value, what: "a key record")
            records[record.slot] = record
        }
        return try Self.readSlots(store, surroundings).map { slot in
            Key(
                id: slot.id, kind: slot.kind, secret: slot.secret, created: slot.created,
                label: records[slot.id]?.label, domain: records[slot.id]?.domain,
                isOpen: slot.id == self.slot)
        }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    /// Removes a key slot.
    /// - Parameter text: its id, or the first digits of it.
    package func removeKey(_ text: String) throws -> Key {
        let all = try keys()
        let matching = all.filter { $0.id.description.hasPrefix(text.lowercased()) }
        guard text.count >= 4, matching.count == 1, let key = matching.first else {
            throw VaultError.noSuchKey(text, near: all.map { $0.id.short })
        }
        try keyring.withRoot { _ in }
        if key.kind == .full && all.filter({ $0.kind == .full }).count == 1 {
            throw VaultError.lastFullKey
        }
        try store.remove(.key(key.id))
        return key
    }

    /// The recovery key, as people write it down. Secret. Needs a full key.
    package func recoveryKey() throws -> String {
        try keyring.withRoot { RecoveryKey.text(of: $0) }
    }
}
