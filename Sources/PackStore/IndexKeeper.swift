import ChunkIndex
import ObjectStorage
import Sealing
import WireFormat

/// Keeps the local index true to the repository's index objects and packs, and writes index
/// objects.
package struct IndexKeeper: Sendable {
    private let context: DomainContext
    private let index: ChunkIndex

    package init(_ context: DomainContext, _ index: ChunkIndex) {
        self.context = context
        self.index = index
    }

    /// Takes in index objects the local index has not seen, drops what they no longer hold, and
    /// reads the directories of packs that no index knows: an add that was stopped left them, and
    /// they need not be uploaded again.
    /// - Parameter damaged: told of each object that cannot be read; it is passed over.
    /// - Returns: the packs that exist.
    package func refresh(damaged: (ObjectName, any Error) -> Void) throws -> Set<ObjectID> {
        let listed = try context.store.list(.index(context.domain)).compactMap {
            object -> ObjectID? in
            if case .index(_, let id) = object.name { id } else { nil }
        }
        try index.drop(objectsNotIn: Set(listed))
        for id in listed where !index.covered.contains(id) {
            do {
                try index.insert(try Self.read(id, context), covering: [id])
            } catch  where isDamage(error) {
                damaged(.index(context.domain, id), error)
            }
        }
        let packs = try context.store.list(.packs(context.domain)).compactMap {
            object -> ObjectID? in
            if case .pack(_, let id) = object.name { id } else { nil }
        }
        let known = index.packs
        var unindexed: [IndexedPack] = []
        for id in packs where known[id] == nil {
            do {
                let (directory, pack) = try PackDirectories.read(id, context)
                unindexed.append(StoredPack(pack, directory).places)
            } catch  where isDamage(error) {
                damaged(.pack(context.domain, id), error)
            }
        }
        if !unindexed.isEmpty { try index.insert(unindexed, covering: []) }
        return Set(packs)
    }

    /// Writes an index object of these packs and takes it into the local index.
    /// - Returns: the length of the object, 0 where there was nothing to write.
    package func write(_ packs: [StoredPack]) throws -> Int {
        guard !packs.isEmpty else { return 0 }
        let fields = IndexObject(packs: packs.map { $0.indexed }).bytes
        let id = try context.newID("index", mixing: packs[0].indexed.id.bytes)
        let header = ObjectHeader(.index, domain: context.domain, id: id).bytes
        let box = Box.seal(
            Padding.pad(fields), key: context.keys.index, label: Self.label, name: id.bytes,
            salt: try context.random.draw("index salt", key: context.keys.auth), associated: header)
        let object = header + box
        try context.store.put(.index(context.domain, id), object)
        try index.insert(packs.map { $0.places }, covering: [id])
        return object.count
    }

    private static let label = "index object"

    /// Reads an index object.
    package static func read(_ id: ObjectID, _ context: DomainContext) throws -> [IndexedPack] {
        try readPacks(id, context).map { pack, directory in
            StoredPack(pack, directory).places
        }
    }

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
