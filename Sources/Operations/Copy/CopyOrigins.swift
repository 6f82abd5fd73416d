import Snapshots
import WireFormat

/// Which snapshot there is a copy of which one here.
///
/// Where a snapshot is from, its head claims. Who writes with a key of his own could claim it of anything, so that it
/// would never be copied: a claim counts in its own domain only, which is where a copy would go.
struct CopyOrigins {
    private let source: ObjectID
    private let target: ObjectID
    private var copies: [Claim: Snapshot] = [:]
    private var all: [Snapshot]
    private var byID: [ObjectID: Snapshot] = [:]
    /// What was saved there itself.
    private var saved: [Saved: [Snapshot]] = [:]

    private struct Claim: Hashable {
        let origin: Head.Origin
        let domain: DomainID
    }

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
        self.target = target
        all = snapshots
        for snapshot in snapshots {
            byID[snapshot.id] = snapshot
            if let same = Saved(snapshot.head) { saved[same, default: []].append(snapshot) }
            guard let origin = snapshot.head.origin else { continue }
            let claim = Claim(origin: origin, domain: snapshot.domain)
            copies[claim] = copies[claim] ?? snapshot
        }
    }

    /// Where a snapshot was made first: copies of copies are the same.
    func origin(of snapshot: Snapshot) -> Head.Origin {
        snapshot.head.origin ?? Head.Origin(repository: source, snapshot: snapshot.id)
    }

    /// The copy there of a snapshot here, which may be in another domain only where it was made there, or was saved
    /// in both at once with write keys.
    /// - Parameter domain: where a copy goes.
    func copy(of snapshot: Snapshot, in domain: DomainID) -> Snapshot? {
        let origin = origin(of: snapshot)
        if let copy = copies[Claim(origin: origin, domain: domain)] { return copy }
        // What comes back to where it was made is there.
        if origin.repository == target, let own = byID[origin.snapshot] { return own }
        let same = Saved(snapshot.head).flatMap { saved[$0] } ?? []
        return same.first { $0.domain == domain }
            ?? same.first { $0.domain != .shared && snapshot.domain != .shared }
    }

    mutating func add(_ copy: Snapshot, of snapshot: Snapshot) {
        copies[Claim(origin: origin(of: snapshot), domain: copy.domain)] = copy
        all.append(copy)
    }

    func snapshots(in domain: DomainID) -> [Snapshot] { all.filter { $0.domain == domain } }

    /// The newest snapshot of the same series before this one that was copied, and its copy.
    func before(
        _ snapshot: Snapshot, in history: History, copiedTo domain: DomainID
    ) -> (source: Snapshot, copy: Snapshot)? {
        let earlier = history.series(snapshot.head.series, in: snapshot.domain).filter {
            ($0.head.time, $0.id) < (snapshot.head.time, snapshot.id)
        }
        for source in earlier.reversed() {
            if let copy = copy(of: source, in: domain), copy.domain == domain {
                return (source, copy)
            }
        }
        return nil
    }
}
