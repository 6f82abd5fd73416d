import Faults
import PackStore
import WireFormat
import Workers

/// Walks the list of a stream in order, one node of each level in memory (docs/format.md, section
/// 10).
package struct ListReader {
    private let reader: ChunkReader
    private let what: String
    private let list: Manifest.List
    private let byteCount: Int
    /// Interior nodes on the way down: children left to visit, last first.
    private var path: [(level: Int, children: [ListNode.Child])] = []
    private var entries: ArraySlice<ListEntry> = []
    /// Told of every node read.
    package var onNode: ((ChunkID) -> Void)?
    /// Whether zeros stand for what a node covers that cannot be read.
    private let skipsDamage: Bool
    /// Why the entries being given out are such zeros; nil where they are none.
    package private(set) var failure: (any Error)?
    package var isLost: Bool { failure != nil }
    /// The node that holds the entries being given out, if it is one of its own.
    package private(set) var lastLeaf: (id: ChunkID, byteCount: Int)?

    /// - Parameters:
    ///   - stream: whose list is walked.
    ///   - reader: of chunks of class list.
    ///   - what: for errors, such as `the list of snapshot 3f9c02ab`.
    ///   - skipsDamage: whether zeros stand for what a node covers that cannot be read, and `failure` says so.
    package init(
        _ stream: Manifest.Stream, _ reader: ChunkReader, what: String,
        onNode: ((ChunkID) -> Void)? = nil, skipsDamage: Bool = false
    ) throws {
        self.reader = reader
        self.skipsDamage = skipsDamage
        self.what = what
        self.onNode = onNode
        list = stream.list
        byteCount = stream.byteCount
        try begin()
    }

    private mutating func begin() throws {
        switch list {
        case .inline(let entries):
            self.entries = entries[...]
            try check(try ListNode.leaf(entries).total(what: what), byteCount)
        case .root(let id): try descend(id, level: nil, total: byteCount)
        case .content: throw malformed("there is none: the manifest holds the content")
        }
    }

    /// Goes to the entry that holds a byte of the stream, or behind the last. Reads one path of nodes.
    /// - Returns: where the entry that comes next begins; a repeat comes after its chunk.
    package mutating func seek(to position: Int) throws -> Int {
        path = []
        entries = []
        lastLeaf = nil
        failure = nil
        try begin()
        var start = 0
        while entries.isEmpty, let top = path.last {
            guard let child = top.children.last else {
                path.removeLast()
                continue
            }
            path[path.count - 1].children.removeLast()
            if start + child.total <= position {
                start += child.total
            } else {
                try descend(child.id, level: top.level - 1, total: child.total)
            }
        }
        while let (count, total) = firstTotal, start + total <= position {
            entries.removeFirst(count)
            start += total
        }
        return start
    }

    /// The next entry, with its repeat where one follows: how many entries and bytes.
    private var firstTotal: (count: Int, bytes: Int)? {
        guard let first = entries.first else { return nil }
        guard case .chunk(_, let byteCount) = first else {
            if case .zeros(let byteCount) = first { return (1, byteCount) }
            return nil
        }
        if case .again(let times)? = entries.dropFirst().first {
            return (2, (1 + times) * byteCount)
        }
        return (1, byteCount)
    }

    /// What comes next; a repeat stands for itself.
    package mutating func next() throws -> ListEntry? {
        while true {
            if let entry = entries.popFirst() { return entry }
            guard let top = path.last else { return nil }
            guard let child = top.children.last else {
                path.removeLast()
                continue
            }
            path[path.count - 1].children.removeLast()
            try descend(child.id, level: top.level - 1, total: child.total)
        }
    }

    private mutating func descend(_ id: ChunkID, level: Int?, total: Int) throws {
        onNode?(id)
        failure = nil
        do {
            try enter(id, level: level, total: total)
        } catch  where skipsDamage && isDamage(error) {
            failure = error
            entries = [.zeros(total)]
        }
    }

    private mutating func enter(_ id: ChunkID, level: Int?, total: Int) throws {
        let node = try ListNode(try reader.chunk(id).withBytes { Array($0) }, what: what)
        try check(try node.total(what: what), total)
        switch node {
        case .leaf(let entries):
            guard level == nil || level == 0 else { throw malformed("a node has the wrong level") }
            self.entries = entries[...]
            lastLeaf = (id, total)
        case .interior(let own, let children):
            guard level == nil || level == own else {
                throw malformed("a node has the wrong level")
            }
            path.append((own, children.reversed()))
        }
    }

    private func check(_ total: Int, _ wanted: Int) throws {
        guard total == wanted else {
            throw malformed("it covers \(total) bytes instead of \(wanted)")
        }
    }

    private func malformed(_ rule: String) -> WireError {
        .malformed("\(what) is malformed: \(rule)")
    }
}
