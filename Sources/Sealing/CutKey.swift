/// What decides cuts in domain 0 in place of the key of its own: another repository's, so that both cut
/// alike (docs/format.md, section 5).
package enum CutKey {
    private static let byteCount = 16
    private static let label = "cut key"

    /// What decides cuts in domain 0 of `other`, sealed for those who hold all keys here.
    /// - Parameters:
    ///   - repository: the 16 bytes of this repository's id.
    ///   - salt: 32 random bytes.
    package static func seal(
        of other: Keyring, for own: Keyring, repository: [UInt8], salt: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        guard let theirs = other.keys(of: 0), theirs.cuts != nil, let ours = own.keys(of: 0),
            ours.chunkIDs != nil
        else { throw .lacksKey("give away how streams are cut") }
        var plaintext = theirs.cuts!.withBytes { Array($0) }
        defer { plaintext.wipe() }
        return Box.seal(
            plaintext, key: ours.chunkIDs!, label: label, name: repository, salt: salt,
            associated: [])
    }

    /// A full key that cuts as the sealed key says; another key as it is.
    package static func apply(
        _ box: [UInt8], to keyring: Keyring, repository: [UInt8]
    ) throws -> Keyring {
        guard keyring.kind == .full, let keys = keyring.keys(of: 0), keys.chunkIDs != nil else {
            return keyring
        }
        let what = "the cut key in config"
        var plaintext = try Box.open(
            box[...], key: keys.chunkIDs!, label: label, name: repository, associated: [],
            what: what)
        guard plaintext.count == byteCount else { throw SealingError.malformed(what) }
        return Keyring(
            root: try keyring.withRoot { $0.copy() }, sharedCuts: Secret(moving: &plaintext))
    }
}
