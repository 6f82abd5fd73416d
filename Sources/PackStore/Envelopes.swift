import Sealing
import WireFormat

/// An envelope being filled.
package struct NewEnvelope: Sendable {
    package let stored: StoredEnvelope
    package let key: EnvelopeKey

    /// - Parameter first: the first plaintext to be sealed, mixed into what is drawn.
    package init(_ contentClass: ContentClass, _ context: DomainContext, mixing first: [UInt8] = [])
        throws
    {
        var drawn = try context.random.draw("envelope key", key: context.keys.auth, mixing: first)
        let ephemeral = Secret(moving: &drawn)
        let salt = try context.random.draw("envelope salt", key: context.keys.auth, mixing: first)
        let header = EnvelopeHeader(
            contentClass: contentClass, domain: context.domain,
            id: try context.newID("envelope", mixing: first),
            ephemeralKey: EnvelopeKey.publicKey(ofEphemeral: ephemeral), salt: salt)
        key = try EnvelopeKey(
            sealing: contentClass.rawValue, keyring: context.keyring, auth: context.keys.auth,
            ephemeral: ephemeral,
            header: header.bytes, salt: salt)
        stored = StoredEnvelope(header: header, commitment: key.commitment)
        context.keeper?.keep(key, of: stored)
    }
}

extension EnvelopeKey {
    /// Opens an envelope of a domain.
    /// - Parameter what: for errors, such as `packs/3f/3f9c...`.
    package static func open(_ stored: StoredEnvelope, _ context: DomainContext, what: String)
        throws -> EnvelopeKey
    {
        guard stored.header.domain == context.domain else {
            throw WireError.malformed("\(what) is malformed: an envelope is of another domain")
        }
        if context.opensKept, let kept = context.keeper?.key(of: stored) { return kept }
        do {
            return try EnvelopeKey(
                opening: stored.header.contentClass.rawValue, keyring: context.keyring,
                auth: context.keys.auth,
                ephemeralPublic: stored.header.ephemeralKey, header: stored.header.bytes,
                salt: stored.header.salt,
                commitment: stored.commitment)
        } catch SealingError.doesNotOpen {
            throw SealingError.doesNotOpen("an envelope of \(what)")
        }
    }

    /// What a message is bound to.
    package func associated(number: UInt64, context: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: headerHash.count + 8 + context.count)
        writer.raw(headerHash)
        writer.integer(number)
        writer.raw(context)
        return writer.bytes
    }
}
