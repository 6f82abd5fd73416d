import DumpFormats
import PackStore
import Snapshots
import WireFormat
import Workers

/// Where the parent's stream has the members of its archive.
struct MemberPlaces {
    private var members: [[UInt8]: [(stream: Range<Int>, offset: Int)]] = [:]

    /// Reads the members of the parent; nil where there are none or they cannot be read.
    /// - Parameters:
    ///   - lists: reads chunks of class list.
    init?(_ stream: Manifest.Stream, list: ListReader?, _ lists: ChunkReader) {
        let what = "the members of the parent"
        var entries = EntryReader(stream, list: list, lists, what: what)
        do {
            while let bytes = try entries.next() {
                let member = try CatalogEntry(bytes, what: what, isMember: true)
                if member.byteCount > 0 { members[member.path] = member.pieces }
            }
        } catch {
            return nil
        }
    }

    /// The parts of a member that the parent has, of some of its bytes: which, and where in the
    /// parent's stream.
    func pieces(of path: [UInt8], in wanted: Range<Int>) -> [(offsets: Range<Int>, parent: Int)] {
        guard let pieces = members[path] else { return [] }
        // The first that reaches into what is wanted: a member may have many.
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].offset + pieces[middle].stream.count <= wanted.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return pieces[low...].prefix { $0.offset < wanted.upperBound }.map { stream, offset in
            let offsets = (offset..<(offset + stream.count)).clamped(to: wanted)
            return (offsets, stream.lowerBound + offsets.lowerBound - offset)
        }
    }
}
