import ObjectStorage
import PackStore
import Sealing
import TestSupport
import WireFormat

/// Keys of a repository that there is not, from a seed.
enum MadeKeys {
    static func context() throws -> DomainContext {
        var random = SeededRandom(seed: Micro.seed)
        var root = random.bytes(32)
        let keyring = Keyring(root: Secret(moving: &root))
        guard let keys = keyring.keys(of: 0) else { throw Failed("a root key has no domain") }
        return DomainContext(
            store: MemoryStore(), keyring: keyring, keys: keys,
            random: HedgedRandom(randomBytes: { count in
                var random = SeededRandom(seed: UInt64(count))
                return random.bytes(count)
            }) { [] })
    }
}
