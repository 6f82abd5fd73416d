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
    /// Copies of what this machine wrote, where the store is far.
    package let packCache: PackCache?
    /// Where packs are read from if the store is far, ahead of those who need them: all that is read
    /// shares its memory.
    package let fetching: FetchingStore?
    private let kept: KeptEnvelopes?

    /// - Parameter cacheBytesMax: what copies of packs may take; nil for what is usual.
    init(
        store: any ObjectStore, config: Config, keyring: Keyring, slot: ObjectID?,
        surroundings: Surroundings,
        cache: CacheDirectory?, cacheBytesMax: Int? = nil
    ) {
        self.store = store
        self.config = config
        self.keyring = keyring
        self.slot = slot
        self.surroundings = surroundings
        self.cache = cache
        let bytesMax = cacheBytesMax
        packCache =
            store.isNear
            ? nil : cache.map { $0.packs(bytesMax: bytesMax ?? $0.usualBytesMax()) }
        let isInOrder = surroundings.workers == 0
        fetching =
            store.isNear
            ? nil : FetchingStore(store, atOnce: isInOrder ? 0 : Self.requestsAtOnceMax)
        if let keys = keyring.writeDomain, let cache {
            // A cache that cannot be written costs deltas, not the command.
            kept = try? cache.keptEnvelopes(DomainID(word: keys.domain), auth: keys.auth)
        } else {
            kept = nil
        }
    }

    /// The same repository, opened by the same key and without a cache, seen through another store: opening
    /// it anew costs more than what some look into.
    package func through(_ store: any ObjectStore, _ surroundings: Surroundings) -> Vault {
        Vault(
            store: store, config: config, keyring: keyring, slot: slot, surroundings: surroundings,
            cache: nil)
    }

    /// The domain that this key's adds go to.
    package var ownDomain: DomainID { DomainID(word: keyring.writeDomain?.domain ?? 0) }

    /// What reading and writing in a domain needs; nil where this key has no part in it.
    package func context(_ domain: DomainID) -> DomainContext? {
        keyring.keys(of: domain.word).map {
            var context = DomainContext(
                store: packCache.map { WriteThroughStore(under: store, cache: $0) } ?? store,
                keyring: keyring, keys: $0, random: surroundings.hedgedRandom)
            context.keeper = kept
            context.requestsAtOnce = requestsAtOnce
            context.isEventual = isEventual
            return context
        }
    }

    /// Whether listings may lack what was written, or show what is gone.
    package var isEventual: Bool { config.consistency == .eventual || store.isEventual }

    /// The same, for who reads much.
    package func readingContext(_ domain: DomainID) throws -> DomainContext {
        var context = try requiredContext(domain)
        if let fetching { context.store = fetching }
        return context
    }

    /// A store that is far is asked for several things at once, unless all is to go in one order.
    private var requestsAtOnce: Int {
        store.isNear || surroundings.workers == 0 ? 0 : Self.requestsAtOnceMax
    }

    private static let requestsAtOnceMax = 16

    /// Where what deltas stand on is read from: the store if it is near, else copies of what this
    /// machine wrote; nil where there is neither, or no key to open it with.
    package func baseContext(_ context: DomainContext) -> DomainContext? {
        guard keyring.opensData || kept != nil else { return nil }
        var near = context
        near.opensKept = true
        if !store.isNear {
            guard let packCache else { return nil }
            near.store = packCache.store
        }
        return near
    }

    /// What opens what is stored in a domain, of a far store from copies where this machine has any.
    package func cachedContext(_ context: DomainContext) -> DomainContext {
        var reading = context
        reading.opensKept = true
        if let packCache { reading.store = ReadThroughStore(under: store, cache: packCache) }
        return reading
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

    /// What was committed in each domain that this key can see, both in order.
    /// - Parameter remembered: domains that there were: nothing is what they show where they are gone.
    package func committed(besides remembered: some Sequence<DomainID> = []) throws
        -> [(domain: DomainID, commits: [Commit])]
    {
        let folder = keyring.writeDomain == nil ? Folder.all(.commits) : .commits(ownDomain)
        var commits: [DomainID: [Commit]] = [:]
        for object in try store.list(folder) {
            if case .commit(let domain, let id) = object.name {
                commits[domain, default: []].append(Commit(id: id, modified: object.modified))
            }
        }
        if keyring.writeDomain != nil {
            commits[ownDomain, default: []] += []
        } else {
            // One that was seen and shows nothing now must be missed.
            for domain in remembered { commits[domain, default: []] += [] }
        }
        return commits.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// A commit as a listing shows it.
    package struct Commit: Sendable {
        package let id: ObjectID
        /// By the store's clock, milliseconds since 1970.
        package let modified: Int64
    }
}
