import Snapshots
import WireFormat

/// Snapshots of one group that were made together: a night's dumps and the files that go with them.
package struct Occurrence: Sendable {
    package let group: String
    package let domain: DomainID
    /// In the order in which they were begun; one at least, and no two of one series.
    package let snapshots: [Snapshot]

    /// The time that counts of its first snapshot.
    package var time: Int64 { snapshots[0].head.time }
}

/// Which snapshots of a group belong together: computed when it is asked, from the heads alone
/// (docs/format.md, section 12).
package enum Groups {
    /// What is begun later than this after the first of an occurrence belongs to the next.
    private static let spanMilliseconds: Int64 = 12 * 3_600_000

    private struct Name: Hashable {
        let group: String
        let domain: DomainID
    }

    /// All occurrences of all groups, oldest first. Snapshots without a group belong to none.
    package static func occurrences(of snapshots: [Snapshot]) -> [Occurrence] {
        var members: [Name: [Snapshot]] = [:]
        for snapshot in snapshots {
            guard let group = snapshot.head.group else { continue }
            members[Name(group: group, domain: snapshot.domain), default: []].append(snapshot)
        }
        return members.flatMap { fold($0.value, as: $0.key) }.sorted {
            ($0.time, $0.snapshots[0].id) < ($1.time, $1.snapshots[0].id)
        }
    }

    private static func fold(_ snapshots: [Snapshot], as name: Name) -> [Occurrence] {
        var occurrences: [[Snapshot]] = []
        var series: Set<String> = []
        for snapshot in snapshots.sorted(by: {
            ($0.head.started, $0.id) < ($1.head.started, $1.id)
        }) {
            if let first = occurrences.last?.first, !series.contains(snapshot.head.series),
                isNear(first.head.started, snapshot.head.started)
            {
                occurrences[occurrences.count - 1].append(snapshot)
            } else {
                occurrences.append([snapshot])
                series = []
            }
            series.insert(snapshot.head.series)
        }
        return occurrences.map {
            Occurrence(group: name.group, domain: name.domain, snapshots: $0)
        }
    }

    private static func isNear(_ first: Int64, _ later: Int64) -> Bool {
        // Times in heads are whatever a clock said.
        let (distance, overflow) = later.subtractingReportingOverflow(first)
        return !overflow && distance <= spanMilliseconds
    }
}

extension History {
    /// The occurrences of a group, in all domains, oldest first.
    package func occurrences(of group: String) -> [Occurrence] {
        Groups.occurrences(of: snapshots.filter { $0.head.group == group })
    }

    /// The occurrence that a snapshot belongs to; nil where it belongs to no group.
    package func occurrence(holding snapshot: Snapshot) -> Occurrence? {
        snapshot.head.group.flatMap { group in
            occurrences(of: group).first { $0.snapshots.contains { $0.id == snapshot.id } }
        }
    }
}
