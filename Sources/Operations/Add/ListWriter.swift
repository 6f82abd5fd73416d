import PackStore
import Sealing
import Snapshots
import WireFormat
import Workers

/// Writes the list of a stream: nodes are stored against those that stood in their place in the
/// parent's.
///
/// A class, because the builder that it holds cannot be copied. Used by one thread.
final class ListWriter {
    private let store: ChunkStore
    private var builder: ListBuilder?
    /// Where the node being filled begins in the stream.
    private var nodeStart = 0
    /// Where the entries end in the stream.
    private var end = 0

    /// - Parameter namer: of class list.
    init(namer: consuming ChunkNamer, _ store: ChunkStore) {
        self.store = store
        builder = ListBuilder(namer: namer)
    }

    /// Adds an entry, no repeat.
    /// - Parameter parent: gives the nodes of the parent's list that stood in the place of a range.
    func append(_ entry: ListEntry, parent: (Range<Int>) -> [ChunkID]) throws {
        try builder!.append(entry) { id, node in try store(node, id, parent) }
        switch entry {
        case .chunk(_, let byteCount), .zeros(let byteCount): end += byteCount
        case .again: preconditionFailure("a repeat is listed chunk by chunk")
        }
    }

    /// The finished list. The writer is used up.
    func finish(parent: (Range<Int>) -> [ChunkID]) throws -> Manifest.List {
        guard let builder = builder.take() else {
            preconditionFailure("a list is finished once")
        }
        return try builder.finish { id, node in try store(node, id, parent) }
    }

    private func store(
        _ node: [UInt8], _ id: ChunkID, _ parent: (Range<Int>) -> [ChunkID]
    ) throws {
        let covered = nodeStart..<max(nodeStart + 1, end)
        let isLeaf = node.first == 0
        if isLeaf { nodeStart = end }
        guard try store.claim(id, byteCount: node.count, .list) else { return }
        let bytes = Slice(copying: node)
        let base = isLeaf ? parent(covered) : []
        guard !base.isEmpty else { return try store.add(id, bytes, .list) }
        let chunk = PackDirectory.Chunk(id: id, byteCount: node.count)
        try store.add([DeltaRun(chunks: [chunk], bytes: bytes, base: base)], .list)
    }
}
