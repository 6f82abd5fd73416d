import WireFormat

/// The entries of several runs, and new ones, in one order, as they are asked for: 64 KiB a run at
/// a time.
///
/// Entries that are out of order, fail their check or name a pack that is not there are left out,
/// and the run is noted as damaged.
struct MergedEntries {
    /// The rows that the pack numbers of the entries count.
    let rows: [PackRow]
    /// The outlines of the rows' packs, each once, in the order of the rows.
    let outlines: [NumberedOutline]
    private var sources: [EntrySource]

    init(_ new: NewEntries?, _ runs: some Collection<Run>) {
        let joined = JoinedPackRows((new.map { [$0.rows] } ?? []) + runs.map(\.packRows))
        rows = joined.rows
        var outlines: [Int: OutlineBytes] = [:]
        for (old, numbers) in zip(
            (new.map { [$0.outlines] } ?? []) + runs.map(\.outlines), joined.numbers)
        {
            for (number, bytes) in old { outlines[Int(numbers[number])] = bytes }
        }
        self.outlines = outlines.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        sources = []
        if let new { sources.append(EntrySource(new.entries, joined.numbers[0])) }
        for (run, numbers) in zip(runs, joined.numbers.suffix(runs.count)) {
            sources.append(EntrySource(run, numbers))
        }
    }

    /// The least entry not yet returned; the same entry in several runs comes several times.
    mutating func next() -> Entry? {
        // A handful of sources, mostly: a look at each beats a heap.
        var least: Entry?
        var from = 0
        for number in sources.indices {
            guard let head = sources[number].head else { continue }
            if let entry = least, entry <= head { continue }
            least = head
            from = number
        }
        if least != nil { sources[from].advance() }
        return least
    }

    /// The runs that were found damaged; complete once `next` has returned nil.
    var damaged: [Run] { sources.compactMap { $0.isDamaged ? $0.run : nil } }
}

/// A run, or new entries, read from the front.
private struct EntrySource {
    private(set) var head: Entry?
    private(set) var isDamaged = false
    let run: Run?
    private let numbers: [UInt32]
    private var batch: [Entry] = []
    private var position = 0
    private var entriesRead = 0
    private var checksum = WordChecksum()
    private var buffer: [UInt8] = []

    // A multiple of four, for the checksum: 4 x 30 is one of eight.
    private static let batchMax = 2048

    init(_ entries: [Entry], _ numbers: [UInt32]) {
        run = nil
        batch = entries
        self.numbers = numbers
        advance()
    }

    init(_ run: Run, _ numbers: [UInt32]) {
        self.run = run
        self.numbers = numbers
        buffer = [UInt8](repeating: 0, count: Self.batchMax * Entry.byteCount)
        batch.reserveCapacity(Self.batchMax)
        advance()
    }

    @inline(__always)
    mutating func advance() {
        while position < batch.count || readBatch() {
            let entry = batch[position]
            position += 1
            guard entry.packNumber < numbers.count else {
                isDamaged = true
                continue
            }
            let next = entry.renumbered(Int(numbers[entry.packNumber]))
            if let head, next < head {
                isDamaged = true
                continue
            }
            head = next
            return
        }
        head = nil
    }

    /// False at the end, or where the run cannot be read further.
    @inline(never)
    private mutating func readBatch() -> Bool {
        guard let run, entriesRead < run.header.entryCount else { return false }
        while entriesRead < run.header.entryCount {
            let range = entriesRead..<min(entriesRead + Self.batchMax, run.header.entryCount)
            batch.removeAll(keepingCapacity: true)
            position = 0
            let isRead = buffer.withUnsafeMutableBytes { bytes in
                guard run.readEntries(range, into: bytes) else { return false }
                let filled = UnsafeRawBufferPointer(
                    rebasing: bytes[..<(range.count * Entry.byteCount)])
                checksum.add(filled)
                // `filled` holds range.count entries.
                guard let base = filled.baseAddress else { return false }
                for number in range.indices {
                    let at = base + (number - range.lowerBound) * Entry.byteCount
                    if let entry = Entry(at: at) { batch.append(entry) } else { isDamaged = true }
                }
                return true
            }
            entriesRead = isRead ? range.upperBound : run.header.entryCount
            if !isRead
                || (entriesRead == run.header.entryCount
                    && checksum.value != run.header.entriesChecksum)
            {
                isDamaged = true
            }
            if !batch.isEmpty { return true }
        }
        return false
    }
}
