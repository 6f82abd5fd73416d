import Faults
import ObjectStorage
import PackStore
import Sealing
import WireFormat

/// Tombstones and records: what is signed.
package struct SignedObjects: Sendable {
    private let store: any ObjectStore
    private let keyring: Keyring

    package init(store: any ObjectStore, keyring: Keyring) {
        self.store = store
        self.keyring = keyring
    }

    // MARK: tombstones

    /// Says that an object will be deleted. A tombstone that is there already says the same; what stands in its
    /// place and is none counts for nobody else, and makes room.
    package func put(_ tombstone: Tombstone) throws {
        let name = ObjectName.tombstone(tombstone.target, tombstone.id)
        let bytes = tombstone.bytesBeforeSignature
        let object = bytes + (try keyring.sign(Tombstone.signaturePrefix + bytes))
        for _ in 1...Self.putsMax {
            do {
                return try store.put(name, object)
            } catch StorageError.exists {
                do {
                    if try self.tombstone(tombstone.target, tombstone.id) != nil { return }
                } catch  where isDamage(error) {
                    try store.remove(name)
                }
            }
        }
        throw StorageError.exists(name)
    }

    /// Whoever puts something in the way as often does it on purpose.
    private static let putsMax = 5

    /// The tombstone of an object, if there is one that is properly signed.
    package func tombstone(_ target: Tombstone.Target, _ id: ObjectID) throws -> Tombstone? {
        let name = ObjectName.tombstone(target, id)
        let object: [UInt8]
        do {
            object = try store.get(name, limit: 4096)
        } catch StorageError.missing {
            return nil
        }
        let (tombstone, signature) = try Tombstone.read(object, what: "\(name)")
        guard tombstone.target == target, tombstone.id == id,
            keyring.isSigned(
                Tombstone.signaturePrefix + tombstone.bytesBeforeSignature, by: signature)
        else { throw SealingError.signature("\(name)") }
        return tombstone
    }

    /// The objects that will be deleted. What is not signed properly is told to `ignored` and does
    /// not count.
    package func condemned(
        _ target: Tombstone.Target, ignored: (ObjectName, any Error) -> Void
    ) throws -> [Tombstone] {
        try condemnedSince(target, ignored: ignored).map { $0.tombstone }
    }

    /// The same, and since when by the store's clock.
    package func condemnedSince(
        _ target: Tombstone.Target, ignored: (ObjectName, any Error) -> Void
    ) throws -> [(tombstone: Tombstone, since: Int64)] {
        var found: [(tombstone: Tombstone, since: Int64)] = []
        let listed = try store.list(.tombstones(target))
        try askAll(
            listed, atOnce: store.isNear ? 0 : Self.readAtOnceMax,
            { object in try object.name.id.flatMap { try tombstone(target, $0) } }
        ) { object, tombstone in
            do {
                if let tombstone = try tombstone.get() { found.append((tombstone, object.modified)) }
            } catch  where isDamage(error) {
                ignored(object.name, error)
            }
        }
        return found
    }

    package func removeTombstone(_ target: Tombstone.Target, _ id: ObjectID) throws {
        try store.remove(.tombstone(target, id))
    }

    // MARK: records

    /// Writes a record into the domain it speaks of.
    /// - Returns: the record's name.
    @discardableResult
    package func put(_ kind: Record.Kind, _ fields: [UInt8], _ context: DomainContext) throws
        -> ObjectID
    {
        let id = try context.newID("record", mixing: fields)
        let header = ObjectHeader(.record, detail: kind.rawValue, domain: context.domain, id: id)
            .bytes
        let box = Box.seal(
            Padding.pad(fields), key: context.keys.index, label: Record.label, name: id.bytes,
            salt: try context.random.draw("record salt", key: context.keys.auth, mixing: fields),
            associated: header)
        let object = header + box
        try store.put(
            .record(kind, id), object + (try keyring.sign(Record.signaturePrefix + object)))
        return id
    }

    /// The fields of all records of a kind that this key can read.
    /// - Parameters:
    ///   - known: what was read before: records never change.
    ///   - context: of a domain, or nil where this key has no part in it.
    package func records(
        _ kind: Record.Kind, known: [ObjectID: KnownRecord] = [:],
        context: (DomainID) -> DomainContext?, ignored: (ObjectName, any Error) -> Void
    ) throws -> [SignedRecord] {
        var found: [SignedRecord] = []
        var unknown: [StoredObject] = []
        for object in try store.list(.records(kind)) {
            guard let id = object.name.id, let record = known[id] else {
                unknown.append(object)
                continue
            }
            found.append(
                SignedRecord(
                    id: id, domain: record.domain, modified: object.modified,
                    fields: record.fields))
        }
        try askAll(unknown, atOnce: store.isNear ? 0 : Self.readAtOnceMax, { try signed($0, kind) }) {
            object, record in
            do {
                let (header, signed) = try record.get()
                guard let context = context(header.domain) else { return }
                found.append(try opened(object, header, signed, context))
            } catch  where isDamage(error) {
                ignored(object.name, error)
            }
        }
        return found
    }

    private static let readAtOnceMax = 16

    /// A record without its signature, which is good.
    private func signed(
        _ stored: StoredObject, _ kind: Record.Kind
    ) throws -> (header: ObjectHeader, bytes: [UInt8]) {
        let name = stored.name
        let object = try store.get(name, limit: 1 << 20)
        guard object.count > ObjectHeader.byteCount + Record.signatureBytes else {
            throw WireError.malformed("\(name) is malformed: it ends too early")
        }
        let signed = Array(object.dropLast(Record.signatureBytes))
        guard
            keyring.isSigned(
                Record.signaturePrefix + signed, by: Array(object.suffix(Record.signatureBytes)))
        else {
            throw SealingError.signature("\(name)")
        }
        var reader = ByteReader(signed, what: "\(name)")
        let header = try ObjectHeader(&reader, .record)
        guard header.detail == kind.rawValue, name == .record(kind, header.id) else {
            throw reader.malformed("it is another record under this name")
        }
        return (header, signed)
    }

    private func opened(
        _ stored: StoredObject, _ header: ObjectHeader, _ signed: [UInt8], _ context: DomainContext
    ) throws -> SignedRecord {
        let name = stored.name
        let padded = try Box.open(
            signed[ObjectHeader.byteCount...], key: context.keys.index, label: Record.label,
            name: header.id.bytes,
            associated: Array(signed[..<ObjectHeader.byteCount]), what: "\(name)")
        return SignedRecord(
            id: header.id, domain: header.domain, modified: stored.modified,
            fields: try Padding.unpad(padded, what: "\(name)"))
    }
}

/// What a record says, whose signature was good.
package struct KnownRecord: Sendable {
    package let domain: DomainID
    package let fields: [UInt8]

    package init(domain: DomainID, fields: [UInt8]) {
        self.domain = domain
        self.fields = fields
    }
}

/// A record whose signature is good, opened.
package struct SignedRecord: Sendable {
    package let id: ObjectID
    package let domain: DomainID
    /// When it was written, by the store's clock; milliseconds since 1970.
    package let modified: Int64
    package let fields: [UInt8]
}
