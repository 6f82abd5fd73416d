import Faults
import WireFormat

/// Finds out whether a store shows less than it showed before (docs/format.md, section 16).
package enum Rollback {
    /// - Parameters:
    ///   - snapshots: all heads of a domain.
    ///   - forgotten: what was removed on purpose.
    ///   - remembered: the greatest sequence number that this client saw of each writer.
    /// - Returns: what is missing; empty if nothing is.
    package static func missing(
        _ snapshots: [Snapshot], forgotten: [ForgottenRecord], remembered: [ObjectID: UInt64]
    ) -> [String] {
        var present: Set<ObjectID> = []
        var numbers: [ObjectID: Set<UInt64>] = [:]
        for snapshot in snapshots {
            present.insert(snapshot.id)
            numbers[snapshot.head.writer, default: []].insert(snapshot.head.sequence)
        }
        for record in forgotten {
            present.insert(record.snapshot)
            numbers[record.writer, default: []].insert(record.sequence)
        }
        var problems: [String] = []
        for snapshot in snapshots {
            for name in snapshot.head.names where !present.contains(name) {
                problems.append(
                    "snapshot \(name.short), which \(snapshot.id.short) followed, is missing")
            }
        }
        for (writer, seen) in numbers.sorted(by: { $0.key < $1.key }) {
            let greatest = max(seen.max() ?? 0, remembered[writer] ?? 0)
            // Every number stands once at least: where there are fewer than the greatest, some are
            // missing.
            if UInt64(seen.count) < greatest,
                let gap = (1...greatest).first(where: { !seen.contains($0) })
            {
                problems.append(
                    "snapshot number \(gap) of writer \(writer.short) is missing, without a record of its removal"
                )
            }
        }
        for (writer, number) in remembered.sorted(by: { $0.key < $1.key })
        where numbers[writer] == nil && number > 0 {
            problems.append("all \(number) snapshots of writer \(writer.short) are missing")
        }
        return problems
    }
}

/// The repository shows an older state than this client has seen.
package struct RolledBack: Explained {
    package let problems: [String]

    package init(problems: [String]) { self.problems = problems }

    package var message: String {
        "the repository looks rolled back: \(problems[0])"
            + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
    }
    package var hint: String? {
        "if it was put back on purpose, say so once with --accept-rollback; if not, the store or somebody with access to it took snapshots away"
    }
    package var exitCode: ExitCode { .rolledBack }
}
