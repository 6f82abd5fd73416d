import Faults
import Snapshots
import WireFormat

/// A backup that a server's own tool made, and all that it needs: the full, then the increments in the
/// order in which they are applied, the wanted one last.
struct BackupChain {
    let links: [Snapshot]

    /// - Parameter history: in which all of them must stand.
    init(of snapshot: Snapshot, in history: History) throws {
        var links = [snapshot]
        while let needed = links[0].head.needs {
            let found = history.snapshots.first {
                $0.id == needed && $0.domain == snapshot.domain
            }
            guard let found, !links.contains(where: { $0.id == needed }) else {
                throw BrokenChain(of: links[0], wanted: snapshot)
            }
            links.insert(found, at: 0)
        }
        // An increment that was saved without what it goes on from begins no chain.
        if let numbers = links[0].head.sequenceNumbers, numbers.from != 0 {
            throw BrokenChain(of: links[0], wanted: snapshot)
        }
        self.links = links
    }
}

/// Something that an increment goes on from is not there.
package struct BrokenChain: Explained {
    package let message: String
    package var hint: String? { "repo list shows what there is; nothing was written" }

    init(of link: Snapshot, wanted: Snapshot) {
        let from = link.head.sequenceNumbers.map {
            " from LSN \(link.head.text(ofLogNumber: $0.from)) on"
        } ?? ""
        let needed =
            link.head.needs.map { "snapshot \($0.short)" } ?? "a snapshot that was never linked"
        message =
            link.id == wanted.id
            ? "\(wanted.id.short) holds changes\(from) only, and \(needed) that it needs is not there"
            : "\(wanted.id.short) needs \(link.id.short), which holds changes\(from) only,"
                + " and \(needed) that this needs is not there"
    }
}
