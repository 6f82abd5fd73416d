/// A message for the holders of a domain's index key; its key depends on its content
/// (docs/format.md, section 4).
package enum Box {
    package static let overhead = 32 + 32 + MessageCipher.tagBytes

    /// - Parameters:
    ///   - salt: 32 random bytes.
    ///   - name: the 16 bytes of the object's name.
    ///   - associated: what else the box is bound to.
    package static func seal(
        _ plaintext: [UInt8], key: borrowing Secret, label: String, name: [UInt8], salt: [UInt8],
        associated: [UInt8]
    ) -> [UInt8] {
        let prk = KeyDerivation.extract(salt: salt, key)
        let check = check(plaintext, prk, label, name)
        let cipher = MessageCipher(
            key: KeyDerivation.expand(prk, "repo box key v1" + label, name + check))
        return salt + check + cipher.seal(associated: associated, plaintext)
    }

    /// - Parameter what: the part's name for an error, such as `the directory of packs/3f/3f9c...`.
    package static func open(
        _ box: ArraySlice<UInt8>, key: borrowing Secret, label: String, name: [UInt8],
        associated: [UInt8],
        what: @autoclosure () -> String
    ) throws(SealingError) -> [UInt8] {
        guard box.count >= overhead else { throw .malformed(what()) }
        let salt = Array(box.prefix(32))
        let stored = Array(box.dropFirst(32).prefix(32))
        let prk = KeyDerivation.extract(salt: salt, key)
        let cipher = MessageCipher(
            key: KeyDerivation.expand(prk, "repo box key v1" + label, name + stored))
        guard let plaintext = cipher.open(associated: associated, Array(box.dropFirst(64))),
            equalInConstantTime(check(plaintext, prk, label, name), stored)
        else { throw .doesNotOpen(what()) }
        return plaintext
    }

    private static func check(
        _ plaintext: [UInt8], _ prk: borrowing Secret, _ label: String, _ name: [UInt8]
    ) -> [UInt8] {
        HMAC256(key: KeyDerivation.expand(prk, "repo box check v1" + label, name)).code(plaintext)
    }
}
