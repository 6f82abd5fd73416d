import DumpFormats
import Faults
import Snapshots
import WireFormat

/// What a physical backup says of its place in a chain of backups: from and to which number of the
/// server's log it reaches. Of PostgreSQL the number is where the backup begins in the log, as an
/// increment names it.
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
        if let start = fact("start wal location").flatMap({ LogNumber($0) }) {
            let from = fact("incremental from lsn").flatMap { LogNumber($0) }
            kind = from == nil ? .full : .increment
            numbers = Head.SequenceNumbers(from: from?.value ?? 0, to: start.value)
            return
        }
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

/// A number of a server's log, as the people of that server write it.
/// - Parameter tool: what made the backup.
private func logNumberText(_ number: UInt64, of tool: String?) -> String {
    guard tool?.hasPrefix("pg_") == true else { return "\(number)" }
    func digits(_ part: UInt64) -> String { String(part, radix: 16, uppercase: true) }
    return "\(digits(number >> 32))/\(digits(number & 0xFFFF_FFFF))"
}

extension Head {
    /// A number of the log of the server that was backed up, as its people write it.
    package func text(ofLogNumber number: UInt64) -> String { logNumberText(number, of: tool) }
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
    /// - Parameter fits: whether what ends there will do.
    func link(from number: UInt64, where fits: (Snapshot) -> Bool = { _ in true }) -> NativeLink? {
        linkable.last { $0.head.sequenceNumbers?.to == number && fits($0) }.map {
            NativeLink(parent: $0)
        }
    }
}

/// An increment of which nothing says what it is an increment of, refused.
package struct Unlinked: Explained {
    package let series: String
    package let wanted: String
    package let atHand: [String]
    package let isPostgres: Bool

    package var message: String {
        let known = atHand.suffix(5).joined(separator: ", ")
        let there = atHand.isEmpty ? "no backup there has one" : "those there end at \(known)"
        return "the increment goes on from LSN \(wanted), and no snapshot of \(series) ends there "
            + "(\(there)): nothing saved"
    }

    package var hint: String? {
        isPostgres
            ? "make it against what repo cat \(series) backup_manifest > FILE gives:"
                + " --incremental=FILE; or say --allow-unlinked"
            : "make it with --incremental-lsn={parent.to_lsn}, or say --allow-unlinked"
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
    /// - Parameter report: of the backup.
    func nativeLink(_ backup: NativeBackup?, _ report: StreamReport) throws -> NativeLink? {
        guard let backup, backup.kind == .increment else { return nil }
        let link = series.link(from: backup.numbers.from) { !isOfAnotherServer($0, report) }
        if let link { return link }
        guard request.allowUnlinked else {
            throw Unlinked(
                series: request.series,
                wanted: logNumberText(backup.numbers.from, of: report.tool),
                atHand: series.linkable.compactMap { snapshot in
                    snapshot.head.sequenceNumbers.map {
                        snapshot.head.text(ofLogNumber: $0.to)
                    }
                }, isPostgres: report.tool?.hasPrefix("pg_") == true)
        }
        return nil
    }

    /// Whether a snapshot says that it is of another server than this backup; a key that cannot read
    /// its manifest believes the numbers.
    private func isOfAnotherServer(_ snapshot: Snapshot, _ report: StreamReport) -> Bool {
        let name = "system identifier"
        guard let own = report.facts.first(where: { $0.name == name })?.value,
            let manifest = try? SnapshotStore(context).manifest(
                snapshot.id, expecting: snapshot.head),
            let other = manifest.facts?.notes.first(where: { $0.hasPrefix("\(name): ") })
        else { return false }
        return other != "\(name): \(own)"
    }
}
