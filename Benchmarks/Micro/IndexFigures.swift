import ChunkIndex
import Files
import PackStore
import TestSupport
import WireFormat

/// The local index of a million chunks, and what one add keeps in memory of those it claims.
enum IndexFigures {
    private static let count = 1_000_000
    private static let lookups = 100_000
    /// So many come at once: what one index object of a large add holds.
    private static let countAtOnce = 200_000

    static func take(_ figures: inout Figures) throws {
        let envelope = try NewEnvelope(.data, MadeKeys.context()).stored
        var made = MadeChunks(seed: Micro.seed)
        var groups: [[IndexedPack]] = []
        var ids: [ChunkID] = []
        while ids.count < count {
            var group: [IndexedPack] = []
            let end = min(count, ids.count + countAtOnce)
            while ids.count < end {
                let pack = made.pack(envelope, atMost: end - ids.count).places
                ids += pack.frames.joined()
                group.append(pack)
            }
            groups.append(group)
        }
        try onDisk(&figures, groups, ids)
        inMemory(&figures, ids)
    }

    private static func onDisk(
        _ figures: inout Figures, _ groups: [[IndexedPack]], _ ids: [ChunkID]
    ) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed: Micro.seed)
        var index = try directory.openIndex()
        try figures.calls("index: insert, 200,000 at once", count) {
            try directory.empty()
            index = try directory.openIndex()
            for group in groups {
                try index.insert(group, covering: [ObjectID(random.bytes(ObjectID.byteCount))])
            }
        }
        figures.add(
            "index: on disk", Double(try directory.byteCount()) / Double(count), "bytes an entry")
        try figures.calls("index: open", 1) { index = try directory.openIndex() }
        let wanted = (0..<lookups).map { _ in ids[random.number(0...(ids.count - 1))] }
        var found = 0
        figures.calls("index: find a chunk", lookups) {
            found = 0
            for id in wanted where index.place(of: id) != nil { found += 1 }
        }
        guard found == lookups else { throw Failed("the index lost chunks") }
        var other = MadeChunks(seed: Micro.seed + 1)
        let missing = (0..<lookups).map { _ in other.id() }
        figures.calls("index: miss a chunk", lookups) {
            for id in missing where index.place(of: id) != nil { found += 1 }
        }
        guard found == lookups else { throw Failed("the index knows what was never there") }
    }

    private static func inMemory(_ figures: inout Figures, _ ids: [ChunkID]) {
        var pending = PendingChunks()
        figures.calls("claimed chunks: insert", count) {
            pending.removeAll()
            for id in ids { _ = pending.insert(id) }
        }
        figures.add(
            "claimed chunks: in memory", Double(pending.byteCount) / Double(count), "bytes an entry"
        )
    }
}
