import Snapshots
import WireFormat

/// What earlier snapshots of a series say of the next one.
struct SeriesHistory {
    /// Oldest first.
    let snapshots: [Snapshot]

    private static let comparedMax = 5
    private static let comparedMin = 3

    /// What the next snapshot is made against: the newest that is not known to be incomplete.
    var parent: Snapshot? { snapshots.last { $0.head.completeness != .incomplete } }

    /// The newest full that is not known to be incomplete.
    var lastFull: Snapshot? {
        snapshots.last { $0.head.kind == .full && $0.head.completeness != .incomplete }
    }

    /// The median length that a stream of this kind and format had of late, if there is enough to
    /// tell.
    ///
    /// Snapshots marked as shrunk do not count, nor does what is older than the last accepted
    /// shrinking.
    func usualBytes(kind: Head.Kind, format: String?) -> Int? {
        var alike = snapshots.filter {
            $0.head.kind == kind && $0.head.format == format && !$0.head.flags.contains(.shrunk)
                && $0.head.completeness != .incomplete
        }
        if let accepted = alike.lastIndex(where: { $0.head.flags.contains(.shrinkAllowed) }) {
            alike.removeFirst(accepted)
        }
        let lengths = alike.suffix(Self.comparedMax).map { $0.head.bytesRead }.sorted()
        guard lengths.count >= Self.comparedMin else { return nil }
        return lengths[lengths.count / 2]
    }
}
