import COpenSSL

/// The key of one envelope, from which each worker makes its cipher (docs/format.md, section 4).
///
/// A class: sealers and openers of one envelope share its key; immutable.
package final class EnvelopeKey: Sendable {
    private let key: Secret
    /// What key and commitment are made of.
    private let prk: Secret
    /// SHA-256 of the header: every message is bound to it.
    package let headerHash: [UInt8]
    /// Stored behind the header.
    package let commitment: [UInt8]

    package func cipher() -> MessageCipher { MessageCipher(key: key) }

    /// Derives the key for sealing.
    /// - Parameters:
    ///   - ephemeral: the secret half of the key in the header.
    ///   - header: the 104 bytes that are stored.
    ///   - salt: the salt in the header.
    package convenience init(
        sealing contentClass: UInt8, keyring: Keyring, auth: borrowing Secret,
        ephemeral: borrowing Secret,
        header: [UInt8], salt: [UInt8]
    ) throws(SealingError) {
        let publicKey = keyring.publicKey(ofClass: contentClass)
        var material = try keyMaterial(ephemeral, publicKey, publicKey, auth)
        self.init(material: &material, header: header, salt: salt)
    }

    /// Derives the key for opening and compares the commitment.
    /// - Parameter ephemeralPublic: the public key in the header.
    package convenience init(
        opening contentClass: UInt8, keyring: Keyring, auth: borrowing Secret,
        ephemeralPublic: [UInt8],
        header: [UInt8], salt: [UInt8], commitment: [UInt8]
    ) throws {
        let publicKey = keyring.publicKey(ofClass: contentClass)
        var material = try keyring.withSecretKey(ofClass: contentClass) {
            try keyMaterial($0, ephemeralPublic, publicKey, auth)
        }
        self.init(material: &material, header: header, salt: salt)
        guard equalInConstantTime(self.commitment, commitment) else {
            throw SealingError.doesNotOpen("the envelope")
        }
    }

    /// Takes what `withSecret` gave when the envelope was sealed, and compares the commitment.
    package convenience init(kept secret: consuming Secret, header: [UInt8], commitment: [UInt8])
        throws(SealingError)
    {
        self.init(prk: secret, header: header)
        guard equalInConstantTime(self.commitment, commitment) else {
            throw .doesNotOpen("the envelope")
        }
    }

    private convenience init(material: inout [UInt8], header: [UInt8], salt: [UInt8]) {
        self.init(prk: KeyDerivation.extract(salt: salt, moving: &material), header: header)
    }

    private init(prk: consuming Secret, header: [UInt8]) {
        headerHash = SHA256.hash(header)
        key = KeyDerivation.expand(prk, "enc", headerHash)
        commitment = KeyDerivation.expand(prk, "commit", headerHash).withBytes { Array($0) }
        self.prk = prk
    }

    /// What the envelope can be opened with again, by whoever sealed it: 32 bytes.
    package func withSecret<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E)
        -> R
    {
        try prk.withBytes(body)
    }

    /// The public half of an ephemeral key.
    package static func publicKey(ofEphemeral secret: borrowing Secret) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: 32)
        let done = secret.withPointer { repo_x25519_public($0, &key) }
        precondition(done == 1, "every 32 bytes are a private key")
        return key
    }
}

/// `X25519(secret, other) | pk | K_auth`, put together where it will be wiped: bytes that grow would
/// leave copies behind.
private func keyMaterial(
    _ secret: borrowing Secret, _ other: [UInt8], _ publicKey: [UInt8], _ auth: borrowing Secret
) throws(SealingError) -> [UInt8] {
    precondition(publicKey.count == 32 && auth.count == 32, "both keys have 32 bytes")
    guard other.count == 32 else { throw .malformed("the envelope's public key") }
    var material = [UInt8](repeating: 0, count: 96)
    let done = material.withUnsafeMutableBytes { place in
        UnsafeMutableRawBufferPointer(rebasing: place[32..<64]).copyBytes(from: publicKey)
        auth.withBytes {
            UnsafeMutableRawBufferPointer(rebasing: place[64..<96]).copyMemory(from: $0)
        }
        return secret.withPointer { repo_x25519($0, other, place.bytePointer) }
    }
    guard done == 1 else {
        material.wipe()
        throw .malformed("the envelope's public key")
    }
    return material
}
