import ChunkIndex
import Faults
import Files
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import WireFormat

/// An open repository: its parameters, its keys as far as they are held, its store and this
/// machine's cache of it.
///
/// A class: one open repository, shared by all that a verb does.
package final class Vault: Sendable {
    package let store: any ObjectStore
    package let config: Config
    package let keyring: Keyring
    /// The slot that opened it; nil for the recovery key.
    package let slot: ObjectID?
    package let surroundings: Surroundings
    /// Nil where no cache can be kept.
    package let cache: CacheDirectory?

    init(
        store: any ObjectStore, config: Config, keyring: Keyring, slot: ObjectID?,
        surroundings: Surroundings,
        cache: CacheDirectory?
    ) {
        self.store = store
        self.config = config
        self.keyring = keyring
        self.slot = slot
        self.surroundings = surroundings
        self.cache = cache
    }

    /// The domain that this key's adds go to.
    package var ownDomain: DomainID { DomainID(word: keyring.writeDomain?.domain ?? 0) }

    /// What reading and writing in a domain needs; nil where this key has no part in it.
    package func context(_ domain: DomainID) -> DomainContext? {
        keyring.keys(of: domain.word).map {
            DomainContext(
                store: store, keyring: keyring, keys: $0, random: surroundings.hedgedRandom)
        }
    }

    /// The context of a domain that this key has a part in, or an error that says it has none.
    package func requiredContext(_ domain: DomainID) throws -> DomainContext {
        guard let context = context(domain) else {
            throw SealingError.lacksKey("see what other keys than itself wrote")
        }
        return context
    }

    package var signedObjects: SignedObjects { SignedObjects(store: store, keyring: keyring) }

    /// The local index of a domain: in the cache, or in memory where none can be kept.
    package func openIndex(_ domain: DomainID) throws -> ChunkIndex {
        guard let cache else { return ChunkIndex(inMemory: ()) }
        let random = surroundings.randomBytes
        return try ChunkIndex(
            directory: cache.indexDirectory(domain), calls: surroundings.systemCalls,
            randomBytes: { (try? random($0)) ?? [UInt8](repeating: 0, count: $0) })
    }

    /// The domains that have snapshots which this key can see, in order.
    package func domains() throws -> [DomainID] {
        if keyring.writeDomain != nil { return [ownDomain] }
        var domains: Set<DomainID> = []
        for object in try store.list(.all(.commits)) {
            if case .commit(let domain, _) = object.name { domains.insert(domain) }
        }
        return domains.sorted()
    }
}
