import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

extension IndexKeeper {
    /// Brings the local index up to date. What cannot be used is told, and passed over.
    /// - Parameter found: told of each directory that was read.
    /// - Returns: the packs that exist.
    @discardableResult
    func refresh(
        _ surroundings: Surroundings, found: (ObjectID, PackDirectory) -> Void = { _, _ in }
    ) throws -> Set<ObjectID> {
        try refresh(found: found, damaged: surroundings.tellUnusable)
    }
}

extension SignedObjects {
    /// The packs that will be deleted. What is not signed properly is told, and does not count.
    func condemnedPacks(_ surroundings: Surroundings) throws -> Set<ObjectID> {
        Set(try condemned(.pack, ignored: surroundings.tellIgnored).map { $0.id })
    }

    /// Those of some packs that will be deleted, each asked for by its name: a listing that lags may lack a
    /// tombstone that was written long ago.
    func condemned(among packs: Set<ObjectID>, _ context: DomainContext) throws -> Set<ObjectID> {
        try context.those(of: packs) { try tombstone(.pack, $0) != nil }
    }
}

extension DomainContext {
    /// Those of some packs that are gone, each asked for by its name: a listing that lags may show what is
    /// not there any more.
    func missing(_ packs: Set<ObjectID>) throws -> Set<ObjectID> {
        try those(of: packs) { try store.byteCount(of: .pack(domain, $0)) == nil }
    }

    fileprivate func those(
        of packs: Set<ObjectID>, _ isMeant: @escaping @Sendable (ObjectID) throws -> Bool
    ) throws -> Set<ObjectID> {
        var meant: Set<ObjectID> = []
        try askAll(packs.sorted(), atOnce: requestsAtOnce, isMeant) { id, answer in
            if try answer.get() { meant.insert(id) }
        }
        return meant
    }
}

extension Vault {
    /// The domains that anything lies in and that this key has a part in, in order.
    func allDomains() throws -> [DomainID] {
        var domains: Set<DomainID> = [ownDomain]
        for root in [Folder.Root.packs, .index, .snapshots, .commits] {
            for object in try store.list(.all(root)) {
                if let domain = object.name.domain { domains.insert(domain) }
            }
        }
        return domains.filter { context($0) != nil }.sorted()
    }

    /// The packs of a domain that carry a tombstone, and since when by the store's clock.
    func condemnedPacks(of domain: DomainID) throws -> [ObjectID: Int64] {
        let found = try signedObjects.condemnedSince(.pack, ignored: surroundings.tellIgnored)
        return Dictionary(
            found.filter { $0.tombstone.domain == domain }.map { ($0.tombstone.id, $0.since) }
        ) { first, _ in first }
    }

    /// The packs of a domain that exist and carry no tombstone; the local index is brought up to date.
    func lastingPacks(_ context: DomainContext, _ index: ChunkIndex) throws -> Set<ObjectID> {
        let packs = try IndexKeeper(context, index).refresh(surroundings)
        return packs.subtracting(try signedObjects.condemnedPacks(surroundings))
    }
}

extension ObjectName {
    var domain: DomainID? {
        switch self {
        case .pack(let domain, _), .index(let domain, _), .snapshot(let domain, _),
            .commit(let domain, _):
            domain
        default: nil
        }
    }
}
