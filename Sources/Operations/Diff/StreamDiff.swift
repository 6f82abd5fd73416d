import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// What differs between two streams: bytes of chunks that only one of them has, by table where both
/// are dumps.
///
/// The unit is the chunk: a row that changed shows as the chunk or two around it, or as more where
/// rows have all one length and the cuts behind it fall differently. A table counts as changed only
/// if its own bytes differ, which is looked at where a chunk reaches over its edge.
/// Memory is some 60 bytes a chunk of the shorter stream: 60 MB for 16 GB.
struct StreamDiff {
    private let first: SnapshotReader
    private let second: SnapshotReader
    private var tallies: (first: TableTally, second: TableTally)
    private let hasTables: Bool
    private var bytes = (common: 0, new: 0, gone: 0)

    /// Two snapshots of one domain.
    init(_ first: SnapshotReader, _ second: SnapshotReader) throws {
        self.first = first
        self.second = second
        let tables = (try Self.tables(first), try Self.tables(second))
        hasTables = !tables.0.isEmpty || !tables.1.isEmpty
        tallies = (
            TableTally(tables.0, byteCount: try first.stream(.data).byteCount),
            TableTally(tables.1, byteCount: try second.stream(.data).byteCount)
        )
    }

    /// Where tables stand in a compressed stream, nobody can say.
    private static func tables(_ reader: SnapshotReader) throws -> [TableEntry] {
        reader.manifest.facts?.innerFormat == nil ? try reader.tables() : []
    }

    consuming func run(_ body: (Difference) throws -> Void) throws -> DiffOutcome {
        var run = self
        try run.compareChunks()
        var outcome = DiffOutcome()
        outcome.unit = run.hasTables ? .tables : .nothing
        outcome.streamBytes = run.bytes
        if run.hasTables { try run.compareTables(&outcome, body) }
        return outcome
    }

    // MARK: chunks

    /// Holds the chunks of the shorter stream in memory, and walks the other's.
    private mutating func compareChunks() throws {
        let (one, other) = (try first.stream(.data), try second.stream(.data))
        let isFirstShort = one.byteCount <= other.byteCount
        let (short, long) = isFirstShort ? (first, second) : (second, first)
        /// Whether the other has it.
        var shared: [ChunkID: Bool] = [:]
        var zeros = (short: 0, long: 0)
        try walk(short) { range, id in
            if let id { shared[id] = false } else { zeros.short += range.count }
        }
        func count(_ range: Range<Int>, isOfFirst: Bool, isCommon: Bool) {
            switch (isCommon, isOfFirst) {
            case (true, true): return
            case (true, false): bytes.common += range.count
            case (false, true):
                bytes.gone += range.count
                tallies.first.add(range)
            case (false, false):
                bytes.new += range.count
                tallies.second.add(range)
            }
        }
        try walk(long) { range, id in
            guard let id else {
                zeros.long += range.count
                return
            }
            let isCommon = shared[id] != nil
            if isCommon { shared[id] = true }
            count(range, isOfFirst: !isFirstShort, isCommon: isCommon)
        }
        try walk(short) { range, id in
            guard let id else { return }
            count(range, isOfFirst: isFirstShort, isCommon: shared[id] == true)
        }
        // Zeros are no chunks: as many as both have are common.
        let (before, after) =
            isFirstShort ? (zeros.short, zeros.long) : (zeros.long, zeros.short)
        bytes.common += min(before, after)
        bytes.new += max(0, after - before)
        bytes.gone += max(0, before - after)
    }

    /// Calls `body` with every entry of the list: where it stands, and its chunk; nil for zeros.
    private func walk(
        _ reader: SnapshotReader, _ body: (Range<Int>, ChunkID?) throws -> Void
    ) throws {
        let stream = try reader.stream(.data)
        var list = try reader.list(stream)
        var end = 0
        var last: (id: ChunkID, byteCount: Int)?
        var count = 0
        while let entry = try list.next() {
            let start = end
            switch entry {
            case .chunk(let id, let byteCount):
                last = (id, byteCount)
                end += byteCount
                try body(start..<end, id)
            case .zeros(let byteCount):
                end += byteCount
                try body(start..<end, nil)
            case .again(let times):
                guard let last else { continue }
                end += times * last.byteCount
                try body(start..<end, last.id)
            }
            count += 1
            guard count.isMultiple(of: 4096) else { continue }
            if let signal = reader.surroundings.stopRequested() {
                throw Interrupted(signal: signal)
            }
            reader.surroundings.progress(Progress(bytes: end, bytesTotal: stream.byteCount))
        }
    }

    // MARK: tables

    private func compareTables(
        _ outcome: inout DiffOutcome, _ body: (Difference) throws -> Void
    ) throws {
        let comparison = try ContentComparison(first, second)
        func tell(_ difference: Difference) throws {
            outcome.count(difference.change)
            try body(difference)
        }
        for table in tallies.second.tables {
            guard let number = tallies.first.numbers[table.name] else {
                try tell(
                    Difference(
                        subject: .table(table.name), change: .added, bytesAfter: table.byteCount,
                        chunkBytes: (table.chunkBytes, 0)))
                continue
            }
            let old = tallies.first.tables[number]
            guard try differ(old, table, comparison) else {
                outcome.unchanged += 1
                continue
            }
            try tell(
                Difference(
                    subject: .table(table.name), change: .content, bytesBefore: old.byteCount,
                    bytesAfter: table.byteCount, chunkBytes: (table.chunkBytes, old.chunkBytes)))
        }
        for table in tallies.first.tables where tallies.second.numbers[table.name] == nil {
            try tell(
                Difference(
                    subject: .table(table.name), change: .removed, bytesBefore: table.byteCount,
                    chunkBytes: (0, table.chunkBytes)))
        }
        let outside = (new: tallies.second.outsideBytes, gone: tallies.first.outsideBytes)
        if outside.new + outside.gone > 0 {
            try body(
                Difference(subject: .outsideTables, change: .content, chunkBytes: outside))
        }
    }

    /// Whether a table that both have is another. A key that opens no data takes the chunks' word.
    private func differ(
        _ old: TableTally.Table, _ new: TableTally.Table, _ comparison: ContentComparison
    ) throws -> Bool {
        guard old.byteCount == new.byteCount else { return true }
        guard old.chunkBytes + new.chunkBytes > 0 else { return false }
        guard first.context.keyring.opensData else { return true }
        return try !comparison.areEqual(PlacedContent(old.ranges), PlacedContent(new.ranges))
    }
}

extension Difference.Subject {
    fileprivate static func table(_ name: TableTally.Name) -> Self {
        .table(space: name.space, name: name.name)
    }
}
