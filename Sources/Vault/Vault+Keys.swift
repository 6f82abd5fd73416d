import Faults
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
        var padded = Padding.pad(
            KeyBundle.blank(kind, config: config.bytesBeforeHash, domain: domain, label: label))
        defer { padded.wipe() }
        try fill(&padded, kind, domain)
        let slot =
            credential.kind == .password
            ? try seal(padded, kind, .password, credential.secret, cost: surroundings.scryptCost)
            : try seal(padded, kind, .keyFile, credential.secret, cost: .none)
        let content = slot.bytesBeforeHash
        let record = KeyRecord(
            slot: slot.id, kind: kind, domain: domain, label: label, created: slot.created)
        try signedObjects.put(.key, record.bytes, try requiredContext(.shared))
        try store.put(.key(slot.id), content + SHA256.hash(content))
        return slot.id
    }

    private func seal(
        _ padded: [UInt8], _ kind: KeySlot.KeyKind, _ secretKind: KeySlot.SecretKind,
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
            padded, secret: secret, cost: cost, salt: slot.salt, header: slot.header)
        return slot
    }

    /// Puts the keys in place in a padded bundle, whose bytes do not move meanwhile.
    private func fill(_ padded: inout [UInt8], _ kind: KeySlot.KeyKind, _ domain: DomainID?) throws
    {
        try keyring.withRoot { _ in }
        let what = "a new key"
        let places = try KeyBundle(
            padded, in: try Padding.content(of: padded, what: what), what: what
        ).keys
        func put(_ key: KeyBundle.Key, _ bytes: UnsafeRawBufferPointer) {
            guard let place = places[key], place.count == bytes.count else {
                preconditionFailure("a blank bundle has room for every key of its kind")
            }
            padded.withUnsafeMutableBytes { all in
                UnsafeMutableRawBufferPointer(rebasing: all[place]).copyMemory(from: bytes)
            }
        }
        func put(_ key: KeyBundle.Key, _ secret: borrowing Secret) {
            secret.withBytes { put(key, $0) }
        }
        switch kind {
        case .full: try keyring.withRoot { put(.root, $0) }
        case .maintain:
            try keyring.withMaintainSecrets { list, seed, structure in
                put(.listKey, list)
                put(.signingSeed, seed)
                put(.structureRoot, structure)
            }
        case .write:
            guard let domain, let keys = keyring.keys(of: domain.word), keys.chunkIDs != nil,
                keys.cuts != nil
            else {
                throw SealingError.lacksKey("make keys")
            }
            put(.chunkIDs, keys.chunkIDs!)
            put(.cuts, keys.cuts!)
            put(.listIDs, keys.listIDs)
            put(.index, keys.index)
            put(.auth, keys.auth)
        }
        guard kind != .full else { return }
        keyring.dataPublicKey.withUnsafeBytes { put(.dataPublicKey, $0) }
        keyring.listPublicKey.withUnsafeBytes { put(.listPublicKey, $0) }
        keyring.signingPublicKey.withUnsafeBytes { put(.signingPublicKey, $0) }
    }

    /// All key slots, in the order they were made.
    package func keys() throws -> [Key] {
        var records: [ObjectID: KeyRecord] = [:]
        let found = try signedObjects.records(
            .key, context: { self.context($0) }, ignored: surroundings.tellIgnored)
        for signed in found {
            let record = try KeyRecord(signed.fields, what: "a key record")
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
