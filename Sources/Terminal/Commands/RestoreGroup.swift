import Faults
import Operations
import Snapshots
import Vault
import WireFormat

extension RestoreCommand {
    /// What is asked of a group that only one snapshot can do.
    static func oneOf(_ reference: Reference, _ what: String) -> UsageError {
        UsageError(
            "\(what), and \(reference.text) is a group of several snapshots",
            hint: "repo list \(shellWord(String(reference.text.prefix { $0 != "@" })))"
                + " shows their ids: name one of them")
    }

    /// Restores all that a group saved together, and says so: a line a snapshot, then one for all.
    static func restoreGroup(
        _ occurrence: Occurrence, _ request: RestoreRequest, _ vault: Vault, _ console: Console
    ) throws -> ExitCode {
        var isWhole = true
        var bytes = 0
        var seconds = 0.0
        try restore(occurrence, like: request, from: vault) { snapshot, outcome in
            for note in outcome.notes { console.warn(note) }
            if !outcome.losses.isEmpty { isWhole = false }
            bytes += outcome.bytes
            seconds += outcome.seconds
            if console.isJSON {
                try console.out(json(outcome, snapshot))
            } else {
                try LossSheet.tell(snapshot, outcome.losses, outcome.damagedParts, console)
                try console.summary(
                    "restored \(describe(snapshot)) to \(printable("\(outcome.path)")):"
                        + " \(Figures.size(outcome.bytes))")
            }
        }
        try console.summary(
            "\(printable(occurrence.group)) of \(Times.local(occurrence.time)):"
                + " \(Figures.count(occurrence.snapshots.count, "snapshot")),"
                + " \(Figures.size(bytes)), \(Figures.duration(seconds))")
        return isWhole ? .done : .reservation
    }
}
