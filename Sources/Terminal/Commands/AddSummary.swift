import Operations
import Snapshots
import WireFormat

/// What `add` says at its end.
struct AddSummary {
    let snapshot: Snapshot
    let manifest: Manifest
    let way: EndPhrase.Way
    let chunks: Int
    let chunksNew: Int
    let deltas: (frames: Int, rawBytes: Int, storedBytes: Int)
    let files: (count: Int, unchanged: Int)?
    let seconds: Double
    let reservations: [String]

    private var head: Head { manifest.head }

    /// For people.
    var lines: [String] {
        [
            [
                "saved \(snapshot.id.short)", printable(head.series), head.kind.word,
                Times.local(head.time),
            ].joined(separator: "  ") + (head.group.map { "  group \(printable($0))" } ?? ""),
            "\(EndPhrase.tool(manifest)), \(EndPhrase.of(manifest, way: way))"
                + (head.position?.short.map { "; \($0)" } ?? ""),
            "\(Figures.size(head.bytesRead)) read, \(stored), \(Figures.duration(seconds))"
                + (head.parent.map { "; parent \($0.short)" } ?? ""),
        ]
    }

    private var stored: String {
        let size = "\(Figures.size(head.bytesStored)) stored"
        // Of next to nothing no share says anything.
        return head.bytesRead < 1000
            ? size : "\(size) (\(Figures.percent(head.bytesStored, of: head.bytesRead)))"
    }

    /// For scripts.
    var json: JSON {
        .object([
            "type": "summary", "snapshot": .string("\(snapshot.id)"),
            "series": .string(head.series),
            "time": .string(Times.utc(head.time)), "kind": .string(head.kind.word),
            "parent": .optional(head.parent?.description), "group": .optional(head.group),
            "format": .optional(head.format),
            "complete": .optional(head.completeness.isComplete),
            "evidence": .string(head.evidence.word),
            "end": .string(head.end), "bytes_read": .integer(head.bytesRead),
            "bytes_new": .integer(head.bytesNew),
            "bytes_stored": .integer(head.bytesStored), "chunks": .integer(chunks),
            "chunks_new": .integer(chunksNew),
            "frames_delta": .integer(deltas.frames),
            "bytes_saved": .integer(deltas.rawBytes - deltas.storedBytes),
            "files": .optional(files?.count), "files_unchanged": .optional(files?.unchanged),
            "seconds": .seconds(seconds),
            "position": head.position?.json ?? .null,
            "reservations": .array(reservations.map { .string($0) }),
        ])
    }
}

extension AddSummary {
    init(_ outcome: AddOutcome, way: EndPhrase.Way) {
        self.init(
            snapshot: outcome.snapshot, manifest: outcome.manifest, way: way,
            chunks: outcome.chunks,
            chunksNew: outcome.chunksNew, deltas: outcome.deltas, files: outcome.files,
            seconds: outcome.seconds,
            reservations: outcome.reservations)
    }
}
