/// The eight bytes every object begins with.
package enum Prologue {
    package static let byteCount = 8
    package static let version: UInt8 = 1
    package static let suite: UInt8 = 1
    private static let magic = Array("repo".utf8)

    package enum Kind: UInt8, Sendable {
        case config = 0x43
        case keySlot = 0x4b
        case pack = 0x50
        case envelope = 0x45
        case index = 0x49
        case manifest = 0x4d
        case head = 0x48
        case tombstone = 0x54
        case record = 0x52
    }

    package static func bytes(_ kind: Kind) -> [UInt8] {
        magic + [kind.rawValue, version, suite, 0]
    }

    package static func check(_ reader: inout ByteReader, _ kind: Kind) throws(WireError) {
        guard try reader.raw(4) == magic, try reader.u8() == kind.rawValue else {
            throw reader.malformed("it does not begin as it should")
        }
        let version = try reader.u8()
        let suite = try reader.u8()
        guard version == Self.version, suite == Self.suite else {
            throw .unknown(
                "\(reader.what) has format version \(version), suite \(suite); this program knows version 1, suite 1"
            )
        }
        try reader.zeros(1)
    }
}

/// The 40 bytes that packs, index objects, manifests, heads and records begin with.
package struct ObjectHeader: Equatable, Sendable {
    package static let byteCount = 40
    package let kind: Prologue.Kind
    /// Class of a pack, kind of a record, else 0.
    package let detail: UInt8
    package let domain: DomainID
    package let id: ObjectID

    package init(_ kind: Prologue.Kind, detail: UInt8 = 0, domain: DomainID, id: ObjectID) {
        self.kind = kind
        self.detail = detail
        self.domain = domain
        self.id = id
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.raw(Prologue.bytes(kind))
        writer.u8(detail)
        writer.zeros(7)
        writer.id(domain)
        writer.id(id)
        return writer.bytes
    }

    package init(_ reader: inout ByteReader, _ kind: Prologue.Kind) throws(WireError) {
        try Prologue.check(&reader, kind)
        self.kind = kind
        detail = try reader.u8()
        guard detail == 0 || kind == .pack || kind == .record else {
            throw reader.malformed("reserved bytes are not zero")
        }
        try reader.zeros(7)
        domain = try reader.id()
        id = try reader.id()
    }

    /// Reads a header and holds it against the name the object was found under.
    package static func check(
        _ reader: inout ByteReader, _ kind: Prologue.Kind, domain: DomainID, id: ObjectID
    ) throws(WireError) -> ObjectHeader {
        let header = try ObjectHeader(&reader, kind)
        guard header.domain == domain, header.id == id else {
            throw reader.malformed("it is another object under this name")
        }
        return header
    }
}
