import WireFormat

extension Run {
    /// Calls `body` with every place of the chunk, until it returns false.
    @inline(__always)
    func forEachPlace(of id: ChunkID, _ body: (ChunkPlace) -> Bool) {
        // `front` holds lineCount + 1 lines, as the file's length has confirmed, and `line` is less
        // than lineCount.
        let (line, fraction) = Line.position(of: id.words.0.byteSwapped, lines: header.lineCount)
        let at = front + (header.linesOffset + line * Line.byteCount)
        guard Line.mayHold(at, id.words.1.byteSwapped) else { return }
        // What lines say was not checked when the run was opened.
        let (lower, upper) = (Line.start(at), Line.start(at + Line.byteCount))
        guard lower < upper, upper <= header.entryCount else { return }
        if mapsEntries {
            var window = EntryWindow(lower..<upper, mapped: front + header.entriesOffset)
            search(&window, id, fraction, body)
        } else {
            withUnsafeTemporaryAllocation(byteCount: EntryWindow.byteCountMax, alignment: 8) {
                buffer in
                var window = EntryWindow(lower..<upper, buffer: buffer)
                search(&window, id, fraction, body)
            }
        }
    }

    @inline(__always)
    private func search(
        _ window: inout EntryWindow, _ id: ChunkID, _ fraction: UInt64, _ body: (ChunkPlace) -> Bool
    ) {
        guard var number = firstEntry(in: &window, of: id, fraction) else { return }
        while number < window.range.upperBound, let at = window.entry(number, of: self),
            Entry.words(at: at) == id.words
        {
            // The entry may be damaged: then this copy is not there.
            if let entry = Entry(at: at), entry.packNumber < header.packCount,
                let place = packRow(entry.packNumber).place(entry.frame), !body(place)
            {
                return
            }
            number += 1
        }
    }

    /// The first entry of the window's range that is not less than `id`, by going from where an
    /// evenly filled line would have it in growing steps; the range's end if there is none, nil
    /// where the file cannot be read.
    @inline(__always)
    private func firstEntry(in window: inout EntryWindow, of id: ChunkID, _ fraction: UInt64)
        -> Int?
    {
        // Entries before `low` are less than the id, those from `top` on are not. Every turn
        // narrows that, whatever the entries hold.
        let range = window.range
        var (low, top) = (range.lowerBound, range.upperBound)
        var probe = low + Int(fraction.multipliedFullWidth(by: UInt64(top - low)).high)
        var step = 3
        while low < top {
            guard let at = window.entry(probe, of: self) else { return nil }
            if Self.isLess(at, id) {
                low = probe + 1
                probe = low + step
            } else {
                top = probe
                probe = top - step
            }
            if step < range.count { step *= 2 }
            if probe < low || probe >= top { probe = low + (top - low) / 2 }
        }
        return low
    }

    @inline(__always)
    private static func isLess(_ at: UnsafeRawPointer, _ id: ChunkID) -> Bool {
        let (words, sought) = (Entry.words(at: at), id.words)
        if words.0 != sought.0 { return words.0.byteSwapped < sought.0.byteSwapped }
        if words.1 != sought.1 { return words.1.byteSwapped < sought.1.byteSwapped }
        return words.2.byteSwapped < sought.2.byteSwapped
    }
}

/// The entries of one line, as far as they are in memory.
private struct EntryWindow {
    /// The entries that may be asked for.
    let range: Range<Int>
    /// Those that are at `base`.
    private var present: Range<Int>
    private let base: UnsafeRawPointer?
    private let buffer: UnsafeMutableRawBufferPointer?

    // Nearly three lines' worth: what is read at once where entries are not mapped.
    private static let entriesMax = 128
    static let byteCountMax = entriesMax * Entry.byteCount

    /// - Parameter entries: where the run's entries begin.
    @inline(__always)
    init(_ range: Range<Int>, mapped entries: UnsafeRawPointer) {
        self.range = range
        present = range
        base = entries + range.lowerBound * Entry.byteCount
        buffer = nil
    }

    /// - Parameter buffer: room for `byteCountMax` bytes.
    @inline(__always)
    init(_ range: Range<Int>, buffer: UnsafeMutableRawBufferPointer) {
        self.range = range
        present = range.lowerBound..<range.lowerBound
        base = UnsafeRawPointer(buffer.baseAddress)
        self.buffer = buffer
    }

    /// - Parameter number: within `range`.
    @inline(__always)
    mutating func entry(_ number: Int, of run: Run) -> UnsafeRawPointer? {
        if !present.contains(number), !load(number, of: run) { return nil }
        guard let base else { return nil }
        return base + (number - present.lowerBound) * Entry.byteCount
    }

    /// Reads the whole range, or as much of it as there is room for around the entry.
    @inline(never)
    private mutating func load(_ number: Int, of run: Run) -> Bool {
        guard let buffer else { return false }
        var wanted = range
        if range.count > Self.entriesMax {
            let half = Self.entriesMax / 2
            wanted = max(range.lowerBound, number - half)..<min(range.upperBound, number + half)
        }
        guard run.readEntries(wanted, into: buffer) else { return false }
        present = wanted
        return true
    }
}
