import Faults
import Snapshots
import WireFormat

/// Walks the list of a stream in the parent snapshot beside the new one, and says what stood there
/// in the place of what is new.
///
/// A known chunk that the parent has, too, is where both are at the same place: an anchor. The list
/// is read as far ahead as an anchor is looked for, up to a bound, so that neither its length nor
/// what was moved about makes it grow.
struct ParentWalk {
    private var list: ListReader?

    /// A chunk of the parent, and where it lies in its stream.
    struct Entry {
        let id: ChunkID
        let range: Range<Int>
    }

    /// What was read of the list and is still in reach: entries from number `first` on.
    private var entries: [Entry] = []
    private var first = 0
    /// The first number under which a chunk stands among them.
    private var numbers: [ChunkID: Int] = [:]
    /// Where what was read of the list ends, in bytes of the parent's stream.
    private var end = 0
    /// The number of the entry that is expected next.
    private var cursor = 0
    /// A jump far ahead that another anchor has yet to confirm.
    private var jump: Int?

    private struct Leaf {
        let id: ChunkID
        let range: Range<Int>
    }
    /// Nodes of the list that hold its entries, as far as they are in reach.
    private var leaves: [Leaf] = []

    /// So many entries ahead an anchor is looked for: at 16 KiB a chunk, a gibibyte.
    private static let aheadMax = 65_536
    /// A jump over more than this is believed when a second anchor follows.
    private static let jumpMax = 1024
    private static let confirmMax = 16
    /// What lies so many bytes behind is still in reach.
    private static let behindBytes = 12 << 20
    private static let leavesMax = 8

    /// - Parameter list: of the parent's stream, from its beginning.
    init(_ list: ListReader) { self.list = list }

    /// The place of a known chunk in the parent's stream, if it is an anchor.
    mutating func meet(_ id: ChunkID) -> Range<Int>? {
        if cursor - first >= entries.count { read() }
        guard let number = find(id) else { return nil }
        if number > cursor + Self.jumpMax {
            guard let before = jump, number > before, number <= before + Self.confirmMax else {
                jump = number
                return nil
            }
        }
        jump = nil
        let entry = entries[number - first]
        cursor = number + 1
        forget(before: entry.range.lowerBound - Self.behindBytes)
        return entry.range
    }

    private mutating func find(_ id: ChunkID) -> Int? {
        if cursor - first < entries.count, entries[cursor - first].id == id { return cursor }
        while true {
            if let number = numbers[id] { return number >= cursor ? number : again(id) }
            guard entries.count - (cursor - first) < Self.aheadMax, read() else { return nil }
        }
    }

    /// A chunk that stands several times in the list: its next place from the cursor on, not far.
    private func again(_ id: ChunkID) -> Int? {
        let near = entries[(cursor - first)...].prefix(Self.confirmMax)
        return near.firstIndex { $0.id == id }.map { $0 + first }
    }

    /// The chunks of the parent that lie in a range of its stream, whole, in order.
    mutating func chunks(in range: Range<Int>) -> [Entry] {
        while end < range.upperBound, entries.count - (cursor - first) < Self.aheadMax, read() {}
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].range.upperBound <= range.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return Array(entries[low...].prefix { $0.range.lowerBound < range.upperBound })
    }

    /// The nodes of the parent's list whose entries lie in a range of its stream.
    func nodes(in range: Range<Int>) -> [ChunkID] {
        leaves.filter { $0.range.overlaps(range) }.map { $0.id }
    }

    // MARK: reading the list

    /// Reads some more entries; false at the end. A list that cannot be read ends there: deltas are
    /// worth having, not worth failing for.
    @discardableResult
    private mutating func read() -> Bool {
        let before = entries.count
        while entries.count < before + 256 {
            guard let entry = try? list?.next() else {
                list = nil
                break
            }
            if let leaf = list?.lastLeaf, leaf.id != leaves.last?.id {
                leaves.append(Leaf(id: leaf.id, range: end..<(end + leaf.byteCount)))
            }
            switch entry {
            case .chunk(let id, let byteCount):
                let number = first + entries.count
                entries.append(Entry(id: id, range: end..<(end + byteCount)))
                if numbers[id] == nil { numbers[id] = number }
                end += byteCount
            case .zeros(let count): end += count
            case .again(let times):
                if let last = entries.last { end += times * last.range.count }
            }
        }
        return entries.count > before
    }

    /// Forgets what lies before a place, now and then.
    private mutating func forget(before position: Int) {
        guard entries.count > 4096, cursor - first > 2048, entries[1024].range.upperBound < position
        else { return }
        var count = 1024
        while entries[count].range.upperBound < position { count += 1 }
        for (offset, entry) in entries[..<count].enumerated()
        where numbers[entry.id] == first + offset {
            numbers[entry.id] = nil
        }
        entries.removeFirst(count)
        first += count
        let reach = entries[0].range.lowerBound
        let gone = leaves.prefix { $0.range.upperBound < reach }.count - Self.leavesMax
        if gone > 0 { leaves.removeFirst(gone) }
    }
}
