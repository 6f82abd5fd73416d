/// The header of an envelope (docs/format.md, section 4).
package struct EnvelopeHeader: Equatable, Sendable {
    package static let byteCount = 104
    /// Header and commitment, as packs and manifests store them.
    package static let storedBytes = byteCount + 32

    package let contentClass: ContentClass
    package let domain: DomainID
    package let id: ObjectID
    package let ephemeralKey: [UInt8]
    package let salt: [UInt8]

    package init(
        contentClass: ContentClass, domain: DomainID, id: ObjectID, ephemeralKey: [UInt8],
        salt: [UInt8]
    ) {
        precondition(ephemeralKey.count == 32 && salt.count == 32, "key and salt have 32 bytes")
        self.contentClass = contentClass
        self.domain = domain
        self.id = id
        self.ephemeralKey = ephemeralKey
        self.salt = salt
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.raw(Prologue.bytes(.envelope))
        writer.u8(contentClass.rawValue)
        writer.zeros(7)
        writer.id(domain)
        writer.id(id)
        writer.raw(ephemeralKey)
        writer.raw(salt)
        return writer.bytes
    }

    package init(_ reader: inout ByteReader) throws(WireError) {
        try Prologue.check(&reader, .envelope)
        guard let contentClass = ContentClass(rawValue: try reader.u8()) else {
            throw .unknown("\(reader.what) holds a class this program does not know")
        }
        self.contentClass = contentClass
        try reader.zeros(1)
        guard try reader.u16() == 0 else {
            throw .unknown("\(reader.what) is of a key epoch this program does not know")
        }
        try reader.zeros(4)
        domain = try reader.id()
        id = try reader.id()
        ephemeralKey = try reader.raw(32)
        salt = try reader.raw(32)
    }
}

/// A header with its commitment.
package struct StoredEnvelope: Equatable, Sendable {
    package let header: EnvelopeHeader
    package let commitment: [UInt8]

    package init(header: EnvelopeHeader, commitment: [UInt8]) {
        self.header = header
        self.commitment = commitment
    }

    package var bytes: [UInt8] { header.bytes + commitment }

    package init(_ reader: inout ByteReader) throws(WireError) {
        header = try EnvelopeHeader(&reader)
        commitment = try reader.raw(32)
    }
}
