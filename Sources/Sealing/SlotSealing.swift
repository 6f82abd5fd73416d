import COpenSSL

/// The cost of turning a password into a key.
package struct ScryptCost: Sendable, Equatable {
    package let log2N: UInt8
    package let r: UInt8
    package let p: UInt8

    package init(log2N: UInt8, r: UInt8, p: UInt8) {
        self.log2N = log2N
        self.r = r
        self.p = p
    }

    /// 64 MiB and a tenth of a second or two: within the memory bound of every command.
    package static let standard = ScryptCost(log2N: 16, r: 8, p: 2)
    /// No password: a key file is a key already.
    package static let none = ScryptCost(log2N: 0, r: 0, p: 0)
}

/// Seals and opens the bundle in a key slot (docs/format.md, section 6).
package enum SlotSealing {
    /// - Returns: the commitment (32 bytes) and the ciphertext.
    package static func seal(
        _ bundle: [UInt8], secret: borrowing Secret, cost: ScryptCost, salt: [UInt8],
        header: [UInt8]
    ) throws(SealingError) -> (commitment: [UInt8], ciphertext: [UInt8]) {
        let prk = try extract(secret, cost, salt)
        let commitment = KeyDerivation.expand(prk, "slot commit", header).withBytes { Array($0) }
        let cipher = MessageCipher(key: KeyDerivation.expand(prk, "slot enc", header))
        return (commitment, cipher.seal(associated: header + commitment, bundle))
    }

    /// Throws `wrongSecret` where the commitment is another's, before anything is decrypted.
    package static func open(
        commitment: [UInt8], ciphertext: [UInt8], secret: borrowing Secret, cost: ScryptCost,
        salt: [UInt8],
        header: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        let prk = try extract(secret, cost, salt)
        let expected = KeyDerivation.expand(prk, "slot commit", header).withBytes { Array($0) }
        guard equalInConstantTime(expected, commitment) else { throw .wrongSecret }
        let cipher = MessageCipher(key: KeyDerivation.expand(prk, "slot enc", header))
        guard let bundle = cipher.open(associated: header + commitment, ciphertext) else {
            throw .doesNotOpen("the key slot")
        }
        return bundle
    }

    private static func extract(
        _ secret: borrowing Secret, _ cost: ScryptCost, _ salt: [UInt8]
    ) throws(SealingError) -> Secret {
        if cost == .none { return KeyDerivation.extract(salt: salt, secret) }
        let stretched = try Secret(count: 32) { (result) throws(SealingError) in
            let done = secret.withPointer {
                repo_scrypt(
                    $0, secret.count, salt, salt.count, 1 << UInt64(cost.log2N), UInt32(cost.r),
                    UInt32(cost.p),
                    result.bytePointer)
            }
            guard done == 1 else { throw .library("scrypt with N = 2^\(cost.log2N)") }
        }
        return KeyDerivation.extract(salt: salt, stretched)
    }
}
