import PackStore
import WireFormat
import Workers

/// Goes through the lists of many snapshots, every node once: those of one night are mostly those of the
/// night before.
package struct ListNodes {
    private let reader: ChunkReader
    private let visit: (ChunkID, ContentClass) throws -> Void
    private var seen: Set<ChunkID> = []

    /// - Parameters:
    ///   - reader: of chunks of class list.
    ///   - visit: told of every node, and of every chunk that a node lists; of chunks more than once.
    package init(
        _ reader: ChunkReader, visit: @escaping (ChunkID, ContentClass) throws -> Void
    ) {
        self.reader = reader
        self.visit = visit
    }

    /// - Parameter what: for errors, such as `the list of snapshot 3f9c02ab`.
    package mutating func walk(_ stream: Manifest.Stream, what: String) throws {
        switch stream.list {
        case .content: return
        case .inline(let entries): try visitAll(entries, stream.contentClass)
        case .root(let id): try descend(id, level: nil, stream.contentClass, what)
        }
    }

    private mutating func descend(
        _ id: ChunkID, level: Int?, _ contentClass: ContentClass, _ what: String
    ) throws {
        guard seen.insert(id).inserted else { return }
        try visit(id, .list)
        let node = try ListNode(try reader.chunk(id).withBytes { Array($0) }, what: what)
        switch node {
        case .leaf(let entries): try visitAll(entries, contentClass)
        case .interior(let own, let children):
            // Levels fall, so that this ends whatever a node says.
            guard level.map({ $0 == own }) ?? true else {
                throw WireError.malformed("\(what) is malformed: a node has the wrong level")
            }
            for child in children {
                try descend(child.id, level: own - 1, contentClass, what)
            }
        }
    }

    private func visitAll(_ entries: [ListEntry], _ contentClass: ContentClass) throws {
        for case .chunk(let id, _) in entries { try visit(id, contentClass) }
    }
}
