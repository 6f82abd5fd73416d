/// A node of the tree that gives a stream's content in order (docs/format.md, section 10).
package enum ListNode: Equatable, Sendable {
    case leaf([ListEntry])
    case interior(level: Int, [Child])

    package struct Child: Equatable, Sendable {
        /// Bytes of stream below it.
        package let total: Int
        package let id: ChunkID

        package init(total: Int, id: ChunkID) {
            self.total = total
            self.id = id
        }
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Limits.nodeBytes)
        switch self {
        case .leaf(let entries):
            writer.u8(0)
            for entry in entries { entry.write(to: &writer) }
        case .interior(let level, let children):
            writer.u8(UInt8(level))
            for child in children {
                writer.varint(child.total)
                writer.chunkID(child.id)
            }
        }
        return writer.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        var reader = ByteReader(bytes, what: what)
        guard bytes.count <= Limits.nodeBytes else { throw reader.malformed("it is too long") }
        let level = Int(try reader.u8())
        if level == 0 {
            var entries: [ListEntry] = []
            while !reader.isAtEnd { entries.append(try ListEntry(&reader, after: entries.last)) }
            self = .leaf(entries)
        } else {
            guard level <= Limits.nodeLevel else { throw reader.malformed("its level is \(level)") }
            var children: [Child] = []
            while !reader.isAtEnd {
                let total = try reader.count(atMost: 1 << 62)
                // Nodes without a byte below them could make a walk that never ends out of a few
                // kilobytes.
                guard total >= 1 else { throw reader.malformed("a node below it is empty") }
                children.append(Child(total: total, id: try reader.chunkID()))
            }
            guard !children.isEmpty else { throw reader.malformed("it has no children") }
            self = .interior(level: level, children)
        }
    }

    /// Bytes of stream below the node, refusing sums that no stream can have.
    package func total(what: String) throws(WireError) -> Int {
        var sum = 0
        var last = 0
        func add(_ count: Int) -> Bool {
            let (result, overflow) = sum.addingReportingOverflow(count)
            sum = result
            return !overflow && result <= 1 << 62
        }
        switch self {
        case .leaf(let entries):
            for entry in entries {
                let count: Int
                switch entry {
                case .chunk(_, let length):
                    count = length
                    last = length
                case .zeros(let length): count = length
                case .again(let times):
                    let (product, overflow) = last.multipliedReportingOverflow(by: times)
                    guard !overflow else {
                        throw .malformed("\(what) is malformed: its lengths overflow")
                    }
                    count = product
                }
                guard add(count) else {
                    throw .malformed("\(what) is malformed: its lengths overflow")
                }
            }
        case .interior(_, let children):
            for child in children where !add(child.total) {
                throw .malformed("\(what) is malformed: its lengths overflow")
            }
        }
        return sum
    }
}

/// What stands next in a stream.
package enum ListEntry: Equatable, Sendable {
    case chunk(ChunkID, byteCount: Int)
    /// So many zero bytes.
    case zeros(Int)
    /// The chunk before, so many more times.
    case again(Int)

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .chunk(let id, let byteCount):
            writer.varint(byteCount << 2)
            writer.chunkID(id)
        case .zeros(let byteCount): writer.varint(byteCount << 2 | 1)
        case .again(let times): writer.varint(times << 2 | 2)
        }
    }

    package init(_ reader: inout ByteReader, after last: ListEntry?) throws(WireError) {
        let value = try reader.varint()
        guard let count = Int(exactly: value >> 2), count >= 1, count <= 1 << 60 else {
            throw reader.malformed("an entry is empty or too long")
        }
        switch value & 3 {
        case 0:
            guard count <= Limits.chunkBytes else { throw reader.malformed("a chunk is too long") }
            self = .chunk(try reader.chunkID(), byteCount: count)
        case 1: self = .zeros(count)
        case 2:
            guard case .chunk = last else { throw reader.malformed("it repeats what is no chunk") }
            self = .again(count)
        default: throw .unknown("\(reader.what) holds an entry this program does not know")
        }
    }
}
