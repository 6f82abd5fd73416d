import Faults
import PackStore
import Snapshots
import Vault
import WireFormat

/// The names that chunks of data have in the other repository, as far as they are known. Some 70 bytes of
/// memory a chunk.
struct ChunkNames {
    private var names: [ChunkID: ChunkID] = [:]

    subscript(_ id: ChunkID) -> ChunkID? { names[id] }

    mutating func learn(_ here: [ChunkID], _ there: [ChunkID]) {
        for (here, there) in zip(here, there) { names[here] = there }
    }

    /// Learns from the lists of a snapshot and its copy, which are the same but for the names.
    mutating func learn(_ here: ListReader, _ there: ListReader) throws {
        var (here, there) = (here, there)
        while let (own, other) = try Self.next(&here, &there) {
            switch (own, other) {
            case (.chunk(let id, let count), .chunk(let name, let same)) where count == same:
                names[id] = name
            case (.zeros(let count), .zeros(let same)) where count == same: continue
            case (.again(let times), .again(let same)) where times == same: continue
            default: return
            }
        }
    }

    private static func next(
        _ here: inout ListReader, _ there: inout ListReader
    ) throws -> (ListEntry, ListEntry)? {
        guard let own = try here.next(), let other = try there.next() else { return nil }
        return (own, other)
    }
}

/// A snapshot of the same series that was copied before.
struct CopiedBefore {
    private let source: SnapshotReader
    private let copy: Snapshot
    private let manifest: Manifest?
    private let lists: ChunkReader?
    let snapshot: Snapshot

    init(
        _ pair: (source: Snapshot, copy: Snapshot), source: SnapshotReader, _ target: CopyTarget,
        _ store: ChunkStore
    ) {
        snapshot = pair.source
        copy = pair.copy
        self.source = source
        manifest = try? SnapshotStore(target.context).manifest(copy.id, expecting: copy.head)
        lists = try? store.listReader()
    }

    /// The list of the copy's stream; nil where there is none that can be read here.
    func list(_ role: Manifest.Role) -> ListReader? {
        guard let stream = manifest?.stream(role), let lists else { return nil }
        return try? ListReader(stream, lists, what: "the list of snapshot \(copy.id.short)")
    }

    /// The names of its chunks there.
    func teach(_ names: inout ChunkNames) {
        // What cannot be read is found out by reading the data.
        guard let stream = source.manifest.stream(.data), let there = list(.data),
            let here = try? source.list(stream)
        else { return }
        try? names.learn(here, there)
    }
}
