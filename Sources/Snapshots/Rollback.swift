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
    ) -> [Missing] {
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
        var problems: [Missing] = []
        for snapshot in snapshots {
            for name in snapshot.head.names where !present.contains(name) {
                problems.append(.snapshot(name, before: snapshot.id))
            }
        }
        for (writer, seen) in numbers.sorted(by: { $0.key < $1.key }) {
            let greatest = max(seen.max() ?? 0, remembered[writer] ?? 0)
            // Every number stands once at least: where there are fewer than the greatest, some are
            // missing.
            if UInt64(seen.count) < greatest,
                let gap = (1...greatest).first(where: { !seen.contains($0) })
            {
                problems.append(.number(gap, of: writer))
            }
        }
        for (writer, number) in remembered.sorted(by: { $0.key < $1.key })
        where numbers[writer] == nil && number > 0 {
            problems.append(.all(number, of: writer))
        }
        return problems
    }

    /// The numbers of writers that neither a snapshot nor a record has, up to the greatest of each that is
    /// there or remembered.
    package static func gaps(
        _ snapshots: [Snapshot], forgotten: [ForgottenRecord], remembered: [ObjectID: UInt64]
    ) -> [(writer: ObjectID, numbers: Range<UInt64>)] {
        var seen: [ObjectID: Set<UInt64>] = [:]
        for snapshot in snapshots {
            seen[snapshot.head.writer, default: []].insert(snapshot.head.sequence)
        }
        for record in forgotten { seen[record.writer, default: []].insert(record.sequence) }
        for writer in remembered.keys where seen[writer] == nil { seen[writer] = [] }
        var gaps: [(writer: ObjectID, numbers: Range<UInt64>)] = []
        for (writer, numbers) in seen.sorted(by: { $0.key < $1.key }) {
            var before: UInt64 = 0
            for number in numbers.sorted() {
                if number > before + 1 { gaps.append((writer, (before + 1)..<number)) }
                before = number
            }
            if let known = remembered[writer], known > before {
                gaps.append((writer, (before + 1)..<(known == .max ? known : known + 1)))
            }
        }
        return gaps
    }

    /// Something that there was.
    package enum Missing: Equatable, Sendable, CustomStringConvertible {
        case snapshot(ObjectID, before: ObjectID)
        /// The first of a writer's numbers that neither a snapshot nor a record has.
        case number(UInt64, of: ObjectID)
        case all(UInt64, of: ObjectID)

        package var description: String {
            switch self {
            case .snapshot(let id, let follower):
                "snapshot \(id.short), which \(follower.short) followed, is missing"
            case .number(let number, let writer):
                "snapshot number \(number) of writer \(writer.short) is missing, without a record of its removal"
            case .all(let number, let writer):
                "all \(number) snapshots of writer \(writer.short) are missing"
            }
        }
    }
}

/// The repository shows an older state than this client has seen.
package struct RolledBack: Explained {
    package let problems: [Rollback.Missing]

    package init(problems: [Rollback.Missing]) { self.problems = problems }

    package var message: String {
        "the repository looks rolled back: \(problems[0])"
            + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
    }
    package var hint: String? {
        "if it was put back on purpose, say so once with --accept-rollback; if not, the store or somebody with access to it took snapshots away"
    }
    package var exitCode: ExitCode { .rolledBack }
}
