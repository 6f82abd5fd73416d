import Snapshots
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
        while let own = try here.next(), let other = try there.next() {
            switch (own, other) {
            case (.chunk(let id, let count), .chunk(let name, let same)) where count == same:
                names[id] = name
            case (.zeros(let count), .zeros(let same)) where count == same: continue
            case (.again(let times), .again(let same)) where times == same: continue
            default: return
            }
        }
    }
}
