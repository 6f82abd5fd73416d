import DumpFormats
import Faults
import Snapshots
import WireFormat

/// What a stream of mariabackup or xtrabackup says of its place in a chain of backups: from and to
/// which number of the server's log it reaches.
struct NativeBackup {
    enum Kind {
        case full, increment
        /// Its log was applied: a data directory, from which nothing goes on.
        case prepared
    }

    let kind: Kind
    let numbers: Head.SequenceNumbers

    init?(_ report: StreamReport) {
        func fact(_ name: String) -> String? { report.facts.first { $0.name == name }?.value }
        switch fact("backup_type") {
        case "full-backuped": kind = .full
        case "incremental": kind = .increment
        case "full-prepared", "log-applied": kind = .prepared
        default: return nil
        }
        guard let from = fact("from_lsn").flatMap({ UInt64($0) }),
            let to = fact("to_lsn").flatMap({ UInt64($0) })
        else { return nil }
        numbers = Head.SequenceNumbers(from: from, to: to)
    }
}

/// Where an increment goes on from.
struct NativeLink {
    let parent: Snapshot

    /// An increment of a full needs that full alone.
    var kind: Head.Kind { parent.head.needs == nil ? .differential : .incremental }
    /// The full at the root of the chain.
    var base: ObjectID { parent.head.needs == nil ? parent.id : parent.head.base ?? parent.id }
}

extension SeriesHistory {
    /// Snapshots that an increment can go on from, oldest first: fulls, and what a full is at the root
    /// of.
    var linkable: [Snapshot] {
        snapshots.filter {
            guard let numbers = $0.head.sequenceNumbers else { return false }
            return (numbers.from == 0 || $0.head.needs != nil)
                && $0.head.completeness != .incomplete
        }
    }

    /// The snapshot that an increment from this number goes on from: on an idle server several end
    /// there, and the newest is meant.
    func link(from number: UInt64) -> NativeLink? {
        linkable.last { $0.head.sequenceNumbers?.to == number }.map { NativeLink(parent: $0) }
    }
}

/// An increment of which nothing says what it is an increment of, refused.
package struct Unlinked: Explained {
    package let series: String
    package let wanted: UInt64
    package let atHand: [UInt64]

    package var message: String {
        let known = atHand.suffix(5).map { "\($0)" }.joined(separator: ", ")
        let there = atHand.isEmpty ? "no backup there has one" : "those there end at \(known)"
        return "the increment goes on from LSN \(wanted), and no snapshot of \(series) ends there "
            + "(\(there)): nothing saved"
    }

    package var hint: String? {
        "make it with --incremental-lsn={parent.to_lsn}, or say --allow-unlinked"
    }

    package var exitCode: ExitCode { .incompleteStream }
}

extension AddRun {
    /// The words of a command, with what stands for the end of the backup that is gone on from.
    func filledIn(_ arguments: [[UInt8]]) throws -> [[UInt8]] {
        let place = Array("{parent.to_lsn}".utf8)
        guard arguments.contains(where: { $0.firstRange(of: place) != nil }) else {
            return arguments
        }
        let fulls = series.linkable.filter { $0.head.needs == nil }
        let parent = request.kind == .differential ? fulls.last : series.linkable.last
        guard let number = parent?.head.sequenceNumbers?.to else {
            throw OperationError.needsFull(series: request.series)
        }
        return arguments.map { $0.replacing(place, with: Array("\(number)".utf8)) }
    }

    /// What an increment needs; nil for anything else.
    func nativeLink(_ backup: NativeBackup?) throws -> NativeLink? {
        guard let backup, backup.kind == .increment else { return nil }
        if let link = series.link(from: backup.numbers.from) { return link }
        guard request.allowUnlinked else {
            throw Unlinked(
                series: request.series, wanted: backup.numbers.from,
                atHand: series.linkable.compactMap { $0.head.sequenceNumbers?.to })
        }
        return nil
    }
}
