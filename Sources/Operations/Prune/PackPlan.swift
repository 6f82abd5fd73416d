import ChunkIndex
import ObjectStorage
import PackStore
import WireFormat

/// What is done with the packs of a domain.
struct PackPlan {
    /// Packs in which nothing is live.
    private(set) var dead: [ObjectID] = []
    /// Packs with too much that is dead, the worst first, and their live segments.
    private(set) var wasteful: [(pack: ObjectID, segments: [Int])] = []
    private(set) var figures = Figures()
    /// Sealed bytes that are not live, of each pack that has any.
    private(set) var deadBytes: [ObjectID: Int] = [:]

    struct Figures {
        /// Of all packs.
        var bytes = 0
        /// Sealed bytes that are live, and that are not.
        var liveBytes = 0
        var deadBytes = 0
        /// Of packs in which nothing is live and that are too young to be chosen.
        var youngBytes = 0
        /// Bytes of dead packs, and of those that are rewritten.
        var removableBytes = 0
        /// What rewriting writes.
        var rewrittenBytes = 0
    }

    /// - Parameters:
    ///   - listed: the packs that are there.
    ///   - condemned: packs that go already.
    ///   - youngest: by the store's clock; a pack that is younger may be part of an upload under way.
    ///   - unusedMax: such a part of a pack may be dead.
    ///   - repackMax: so many bytes may be written anew.
    init(
        _ live: LiveData, _ listed: [StoredObject], condemned: Set<ObjectID>, youngest: Int64,
        unusedMax: Double, repackMax: Int
    ) {
        var candidates: [(pack: ObjectID, segments: [Int], unused: Double, live: Int, bytes: Int)] =
            []
        for object in listed {
            guard let id = object.name.id, let outline = live.table.outline(of: id)
            else { continue }
            let needed = live.table.neededSegments(of: id)
            let (sealed, used) = (outline.sealedBytes, outline.sealedBytes(of: needed))
            figures.bytes += object.byteCount
            figures.liveBytes += used
            figures.deadBytes += sealed - used
            if used < sealed { deadBytes[id] = sealed - used }
            guard !condemned.contains(id) else { continue }
            guard object.modified <= youngest else {
                if needed.isEmpty { figures.youngBytes += object.byteCount }
                continue
            }
            if needed.isEmpty {
                dead.append(id)
                figures.removableBytes += object.byteCount
                continue
            }
            let unused = Double(sealed - used) / Double(max(1, sealed))
            if unused > unusedMax {
                candidates.append((id, needed, unused, used, object.byteCount))
            }
        }
        candidates.sort { ($0.unused, $1.pack) > ($1.unused, $0.pack) }
        for candidate in candidates
        where figures.rewrittenBytes + candidate.live <= repackMax {
            wasteful.append((candidate.pack, candidate.segments))
            figures.removableBytes += candidate.bytes
            figures.rewrittenBytes += candidate.live
        }
    }
}
