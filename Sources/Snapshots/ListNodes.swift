import PackStore
import WireFormat
import Workers

/// Goes through the lists of many snapshots, every node once: those of one night are mostly those of the
/// night before.
package struct ListNodes {
    private let reader: ChunkReader
    private var seen: Set<ChunkID> = []

    /// - Parameter reader: of chunks of class list.
    package init(_ reader: ChunkReader) { self.reader = reader }

    /// - Parameters:
    ///   - what: for errors, such as `the list of snapshot 3f9c02ab`.
    ///   - visit: told of every node, and of every chunk that a node lists; of chunks more than once.
    package mutating func walk(
        _ stream: Manifest.Stream, what: String, _ visit: (ChunkID) -> Void
    ) throws {
        switch stream.list {
        case .content: return
        case .inline(let entries): Self.visitAll(entries, visit)
        case .root(let id): try descend(id, level: nil, what, visit)
        }
    }

    private mutating func descend(
        _ id: ChunkID, level: Int?, _ what: String, _ visit: (ChunkID) -> Void
    ) throws {
        guard seen.insert(id).inserted else { return }
        visit(id)
        let node = try ListNode(try reader.chunk(id).withBytes { Array($0) }, what: what)
        switch node {
        case .leaf(let entries): Self.visitAll(entries, visit)
        case .interior(let own, let children):
            // Levels fall, so that this ends whatever a node says.
            guard level.map({ $0 == own }) ?? true else {
                throw WireError.malformed("\(what) is malformed: a node has the wrong level")
            }
            for child in children { try descend(child.id, level: own - 1, what, visit) }
        }
    }

    private static func visitAll(_ entries: [ListEntry], _ visit: (ChunkID) -> Void) {
        for case .chunk(let id, _) in entries { visit(id) }
    }
}
