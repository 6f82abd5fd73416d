import Snapshots
import WireFormat

/// The chunks of the parent anywhere in its stream: members of an archive need not come in the order
/// in which they came last time.
struct ParentPlaces {
    private var list: ListReader?
    /// What was read last, in order, side by side but for zeros.
    private var entries: [ParentWalk.Entry] = []
    /// Where in the parent's stream what was read lies.
    private var read = 0..<0

    /// What is no further ahead is read up to, rather than entered anew.
    private static let aheadBytes = 4 << 20
    /// What lies so far behind is forgotten.
    private static let behindBytes = 4 << 20

    init(_ list: ListReader) { self.list = list }

    /// The chunks that lie in a range of the parent's stream, whole, in order. A list that cannot be
    /// read has none: deltas are worth having, not worth failing for.
    mutating func chunks(in range: Range<Int>) -> [ParentWalk.Entry] {
        guard !range.isEmpty else { return [] }
        do {
            if range.lowerBound < read.lowerBound
                || range.lowerBound > read.upperBound + Self.aheadBytes
            {
                entries = []
                let start = try list?.seek(to: range.lowerBound) ?? 0
                read = start..<start
            }
            while read.upperBound < range.upperBound, let entry = try list?.next() { take(entry) }
        } catch {
            list = nil
        }
        forget(before: range.lowerBound - Self.behindBytes)
        let first = entries.firstIndex { $0.range.upperBound > range.lowerBound }
        return Array(
            entries[(first ?? entries.endIndex)...].prefix {
                $0.range.lowerBound < range.upperBound
            })
    }

    private mutating func take(_ entry: ListEntry) {
        var end = read.upperBound
        switch entry {
        case .chunk(let id, let byteCount):
            entries.append(ParentWalk.Entry(id: id, range: end..<(end + byteCount)))
            end += byteCount
        case .zeros(let count): end += count
        case .again(let times):
            // A base needs its content once.
            if let last = entries.last { end += times * last.range.count }
        }
        read = read.lowerBound..<end
    }

    private mutating func forget(before position: Int) {
        let gone = entries.prefix { $0.range.upperBound <= position }.count
        guard gone > 256 else { return }
        entries.removeFirst(gone)
        read = max(read.lowerBound, min(position, read.upperBound))..<read.upperBound
    }
}
