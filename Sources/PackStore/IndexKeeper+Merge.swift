import ChunkIndex
import ObjectStorage
import WireFormat

/// Index objects come with every add, and speak of packs long after these are gone. Now and then they are
/// merged into few, without what is gone.
///
/// A merged one is durable before those that it replaces are removed, and nobody relies on one for safety
/// (docs/pruning.md, "Index objects"): so several may merge at once, beside everything else.
extension IndexKeeper {
    /// More objects than this are merged, and such a part of what they speak of may be gone.
    private static let countMax = 16
    private static let gonePartMax = 0.2
    /// What a merged object holds, about; one that has half of it is left alone while most of its packs
    /// are there.
    private static let mergedBytes = 16 << 20

    /// Merges index objects where there are many, or where much that they speak of is gone.
    /// - Parameter damaged: told of each object that cannot be read; it is left alone.
    /// - Returns: how many bytes were written.
    package func merge(
        damaged: (ObjectName, any Error) -> Void
    ) throws -> Int {
        // In this order: a pack is there before an object speaks of it.
        let objects = try context.store.list(.index(context.domain))
        let existing = Set(
            try context.store.list(.packs(context.domain)).compactMap { $0.name.id })
        let known = Set(index.packs.keys)
        let gone = known.subtracting(existing).count
        let small = objects.filter { $0.byteCount < Self.mergedBytes / 2 }.count
        guard small > Self.countMax || Double(gone) > Self.gonePartMax * Double(known.count) else {
            return 0
        }
        var merge = Merge(keeper: self)
        for object in objects {
            guard let id = object.name.id else { continue }
            do {
                let packs = try Self.readPacks(id, context).map { $0.0 }
                let staying = packs.filter { existing.contains($0.id) }
                let isLarge = object.byteCount >= Self.mergedBytes / 2
                let isFresh =
                    Double(packs.count - staying.count) <= Self.gonePartMax * Double(packs.count)
                if isLarge && isFresh { continue }
                try merge.take(staying, from: id)
            } catch StorageError.missing {
                // Another prune has merged it.
                continue
            } catch  where isDamage(error) {
                damaged(object.name, error)
            }
        }
        try merge.finish()
        return merge.bytesWritten
    }

    private struct Merge {
        let keeper: IndexKeeper
        private var packs: [IndexObject.Pack] = []
        private var seen: Set<ObjectID> = []
        private var byteCount = 0
        private var sources: [ObjectID] = []
        private(set) var bytesWritten = 0

        init(keeper: IndexKeeper) { self.keeper = keeper }

        mutating func take(_ more: [IndexObject.Pack], from source: ObjectID) throws {
            let moreBytes = more.reduce(0) { $0 + $1.directory.count }
            if byteCount > 0, byteCount + moreBytes > 2 * IndexKeeper.mergedBytes { try finish() }
            sources.append(source)
            for pack in more where seen.insert(pack.id).inserted {
                packs.append(pack)
                byteCount += pack.directory.count
            }
            if byteCount >= IndexKeeper.mergedBytes { try finish() }
        }

        mutating func finish() throws {
            if !packs.isEmpty {
                bytesWritten += try keeper.put(IndexObject(packs: packs)).byteCount
            }
            for source in sources {
                try keeper.context.store.remove(.index(keeper.context.domain, source))
            }
            (packs, byteCount, sources) = ([], 0, [])
        }
    }
}
