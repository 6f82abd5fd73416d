import Sealing
import WireFormat

/// Builds the list of a stream while it is written (docs/format.md, sections 10 and 14): a tree
/// whose nodes end where the ids of their entries say, so that equal runs of entries give equal
/// nodes.
package struct ListBuilder: ~Copyable {
    private let namer: ChunkNamer
    private var leaf: [ListEntry] = []
    /// Children gathered for each level from 1 up.
    private var levels: [[ListNode.Child]] = []
    /// Whether everything so far may stand in the manifest.
    private var isShort = true

    private static let nodeEntriesMin = 256
    private static let nodeEntriesMax = 1900

    /// - Parameter namer: of class list.
    package init(namer: consuming ChunkNamer) { self.namer = namer }

    /// - Parameter store: stores a node under its id.
    package mutating func append(_ entry: ListEntry, store: (ChunkID, [UInt8]) throws -> Void)
        throws
    {
        switch (leaf.last, entry) {
        case (.chunk(let last, _), .chunk(let id, _)) where last == id:
            leaf.append(.again(1))
        case (.again(let times), .chunk(let id, _)) where chunkBefore == id:
            leaf[leaf.count - 1] = .again(times + 1)
        case (.zeros(let before), .zeros(let more)):
            leaf[leaf.count - 1] = .zeros(before + more)
        default:
            if endsHere(leaf.count, chunkBefore) { try endLeaf(store) }
            leaf.append(entry)
        }
        if leaf.count > Limits.inlineListEntries { isShort = false }
    }

    /// The chunk that the last entry is, or repeats.
    private var chunkBefore: ChunkID? {
        switch leaf.last {
        case .chunk(let id, _): id
        case .again:
            if case .chunk(let id, _) = leaf[leaf.count - 2] { id } else { nil }
        default: nil
        }
    }

    /// Whether a node of so many entries, of which the last is this chunk, is complete.
    private func endsHere(_ count: Int, _ last: ChunkID?) -> Bool {
        // A chunk and its repeat are never parted: room for one more is always left.
        if count >= Self.nodeEntriesMax - 1 { return true }
        guard count >= Self.nodeEntriesMin, let last else { return false }
        return UInt16(truncatingIfNeeded: last.words.2 >> 48) % 1024 == 0
    }

    private mutating func endLeaf(_ store: (ChunkID, [UInt8]) throws -> Void) throws {
        isShort = false
        let node = ListNode.leaf(leaf)
        leaf.removeAll(keepingCapacity: true)
        try add(node, level: 1, store)
    }

    /// Stores a node and notes it in the level above.
    private mutating func add(
        _ node: ListNode, level: Int, _ store: (ChunkID, [UInt8]) throws -> Void
    ) throws {
        let child = ListNode.Child(total: try node.total(what: "a list"), id: try put(node, store))
        guard level <= Limits.nodeLevel else {
            throw WireError.malformed("the stream is too long for a list")
        }
        if levels.count < level { levels.append([]) }
        if endsHere(levels[level - 1].count, levels[level - 1].last?.id) { try end(level, store) }
        levels[level - 1].append(child)
    }

    private mutating func end(_ level: Int, _ store: (ChunkID, [UInt8]) throws -> Void) throws {
        let node = ListNode.interior(level: level, levels[level - 1])
        levels[level - 1] = []
        try add(node, level: level + 1, store)
    }

    private func put(_ node: ListNode, _ store: (ChunkID, [UInt8]) throws -> Void) throws -> ChunkID
    {
        let bytes = node.bytes
        let id = namer.name(bytes)
        try store(id, bytes)
        return id
    }

    /// The finished list: its entries where they are few, else the root of the tree.
    package consuming func finish(store: (ChunkID, [UInt8]) throws -> Void) throws -> Manifest.List
    {
        if isShort { return .inline(leaf) }
        if levels.isEmpty { return .root(try put(.leaf(leaf), store)) }
        if !leaf.isEmpty { try endLeaf(store) }
        var level = 1
        while level < levels.count || levels[level - 1].count > 1 {
            if !levels[level - 1].isEmpty { try end(level, store) }
            level += 1
        }
        return .root(levels[level - 1][0].id)
    }
}

extension ChunkNamer {
    /// The id of a chunk.
    package func name(_ plaintext: [UInt8]) -> ChunkID {
        plaintext.withUnsafeBytes { name($0) }
    }

    package func name(_ plaintext: UnsafeRawBufferPointer) -> ChunkID {
        let name = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            self.name(plaintext, into: buffer.baseAddress!)
            count = 32
        }
        return ChunkID(Array(name[..<ChunkID.byteCount]))
    }
}
