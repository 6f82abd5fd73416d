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
        _ warn: (String) -> Void, found: (ObjectID, PackDirectory) -> Void = { _, _ in }
    ) throws -> Set<ObjectID> {
        try refresh(found: found, damaged: { name, error in
            warn("\(name) cannot be used: \(explanation(of: error))")
        })
    }
}

extension SignedObjects {
    /// The packs that will be deleted. What is not signed properly is told, and does not count.
    func condemnedPacks(_ warn: (String) -> Void) throws -> Set<ObjectID> {
        Set(
            try condemned(.pack) { name, error in
                warn("\(name) is ignored: \(explanation(of: error))")
            }.map { $0.id })
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

    /// The packs of a domain that exist and carry no tombstone; the local index is brought up to date.
    func lastingPacks(_ context: DomainContext, _ index: ChunkIndex) throws -> Set<ObjectID> {
        let packs = try IndexKeeper(context, index).refresh(surroundings.warn)
        return packs.subtracting(try signedObjects.condemnedPacks(surroundings.warn))
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
