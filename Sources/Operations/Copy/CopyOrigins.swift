import Snapshots
import WireFormat

/// Which snapshot there is a copy of which one here.
struct CopyOrigins {
    private let source: ObjectID
    private var copies: [Head.Origin: Snapshot] = [:]
    private var all: [Snapshot]
    /// What was saved there itself.
    private var saved: [Saved: Snapshot] = [:]

    /// What an add that saves in both at once says in both.
    private struct Saved: Hashable {
        let series: String
        let host: String?
        let started: Int64
        let time: Int64
        let bytesRead: Int

        /// - Parameter head: nil gives nothing to compare for a copy, which says where it is from.
        init?(_ head: Head) {
            guard head.origin == nil else { return nil }
            (series, host, bytesRead) = (head.series, head.host, head.bytesRead)
            (started, time) = (head.started, head.time)
        }
    }

    /// - Parameters:
    ///   - source: the id of the repository here.
    ///   - target: of the one there.
    ///   - snapshots: what is there.
    init(from source: ObjectID, to target: ObjectID, _ snapshots: [Snapshot]) {
        self.source = source
        all = snapshots
        for snapshot in snapshots {
            // What comes back to where it was made is there.
            let own = Head.Origin(repository: target, snapshot: snapshot.id)
            copies[own] = copies[own] ?? snapshot
            if let same = Saved(snapshot.head) { saved[same] = snapshot }
            guard let origin = snapshot.head.origin else { continue }
            copies[origin] = copies[origin] ?? snapshot
        }
    }

    /// Where a snapshot was made first: copies of copies are the same.
    func origin(of snapshot: Snapshot) -> Head.Origin {
        snapshot.head.origin ?? Head.Origin(repository: source, snapshot: snapshot.id)
    }

    func copy(of snapshot: Snapshot) -> Snapshot? {
        copies[origin(of: snapshot)] ?? Saved(snapshot.head).flatMap { saved[$0] }
    }

    mutating func add(_ copy: Snapshot, of snapshot: Snapshot) {
        copies[origin(of: snapshot)] = copy
        all.append(copy)
    }

    func snapshots(in domain: DomainID) -> [Snapshot] { all.filter { $0.domain == domain } }

    /// The newest snapshot of the same series before this one that was copied, and its copy.
    func before(
        _ snapshot: Snapshot, in history: History
    ) -> (source: Snapshot, copy: Snapshot)? {
        let earlier = history.series(snapshot.head.series, in: snapshot.domain).filter {
            ($0.head.time, $0.id) < (snapshot.head.time, snapshot.id)
        }
        for source in earlier.reversed() {
            if let copy = copy(of: source) { return (source, copy) }
        }
        return nil
    }
}
