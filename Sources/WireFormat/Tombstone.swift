/// Says that an object will be deleted (docs/format.md, section 13). Counts only with a good
/// signature.
package struct Tombstone: Equatable, Sendable {
    package static let byteCount = signedBytes + 64
    private static let signedBytes = 48
    package static let signaturePrefix = Array("repo tombstone v1".utf8)

    package enum Target: UInt8, Sendable, CaseIterable {
        case pack = 1
        case snapshot = 2
        case index = 3

        /// The folder its tombstones lie in.
        package var folder: String {
            switch self {
            case .pack: "packs"
            case .snapshot: "snapshots"
            case .index: "index"
            }
        }
    }

    /// Why. One that is not known says nothing and changes nothing: the object goes all the same.
    package struct Reason: RawRepresentable, Equatable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let pruned = Reason(rawValue: 1)
        package static let forgotten = Reason(rawValue: 2)
        package static let abandoned = Reason(rawValue: 3)
        /// Of records only: it cannot be read any more, and a repair gave it up.
        package static let lost = Reason(rawValue: 4)
    }

    package let target: Target
    package let reason: Reason
    package let domain: DomainID
    package let id: ObjectID
    package let time: Int64

    package init(target: Target, reason: Reason, domain: DomainID, id: ObjectID, time: Int64) {
        self.target = target
        self.reason = reason
        self.domain = domain
        self.id = id
        self.time = time
    }

    /// What is signed, without the prefix; the object is these bytes and the signature.
    package var bytesBeforeSignature: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.raw(Prologue.bytes(.tombstone))
        writer.u8(target.rawValue)
        writer.u8(reason.rawValue)
        writer.zeros(6)
        writer.id(domain)
        writer.id(id)
        writer.integer(time)
        return writer.bytes
    }

    /// - Returns: the tombstone and the signature, which the caller checks before it believes
    ///   anything.
    package static func read(
        _ object: [UInt8], what: String
    ) throws(WireError) -> (tombstone: Tombstone, signature: [UInt8]) {
        var reader = ByteReader(object, what: what)
        try Prologue.check(&reader, .tombstone)
        guard let target = Target(rawValue: try reader.u8()) else {
            throw .unknown("\(what) is of a kind this program does not know")
        }
        let reason = Reason(rawValue: try reader.u8())
        try reader.zeros(6)
        let tombstone = Tombstone(
            target: target, reason: reason, domain: try reader.id(), id: try reader.id(),
            time: try reader.integer())
        let signature = try reader.raw(64)
        try reader.finish()
        return (tombstone, signature)
    }
}
