import Sealing
import TestSupport

func secret(_ bytes: [UInt8]) -> Secret {
    var copy = bytes
    return Secret(moving: &copy)
}

func bytes(_ secret: borrowing Secret) -> [UInt8] { secret.withBytes { Array($0) } }

/// The bytes of a secret that may not be there.
func bytes(ofOptional secret: borrowing Secret?) -> [UInt8]? {
    guard secret != nil else { return nil }
    return bytes(secret!)
}

func block(_ seed: UInt8, _ count: Int = 32) -> [UInt8] {
    (0..<count).map { seed &+ UInt8(truncatingIfNeeded: $0) &* 7 }
}

/// The keyring of a root that repeats one byte.
func keyring(_ seed: UInt8 = 1) -> Keyring { Keyring(root: secret(block(seed))) }

/// Every copy of `bytes` with one bit changed.
func flipped(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.indices.flatMap { offset in
        (0..<8).map { bit in
            var changed = bytes
            changed[offset] ^= 1 << UInt8(bit)
            return changed
        }
    }
}

/// The write key that `full` makes for a domain.
func writeKeyring(of full: Keyring, _ domain: UInt64) throws -> Keyring {
    guard let keys = full.keys(of: domain), let ids = keys.chunkIDs?.copy(),
        let cuts = keys.cuts?.copy()
    else {
        throw SealingError.lacksKey("make keys")
    }
    let own = DomainKeys(
        domain: domain, chunkIDs: ids, cuts: cuts, listIDs: keys.listIDs.copy(),
        index: keys.index.copy(),
        auth: keys.auth.copy())
    return Keyring(
        writing: own, data: full.dataPublicKey, list: full.listPublicKey,
        signing: full.signingPublicKey)
}

/// The maintain key that `full` makes.
func maintainKeyring(of full: Keyring) throws -> Keyring {
    try full.withMaintainSecrets {
        Keyring(
            maintaining: $0.copy(), signingSeed: $1.copy(), structureRoot: $2.copy(),
            data: full.dataPublicKey)
    }
}
