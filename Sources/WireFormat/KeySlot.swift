/// A key slot, as stored (docs/format.md, section 6).
package struct KeySlot: Sendable {
    package enum SecretKind: UInt8, Sendable {
        case password = 1
        case keyFile = 2
    }

    package enum KeyKind: UInt8, Sendable {
        case full = 1
        case write = 2
        case maintain = 3
    }

    package static let headerBytes = 88
    package static let saltBytes = 32

    package let secret: SecretKind
    package let kind: KeyKind
    /// Cost of scrypt; all zero for a key file.
    package let log2N: UInt8
    package let r: UInt8
    package let p: UInt8
    package let created: Int64
    package let repository: ObjectID
    package let id: ObjectID
    package let salt: [UInt8]
    package var commitment: [UInt8] = []
    package var ciphertext: [UInt8] = []

    package init(
        secret: SecretKind, kind: KeyKind, log2N: UInt8, r: UInt8, p: UInt8, created: Int64,
        repository: ObjectID,
        id: ObjectID, salt: [UInt8]
    ) {
        self.secret = secret
        self.kind = kind
        self.log2N = log2N
        self.r = r
        self.p = p
        self.created = created
        self.repository = repository
        self.id = id
        self.salt = salt
    }

    package var header: [UInt8] {
        var writer = ByteWriter(capacity: Self.headerBytes)
        writer.raw(Prologue.bytes(.keySlot))
        for byte in [secret.rawValue, kind.rawValue, log2N, r, p] { writer.u8(byte) }
        writer.zeros(3)
        writer.integer(created)
        writer.id(repository)
        writer.id(id)
        writer.raw(salt)
        return writer.bytes
    }

    /// Everything but the hash at the end.
    package var bytesBeforeHash: [UInt8] {
        var writer = ByteWriter()
        writer.raw(header)
        writer.raw(commitment)
        writer.u32(ciphertext.count)
        writer.raw(ciphertext)
        return writer.bytes
    }

    package static func split(
        _ object: [UInt8], what: String
    ) throws(WireError) -> (content: [UInt8], hash: [UInt8]) {
        guard object.count > headerBytes + 32 + 4 + 32, object.count <= 64 << 10 else {
            throw .malformed("\(what) is malformed: it has \(object.count) bytes")
        }
        return (Array(object.dropLast(32)), Array(object.suffix(32)))
    }

    /// - Parameter content: without the hash.
    package init(_ content: [UInt8], what: String) throws(WireError) {
        var reader = ByteReader(content, what: what)
        try Prologue.check(&reader, .keySlot)
        guard let secret = SecretKind(rawValue: try reader.u8()),
            let kind = KeyKind(rawValue: try reader.u8())
        else {
            throw .unknown("\(what) is of a kind this program does not know")
        }
        self.secret = secret
        self.kind = kind
        log2N = try reader.u8()
        r = try reader.u8()
        p = try reader.u8()
        try reader.zeros(3)
        created = try reader.integer()
        repository = try reader.id()
        id = try reader.id()
        salt = try reader.raw(Self.saltBytes)
        commitment = try reader.raw(32)
        ciphertext = try reader.raw(try reader.u32())
        try reader.finish()
        switch secret {
        case .password:
            guard (15...20).contains(log2N), r == 8, (1...4).contains(p) else {
                throw reader.malformed("its scrypt cost is outside the limits")
            }
        case .keyFile:
            guard log2N == 0, r == 0, p == 0 else {
                throw reader.malformed("a key file takes no scrypt")
            }
        }
    }
}
