import WireFormat

/// How sure it is that a snapshot holds all that it should, in a few words: `end seen, exit status
/// unknown (pipe)`.
enum EndPhrase {
    /// How a stream came in, where that is known.
    enum Way: Sendable {
        case pipe, file, command, files, unknown
    }

    static func of(_ manifest: Manifest, way: Way) -> String {
        let head = manifest.head
        if head.holdsFiles {
            guard head.completeness == .complete else { return "not all of them could be read" }
            let taken = manifest.facts?.notes.first { $0.hasSuffix("were not read") }
            return taken.map { printable($0) } ?? "all of them read"
        }
        if head.completeness == .incomplete { return "cut off, and saved all the same" }
        let mark =
            switch head.evidence {
            case .trailer, .both: "end seen"
            case .exitStatus, .none: "without an end mark"
            }
        return [mark, status(manifest, way)].compactMap { $0 }.joined(separator: ", ")
    }

    private static func status(_ manifest: Manifest, _ way: Way) -> String? {
        if let status = manifest.producer?.exitStatus {
            return "exit status \(status)\(status == 0 ? "" : " (accepted)")"
        }
        return switch way {
        case .pipe: "exit status unknown (pipe)"
        case .unknown: manifest.producer == nil ? "exit status unknown" : nil
        case .file, .files, .command: nil
        }
    }

    /// What wrote the stream: `mariadb-dump 10.11.19`, `pg_dump 15.18 in gzip`, `a raw stream`.
    static func tool(_ manifest: Manifest) -> String {
        let (head, facts) = (manifest.head, manifest.facts)
        if head.holdsFiles { return facts?.notes.first.map { printable($0) } ?? "files" }
        let format = head.format ?? "raw"
        guard let tool = head.tool ?? facts?.tool else {
            let inner = facts?.innerFormat.map { "\($0) in \(format)" } ?? format
            return printable("a \(inner) stream")
        }
        // `mariadb-dump 10.11.19-MariaDB` says its name twice.
        let name = tool.hasSuffix("-MariaDB") ? String(tool.dropLast(8)) : tool
        return printable(facts?.innerFormat == nil ? name : "\(name) in \(format)")
    }
}
