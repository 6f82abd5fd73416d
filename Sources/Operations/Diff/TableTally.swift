import WireFormat

/// The tables of a dump by their names, and how many bytes of some ranges lie in each.
package struct TableTally {
    package struct Name: Hashable {
        package let space: String
        package let name: String
    }

    package struct Table {
        package let name: Name
        package fileprivate(set) var ranges: [Range<Int>]
        /// Bytes of chunks that only this dump has.
        package fileprivate(set) var chunkBytes = 0

        package var byteCount: Int { ranges.reduce(0) { $0 + $1.count } }
    }

    /// In the order of the dump.
    package private(set) var tables: [Table] = []
    private(set) var numbers: [Name: Int] = [:]
    /// Bytes of such chunks that lie in no table.
    package private(set) var outsideBytes = 0
    /// What belongs to which table, in the order of the stream, without overlap.
    private var ranges: [(range: Range<Int>, table: Int)] = []
    /// The first range that the next one counted may reach.
    private var next = 0

    /// - Parameter byteCount: of the stream.
    package init(_ entries: [TableEntry], byteCount: Int) {
        for entry in entries {
            let name = Name(space: entry.space, name: entry.name)
            if let number = numbers[name] {
                tables[number].ranges += entry.ranges
            } else {
                numbers[name] = tables.count
                tables.append(Table(name: name, ranges: entry.ranges))
            }
        }
        let sorted = tables.indices.flatMap { number in
            tables[number].ranges.map { (range: $0, table: number) }
        }.sorted { ($0.range.lowerBound, $0.table) < ($1.range.lowerBound, $1.table) }
        for number in tables.indices { tables[number].ranges = [] }
        // Whatever was stored: no byte belongs to two tables, and none lies behind the end.
        var end = 0
        for (range, table) in sorted {
            let own = range.clamped(to: end..<max(end, byteCount))
            guard !own.isEmpty else { continue }
            ranges.append((own, table))
            tables[table].ranges.append(own)
            end = own.upperBound
        }
    }

    /// Counts a range of the stream; ranges come in the order of the stream.
    package mutating func add(_ range: Range<Int>) {
        while next < ranges.count, ranges[next].range.upperBound <= range.lowerBound { next += 1 }
        var outside = range.count
        for (own, table) in ranges[next...].prefix(while: {
            $0.range.lowerBound < range.upperBound
        }) {
            let count = own.clamped(to: range).count
            tables[table].chunkBytes += count
            outside -= count
        }
        outsideBytes += outside
    }
}
