import WireFormat

/// What a list has in some bytes of its stream: a chunk, or zeros.
package struct ListPiece: Equatable, Sendable {
    /// Nil for zeros.
    package let id: ChunkID?
    /// Of a chunk the whole of it; of zeros, where a range was asked for, what lies in that.
    package let range: Range<Int>
    /// Whether zeros stand for what cannot be told: a node of the list is damaged.
    package var isLost = false
}

/// Goes through the list of a stream by places: forward from one to the next, or to any place by one
/// path of nodes.
package struct ListCursor {
    private var list: ListReader
    /// The chunk or the zeros that was read last, and how often the chunk comes again behind it.
    private var current: (id: ChunkID?, range: Range<Int>)?
    private var isLost = false
    private var again = 0
    /// Where the next entry of the list begins.
    private var end = 0
    /// An entry that was read to see whether it is a repeat.
    private var ahead: (entry: ListEntry, isLost: Bool)?

    /// What is no further ahead is read up to, rather than entered anew.
    private static let aheadBytes = 4 << 20

    package init(_ list: ListReader) { self.list = list }

    /// What stands at a place, whole; nil where the list ends before it.
    package mutating func piece(at position: Int) throws -> ListPiece? {
        try go(to: position)
        guard let (id, range) = current, range.contains(position) else { return nil }
        return ListPiece(id: id, range: range, isLost: isLost)
    }

    /// Calls `body` with everything that lies in a range of the stream, in order.
    /// - Parameter body: false ends it.
    /// - Returns: whether the whole range was gone through.
    package mutating func pieces(
        in range: Range<Int>, _ body: (ListPiece) throws -> Bool
    ) throws -> Bool {
        try go(to: range.lowerBound)
        while let (id, whole) = current, whole.lowerBound < range.upperBound {
            let part = id == nil ? whole.clamped(to: range) : whole
            guard try body(ListPiece(id: id, range: part, isLost: isLost)) else { return false }
            // What reaches beyond the range is what the next one begins with.
            guard whole.upperBound <= range.upperBound else { return true }
            try advance()
        }
        return range.isEmpty || (current?.range.lowerBound ?? end) >= range.upperBound
    }

    /// Makes the piece that holds a place the current one.
    private mutating func go(to position: Int) throws {
        let start = current?.range.lowerBound ?? end
        if position < start || position > end + Self.aheadBytes {
            (current, again, ahead) = (nil, 0, nil)
            end = try list.seek(to: position)
            try advance()
        } else if current == nil {
            try advance()
        }
        while let (_, range) = current, range.upperBound <= position {
            let skipped = min(again, (position - range.upperBound) / range.count)
            again -= skipped
            let start = range.upperBound + skipped * range.count
            if skipped > 0 { current?.range = (start - range.count)..<start }
            try advance()
        }
    }

    private mutating func advance() throws {
        if again > 0, let (id, range) = current {
            again -= 1
            current = (id, range.upperBound..<(range.upperBound + range.count))
            return
        }
        guard let (entry, isLost) = try ahead ?? read() else {
            current = nil
            return
        }
        ahead = nil
        self.isLost = isLost
        switch entry {
        case .zeros(let count):
            current = (nil, end..<(end + count))
            end += count
        case .chunk(let id, let count):
            current = (id, end..<(end + count))
            end += count
            ahead = try read()
            if case .again(let times)? = ahead?.entry {
                ahead = nil
                again = times
                end += times * count
            }
        case .again: throw WireError.malformed("a list is malformed: it repeats nothing")
        }
    }

    private mutating func read() throws -> (entry: ListEntry, isLost: Bool)? {
        try list.next().map { ($0, list.isLost) }
    }
}
