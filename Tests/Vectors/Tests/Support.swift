import Sealing
import TestSupport
import Testing
import WireFormat

/// Rebuilds every case of a file from its inputs and compares, or rewrites the file where
/// REPO_WRITE_VECTORS=1 asks for it (Tests/Vectors/README.md).
func checkVectors(
    _ file: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ make: (VectorCase) throws -> [(name: String, value: [UInt8])]
) throws {
    for difference in try VectorFile(file).check(make) {
        Issue.record("\(difference)", sourceLocation: sourceLocation)
    }
}

func secret(_ bytes: [UInt8]) -> Secret {
    var copy = bytes
    return Secret(moving: &copy)
}

func bytes(_ secret: borrowing Secret) -> [UInt8] { secret.withBytes { Array($0) } }

func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

func number(_ bytes: some Collection<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
}

/// The numbers of so many bytes that a value consists of.
func numbers(_ bytes: [UInt8], _ sizes: Int...) -> [Int] {
    var rest = bytes[...]
    return sizes.map { size in
        defer { rest = rest.dropFirst(size) }
        return number(rest.prefix(size))
    }
}

extension VectorCase {
    func signed(_ name: String) -> Int64 { Int64(bitPattern: number(name)) }
    func count(_ name: String) -> Int { Int(number(name)) }
    func byte(_ name: String) -> UInt8 { self[name][0] }
    func id(_ name: String) -> ObjectID { ObjectID(self[name]) }
    func optionalID(_ name: String) -> ObjectID? { has(name) ? id(name) : nil }
    func optionalText(_ name: String) -> String? { has(name) ? text(name) : nil }
    func texts(_ name: String) -> [String] { all(name).map { String(decoding: $0, as: UTF8.self) } }
    func optionalBytes(_ name: String) -> [UInt8]? { has(name) ? self[name] : nil }

    var domain: DomainID { DomainID(self["domain"]) }
    var keyring: Keyring { Keyring(root: secret(self["root"])) }
    var keys: DomainKeys {
        get throws { try #require(keyring.keys(of: domain.word)) }
    }

    /// A header, and the box behind it that is bound to it.
    func sealed(_ header: ObjectHeader, _ label: String, _ fields: [UInt8]) throws -> [UInt8] {
        header.bytes
            + Box.seal(
                Padding.pad(fields), key: try keys.index, label: label, name: header.id.bytes,
                salt: self["box salt"],
                associated: header.bytes)
    }

    /// The fields in such an object, opened.
    func opened(_ object: [UInt8], _ kind: Prologue.Kind, _ label: String) throws -> (
        ObjectHeader, [UInt8]
    ) {
        var reader = ByteReader(object, what: title)
        let header = try ObjectHeader(&reader, kind)
        let padded = try Box.open(
            object[reader.offset...], key: try keys.index, label: label, name: header.id.bytes,
            associated: header.bytes, what: title)
        return (header, try Padding.unpad(padded, what: title))
    }

    /// The envelope of the inputs `envelope id`, `ephemeral key` and `envelope salt`.
    func envelope(_ contentClass: ContentClass) throws -> (stored: StoredEnvelope, key: EnvelopeKey)
    {
        let ephemeral = secret(self["ephemeral key"])
        let header = EnvelopeHeader(
            contentClass: contentClass, domain: domain, id: id("envelope id"),
            ephemeralKey: EnvelopeKey.publicKey(ofEphemeral: ephemeral), salt: self["envelope salt"]
        )
        let key = try EnvelopeKey(
            sealing: contentClass.rawValue, keyring: keyring, auth: try keys.auth,
            ephemeral: ephemeral,
            header: header.bytes, salt: header.salt)
        return (StoredEnvelope(header: header, commitment: key.commitment), key)
    }

    /// The key of a stored envelope, as a reader derives it.
    func opening(_ stored: StoredEnvelope) throws -> EnvelopeKey {
        try EnvelopeKey(
            opening: stored.header.contentClass.rawValue, keyring: keyring, auth: try keys.auth,
            ephemeralPublic: stored.header.ephemeralKey, header: stored.header.bytes,
            salt: stored.header.salt,
            commitment: stored.commitment)
    }
}

extension EnvelopeKey {
    /// What a message is bound to (docs/format.md, section 4).
    func associated(_ number: UInt64, _ context: [UInt8]) -> [UInt8] {
        headerHash + little(number) + context
    }
}
