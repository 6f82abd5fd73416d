import WireFormat

/// The chunks of packs that the index does not know yet, as sorted entries and the rows they point
/// to.
///
/// Ids are keyed hashes, so one counting pass over their first bytes puts each within a few places
/// of where it belongs: linear, and fast at any number. Ids of another making sort as well, only
/// slower.
struct NewEntries {
    let rows: [PackRow]
    let outlines: [NumberedOutline]
    let entries: [Entry]

    private static let entriesPerBucket = 16
    // Above this many, sorting by insertion loses to the library's sort.
    private static let insertionMax = 48

    init(_ packs: [IndexedPack]) {
        let joined = JoinedPackRows(packs)
        precondition(joined.rows.count <= RunHeader.packsMax, "more packs than a run can number")
        rows = joined.rows
        outlines = zip(packs, joined.numbers).map { pack, numbers in
            (Int(numbers[0]), .own(pack.outline.bytes))
        }

        var count = 0
        for pack in packs { for frame in pack.frames { count += frame.count } }
        precondition(count <= RunHeader.entriesMax, "more chunks than a run can number")
        let buckets = UInt64(count / Self.entriesPerBucket + 1)

        // ends[b + 1] first counts bucket b, then says where its next entry goes: in the end, where
        // it ends.
        var ends = [Int](repeating: 0, count: Int(buckets) + 1)
        for pack in packs {
            for frame in pack.frames {
                for id in frame { ends[Self.bucket(id, buckets) + 1] += 1 }
            }
        }
        for bucket in 1..<ends.count { ends[bucket] += ends[bucket - 1] }
        entries = [Entry](unsafeUninitializedCapacity: count) { entries, filled in
            // Both passes see the same ids, so every place from 0 to count is written exactly once.
            for (number, pack) in packs.enumerated() {
                for (frame, ids) in pack.frames.enumerated() {
                    let row = Int(joined.numbers[number][frame / PackRow.framesPerPart])
                    for id in ids {
                        let bucket = Self.bucket(id, buckets)
                        entries.baseAddress?.advanced(by: ends[bucket]).initialize(
                            to: Entry(
                                id, packNumber: row, frame: UInt16(truncatingIfNeeded: frame)))
                        ends[bucket] += 1
                    }
                }
            }
            filled = count
            var start = 0
            for bucket in 0..<Int(buckets) {
                Self.sort(UnsafeMutableBufferPointer(rebasing: entries[start..<ends[bucket]]))
                start = ends[bucket]
            }
        }
    }

    @inline(__always)
    private static func bucket(_ id: ChunkID, _ buckets: UInt64) -> Int {
        Int(id.words.0.byteSwapped.multipliedFullWidth(by: buckets).high)
    }

    private static func sort(_ entries: UnsafeMutableBufferPointer<Entry>) {
        if entries.count > insertionMax {
            var entries = entries
            return entries.sort()
        }
        var end = 1
        while end < entries.count {
            let entry = entries[end]
            var at = end
            while at > 0, entry < entries[at - 1] {
                entries[at] = entries[at - 1]
                at -= 1
            }
            entries[at] = entry
            end += 1
        }
    }
}
