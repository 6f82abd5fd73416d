import Operations
import WireFormat

/// The end of prune: what it did, or would do.
struct PruneSummary {
    let outcome: PruneOutcome
    let kept: Int
    let isDryRun: Bool

    func show(_ console: Console) throws {
        if console.isJSON { return try console.out(json) }
        for (id, why) in outcome.kept {
            console.warn("\(id.short) stays for now (\(why)), and goes once nothing keeps it")
        }
        for line in lines { try console.summary(line) }
    }

    private var lines: [String] {
        let snapshots = Figures.count(outcome.snapshotsDropped, "snapshot")
        let used = "\(Figures.size(outcome.bytesLive)) in use"
        if isDryRun {
            return [
                "would drop \(snapshots) and keep \(Figures.count(kept)); nothing was dropped",
                "would free \(Figures.size(outcome.bytesFreed)) in the end, and rewrite"
                    + " \(Figures.size(outcome.bytesRewritten)); \(used)",
            ]
        }
        var lines = ["dropped \(snapshots), kept \(Figures.count(kept))"]
        if outcome.snapshotsAbandoned > 0 {
            lines[0] +=
                "; cleaned up \(Figures.count(outcome.snapshotsAbandoned, "snapshot")) never finished"
        }
        var freed = "freed \(Figures.size(outcome.bytesFreed))"
        if outcome.bytesRewritten > 0 { freed += ", rewrote \(Figures.size(outcome.bytesRewritten))" }
        if outcome.bytesLater > 0 {
            freed += ", \(Figures.size(outcome.bytesLater)) more by a run after the time of grace"
        }
        lines.append("\(freed); \(used), \(Figures.duration(outcome.seconds))")
        if outcome.objectsLocked > 0 {
            lines.append(
                "the store keeps \(Figures.count(outcome.objectsLocked, "object")) for as many days from today")
        }
        return lines
    }

    private var json: JSON {
        .object([
            "type": "summary", "snapshots_kept": .integer(kept),
            "snapshots_dropped": .integer(outcome.snapshotsDropped),
            "snapshots_abandoned": .integer(outcome.snapshotsAbandoned),
            "bytes_freed": .integer(outcome.bytesFreed),
            "bytes_rewritten": .integer(outcome.bytesRewritten),
            "bytes_rebased": .integer(outcome.bytesRebased),
            "bytes_later": .integer(outcome.bytesLater),
            "bytes_used": .integer(outcome.bytesLive),
            "bytes_unused": .integer(outcome.bytesUnused),
            "packs_condemned": .integer(outcome.packsCondemned),
            "packs_deleted": .integer(outcome.packsDeleted),
            "objects_locked": .integer(outcome.objectsLocked),
            "chunks": .integer(outcome.chunks), "dry_run": .bool(isDryRun),
            "seconds": .seconds(outcome.seconds),
        ])
    }
}
