import ChunkIndex
import ObjectStorage
import Sealing
import WireFormat

/// Keeps the local index true to the repository's index objects and packs, and writes index
/// objects.
package struct IndexKeeper: Sendable {
    let context: DomainContext
    let index: ChunkIndex

    package init(_ context: DomainContext, _ index: ChunkIndex) {
        self.context = context
        self.index = index
    }

    /// Takes in index objects the local index has not seen, drops what they no longer hold, and
    /// reads the directories of packs that no index knows: an add that was stopped left them, and
    /// they need not be uploaded again.
    /// - Parameters:
    ///   - found: told of each directory that was read.
    ///   - damaged: told of each object that cannot be read; it is passed over.
    /// - Returns: the packs that exist.
    package func refresh(
        found: (ObjectID, PackDirectory) -> Void = { _, _ in },
        damaged: (ObjectName, any Error) -> Void
    ) throws -> Set<ObjectID> {
        let context = context
        for attempt in 1...Self.listingsMax {
            let gone = try takeIn(found, damaged)
            // A prune has just merged what was listed: the merged one is in the next listing.
            if gone.isEmpty { break }
            if attempt == Self.listingsMax {
                for name in gone { damaged(name, StorageError.missing(name)) }
            }
        }
        let packs = try context.store.list(.packs(context.domain)).compactMap { object in
            object.name.id.map { (id: $0, byteCount: object.byteCount) }
        }
        let known = index.packs
        var unindexed: [IndexedPack] = []
        try askAll(
            packs.filter { known[$0.id] == nil }, atOnce: context.requestsAtOnce,
            { try PackDirectories.read($0.id, context, byteCount: $0.byteCount) }
        ) { listed, read in
            do {
                let (directory, pack) = try read.get()
                unindexed.append(StoredPack(pack, directory).places)
                found(listed.id, directory)
            } catch  where isDamage(error) {
                damaged(.pack(context.domain, listed.id), error)
            }
        }
        if !unindexed.isEmpty { try index.insert(unindexed, covering: []) }
        return Set(packs.map { $0.id })
    }

    private static let listingsMax = 5

    /// Takes in the index objects that are not known yet.
    /// - Returns: those that are gone already.
    private func takeIn(
        _ found: (ObjectID, PackDirectory) -> Void, _ damaged: (ObjectName, any Error) -> Void
    ) throws -> [ObjectName] {
        let context = context
        let listed = try Self.objects(context)
        try index.drop(objectsNotIn: Set(listed))
        let covered = index.covered
        var gone: [ObjectName] = []
        try askAll(
            listed.filter { !covered.contains($0) },
            atOnce: min(context.requestsAtOnce, Self.readAtOnceMax),
            { try Self.readPacks($0, context) }
        ) { id, packs in
            do {
                let packs = try packs.get()
                try index.insert(packs.map { StoredPack($0, $1).places }, covering: [id])
                for (pack, directory) in packs { found(pack.id, directory) }
            } catch StorageError.missing {
                gone.append(.index(context.domain, id))
            } catch  where isDamage(error) {
                damaged(.index(context.domain, id), error)
            }
        }
        return gone
    }

    /// The index objects that are there.
    package static func objects(_ context: DomainContext) throws -> [ObjectID] {
        try context.store.list(.index(context.domain)).compactMap { $0.name.id }
    }

    /// Writes an index object of these packs and takes it into the local index.
    /// - Returns: the length of the object, 0 where there was nothing to write.
    package func write(_ packs: [StoredPack]) throws -> Int {
        guard !packs.isEmpty else { return 0 }
        let (id, byteCount) = try put(IndexObject(packs: packs.map { $0.indexed }))
        try index.insert(packs.map { $0.places }, covering: [id])
        return byteCount
    }

    /// Writes an index object.
    func put(_ packs: IndexObject) throws -> (id: ObjectID, byteCount: Int) {
        let fields = packs.bytes
        let id = try context.newID("index", mixing: packs.packs.first?.id.bytes ?? [])
        let header = ObjectHeader(.index, domain: context.domain, id: id).bytes
        let box = Box.seal(
            Padding.pad(fields), key: context.keys.index, label: Self.label, name: id.bytes,
            salt: try context.random.draw("index salt", key: context.keys.auth), associated: header)
        let object = header + box
        try context.store.put(.index(context.domain, id), object)
        return (id, object.count)
    }

    private static let label = "index object"
    /// Each takes some megabytes, taken apart.
    private static let readAtOnceMax = 6

    /// Reads an index object with its directories taken apart.
    package static func readPacks(
        _ id: ObjectID, _ context: DomainContext
    ) throws -> [(IndexObject.Pack, PackDirectory)] {
        let name = ObjectName.index(context.domain, id)
        let object = try context.store.get(name)
        var reader = ByteReader(object, what: "\(name)")
        _ = try ObjectHeader.check(&reader, .index, domain: context.domain, id: id)
        let padded = try Box.open(
            object[reader.offset...], key: context.keys.index, label: label, name: id.bytes,
            associated: Array(object[..<ObjectHeader.byteCount]), what: "\(name)")
        let packs = try IndexObject(try Padding.unpad(padded, what: "\(name)"), what: "\(name)")
            .packs
        return try packs.map { pack in
            let body = ObjectHeader.byteCount..<max(ObjectHeader.byteCount, pack.fileBytes)
            let directory = try PackDirectory(pack.directory, body: body, what: "\(name)")
            try directory.checkEnvelopes(pack.contentClass, context.domain, what: "\(name)")
            return (pack, directory)
        }
    }
}
