import Operations
import Snapshots
import WireFormat

/// Everything known of a snapshot, for people and as JSON.
struct SnapshotSheet {
    let snapshot: Snapshot
    let manifest: Manifest
    /// What its group saved together with it.
    var together: [Snapshot] = []
    var retention: RetentionSheet?

    private var head: Head { manifest.head }

    // MARK: for people

    /// Names at the left, what they mean beside them; what is not known is left out.
    var lines: [String] {
        let fields = identity + content + origin
        let width = fields.map { $0.name.count }.max() ?? 0
        return fields.flatMap { field in
            field.values.enumerated().map { index, value in
                let name = index == 0 ? field.name : ""
                return name + String(repeating: " ", count: width - name.count + 2)
                    + printable(value)
            }
        }
    }

    private struct Field {
        let name: String
        let values: [String]

        init(_ name: String, _ values: [String?]) {
            self.name = name
            self.values = values.compactMap { $0 }
        }
    }

    private var identity: [Field] {
        [
            Field("snapshot", ["\(snapshot.id)"]),
            Field("series", [head.series]),
            Field("kind", [head.kind.word]),
            Field(
                "time",
                [Times.local(head.time) + (head.flags.contains(.timeGiven) ? " (given)" : "")]),
            Field("made", [made]),
            Field("host", [head.host]),
            Field("tags", head.tags.isEmpty ? [] : [head.tags.joined(separator: ", ")]),
            Field("group", [head.group]),
            Field(
                "together with",
                together.map { "\($0.id.short)  \($0.head.series)  \(Times.local($0.head.time))" }),
            Field("parent", [head.parent?.short]),
            Field("base", [head.base?.short]),
            Field("needs", [head.needs?.short]),
            Field("LSN", [head.sequenceNumbers.map(logRange)]),
            Field(
                "copy of",
                [head.origin.map { "\($0.snapshot.short) in repository \($0.repository.short)" }]),
            Field("held by", retention?.held ?? []),
            Field("kept", [retention?.kept]),
        ]
    }

    private func logRange(_ numbers: Head.SequenceNumbers) -> String {
        let to = head.text(ofLogNumber: numbers.to)
        return numbers.from == 0 ? "to \(to)" : "\(head.text(ofLogNumber: numbers.from)) to \(to)"
    }

    private var made: String {
        "\(Times.local(head.started)), in \(Figures.duration(Double(head.ended - head.started) / 1000))"
    }

    private var content: [Field] {
        let facts = manifest.facts
        return [
            Field(
                "complete",
                [complete, head.flags.contains(.shrunk) ? "less than half as long as usual" : nil]),
            Field(
                "format",
                [
                    head.format.map { format in
                        facts?.innerFormat.map { "\($0) in \(format)" } ?? format
                    }
                ]),
            Field("written by", [head.tool]),
            Field("server", [facts?.serverVersion]),
            Field("databases", facts.map { Self.wrap($0.databases) } ?? []),
            Field("position", [head.position?.short]),
            Field("go on with", [head.position?.continuation]),
            Field("gtid", [head.position?.gtid]),
            Field("size", [size]),
            Field("streams", [streams]),
            Field("notes", facts?.notes ?? []),
        ]
    }

    private var complete: String {
        let word =
            switch head.completeness {
            case .complete: "yes"
            case .incomplete: "no"
            case .unknown: "nobody can say"
            }
        return "\(word): \(EndPhrase.of(manifest, way: .unknown))"
    }

    private var size: String {
        "\(Figures.size(head.bytesRead)) read, \(Figures.size(head.bytesNew)) new, "
            + "\(Figures.size(head.bytesStored)) stored"
            + (head.bytesRead > 0
                ? " (\(Figures.percent(head.bytesStored, of: head.bytesRead)))" : "")
    }

    private var streams: String {
        manifest.streams.map { "\(Self.word($0.role)) \(Figures.size($0.byteCount))" }.joined(
            separator: ", ")
    }

    private var origin: [Field] {
        guard let producer = manifest.producer else { return [] }
        let words = [producer.program].compactMap { $0 } + producer.options
        let said = String(decoding: producer.standardError, as: UTF8.self)
            .split(whereSeparator: \.isNewline).suffix(Self.errorLinesMax)
        return [
            Field(
                "command",
                words.isEmpty ? [] : [words.joined(separator: " ") + " (values are not kept)"]),
            Field("exit status", [producer.exitStatus.map { "\($0)" }]),
            Field("it said", said.map { String($0) }),
        ]
    }

    private static let errorLinesMax = 20
    private static let lineWidth = 64

    /// Names, with commas, on as many lines as it takes.
    private static func wrap(_ names: [String]) -> [String] {
        var lines: [String] = []
        for (index, name) in names.enumerated() {
            let word = name + (index < names.count - 1 ? "," : "")
            if let last = lines.last, last.count + 1 + word.count <= lineWidth {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(word)
            }
        }
        return lines
    }

    private static func word(_ role: Manifest.Role) -> String { "\(role)" }

    // MARK: for scripts

    var json: JSON {
        let (facts, producer) = (manifest.facts, manifest.producer)
        return snapshot.json(held: retention?.names ?? []).with([
            "together_with": .array(
                together.map {
                    .object([
                        "snapshot": .string("\($0.id)"), "series": .string($0.head.series),
                    ])
                }),
            "started": .string(Times.utc(head.started)), "ended": .string(Times.utc(head.ended)),
            "base": .optional(head.base?.description),
            "needs": .optional(head.needs?.description),
            "lsn": head.sequenceNumbers.map {
                .object(["from": .integer(Int($0.from)), "to": .integer(Int($0.to))])
            } ?? .null,
            "policy": .optional(retention?.decision?.policy),
            "keep": .optional(retention?.decision?.keeps),
            "keep_reasons": .array(
                (retention?.decision?.reasons ?? []).map { .string($0) }),
            "shrunk": .bool(head.flags.contains(.shrunk)),
            "tool": .optional(facts?.tool), "tool_version": .optional(facts?.toolVersion),
            "server_version": .optional(facts?.serverVersion),
            "inner_format": .optional(facts?.innerFormat),
            "databases": .array((facts?.databases ?? []).map { .string($0) }),
            "notes": .array((facts?.notes ?? []).map { .string($0) }),
            "program": .optional(producer?.program),
            "options": .array((producer?.options ?? []).map { .string($0) }),
            "exit_status": .optional(producer?.exitStatus.map { Int($0) }),
            "standard_error": .optional(
                producer.map { String(decoding: $0.standardError, as: UTF8.self) }),
            "continue_with": .optional(head.position?.continuation),
            "streams": .array(
                manifest.streams.map {
                    .object(["role": .string(Self.word($0.role)), "bytes": .integer($0.byteCount)])
                }),
        ])
    }
}
