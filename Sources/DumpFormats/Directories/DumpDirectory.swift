import WireFormat

/// A directory that a dump or backup program wrote: whose, whether it is finished, and what it tells.
///
/// Pure: what stands in it is handed in. Of directories that are none nothing is said.
package struct DumpDirectory {
    /// As of a stream; its end says whether the directory is finished.
    package private(set) var report = StreamReport(format: .raw)
    /// Why it must not be stored as good.
    package private(set) var refusal: Refusal?

    private let names: Set<String>
    private let contents: (String) -> [UInt8]?
    private var findings = Findings()

    /// - Parameters:
    ///   - names: at the top of the directory.
    ///   - contents: a small file of it, by its path; nil where there is none that can be read, or it
    ///     is too long.
    package init?(names: Set<String>, contents: @escaping (String) -> [UInt8]?) {
        self.names = names
        self.contents = contents
        guard
            findXtrabackup() || findMydumper() || findShell() || findPgDump() || findBaseBackup()
                || findTab()
        else { return nil }
        findings.fill(&report)
    }

    private mutating func refuse(_ what: String, _ why: String, hint: String?) {
        refusal = Refusal(
            message: "\(what) directory is not finished: \(why): nothing saved", hint: hint)
    }

    private func lines(of name: String) -> [String]? {
        contents(name).map {
            String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline)
                .map { String($0) }
        }
    }

    // MARK: physical backups

    private mutating func findXtrabackup() -> Bool {
        let checkpoints = ["xtrabackup_checkpoints", "mariadb_backup_checkpoints"]
        guard let name = checkpoints.first(where: { names.contains($0) }) else { return false }
        if let text = contents(name) { findings.keepXtrabackup(text) }
        // `--compress` and `--encrypt` change its name, and then it cannot be read here.
        let info = names.first {
            ["xtrabackup_info", "mariadb_backup_info"].contains(XbstreamWalker.plainName($0))
        }
        if let text = info.flatMap({ contents($0) }) { findings.keepXtrabackup(text) }
        findings.tool = findings.tool ?? "mariabackup"
        // Preparing needs it no more; an unprepared backup has it last.
        if info == nil {
            refuse(
                findings.tool ?? "mariabackup", "it has no xtrabackup_info",
                hint: "did the backup end with 'completed OK!'?")
        } else if !findings.facts.contains(where: { $0.name == "to_lsn" }) {
            refuse(
                findings.tool ?? "mariabackup", "\(name) does not say how far it reaches",
                hint: "did the backup end with 'completed OK!'?")
        }
        return true
    }

    private mutating func findBaseBackup() -> Bool {
        guard names.contains("PG_VERSION"), names.contains("backup_label"),
            let label = contents("backup_label")
        else { return false }
        findings.tool = "pg_basebackup"
        _ = findings.keepBackupLabel(label)
        if contents("global/pg_control") == nil {
            refuse(
                "pg_basebackup", "it has no global/pg_control, which is written last",
                hint: "did pg_basebackup end with status 0?")
        }
        return true
    }

    // MARK: dumps of MySQL and MariaDB

    private mutating func findMydumper() -> Bool {
        let isPartial = names.contains("metadata.partial")
        guard isPartial || names.contains("metadata"),
            let lines = lines(of: isPartial ? "metadata.partial" : "metadata")
        else { return false }
        let isOurs = lines.contains { Self.plain($0).hasPrefix("Started dump at") }
        guard isOurs || isPartial else { return false }
        findings.tool = "mydumper"
        for line in lines { keepMydumper(line) }
        let isFinished = lines.contains { Self.plain($0).hasPrefix("Finished dump at") }
        if isPartial || !isFinished {
            refuse(
                "mydumper",
                isPartial
                    ? "metadata.partial is there" : "metadata has no line 'Finished dump at'",
                hint: "wait until mydumper has ended, and look at what it said")
        }
        return true
    }

    /// Without what makes a line a comment.
    private static func plain(_ line: String) -> Substring {
        line.drop { $0 == "#" || $0.isWhitespace }
    }

    private mutating func keepMydumper(_ line: String) {
        let plain = Self.plain(line)
        let parts = plain.split(separator: plain.contains("=") ? "=" : ":", maxSplits: 1)
        guard parts.count == 2 else { return }
        let name = parts[0].lowercased().filter { !$0.isWhitespace }
        let value = parts[1].filter { !$0.isWhitespace && $0 != "\"" }
        guard !value.isEmpty else { return }
        switch name {
        // Those of the server itself come before those of its source.
        case "log", "source_log_file":
            if findings.position == nil { findings.position = BinlogPosition(file: value, offset: 0) }
        case "pos", "source_log_pos":
            if findings.position?.offset == 0, let offset = UInt64(value) {
                findings.position?.offset = offset
            }
        case "gtid", "executed_gtid_set": findings.gtid = findings.gtid ?? value
        default: break
        }
    }

    private mutating func findShell() -> Bool {
        guard names.contains("@.json"), let bytes = contents("@.json") else { return false }
        let json = FlatJSON(bytes)
        guard json["dumper"] != nil || json["basenames"] != nil || json["version"] != nil else {
            return false
        }
        findings.tool = "mysqlsh"
        findings.toolVersion = json["dumper"]
        findings.serverVersion = json["serverVersion"]
        if let file = json["binlogFile"], !file.isEmpty,
            let offset = json["binlogPosition"].flatMap({ UInt64($0) })
        {
            findings.position = BinlogPosition(file: file, offset: offset)
        }
        findings.gtid = json["gtidExecuted"].flatMap { $0.isEmpty ? nil : $0 }
        let done = ["@.done.json", "@.binlog.done.json"]
        if !done.contains(where: { names.contains($0) }) {
            refuse(
                "mysqlsh", "@.done.json is not there", hint: "wait until the dump has ended")
        } else if let part = names.sorted().first(where: { $0.hasSuffix(".dumping") }) {
            refuse("mysqlsh", "\(part) is still being written", hint: nil)
        }
        return true
    }

    /// `mysqldump --tab`: of each table its definition in one file, its rows in another.
    private mutating func findTab() -> Bool {
        let texts = names.filter { $0.hasSuffix(".txt") }
        guard !texts.isEmpty,
            names.allSatisfy({ $0.hasSuffix(".txt") || $0.hasSuffix(".sql") }),
            texts.contains(where: { names.contains($0.dropLast(4) + ".sql") })
        else { return false }
        findings.tool = "mysqldump"
        findings.keep("tables with rows", "\(texts.count)")
        let alone = texts.sorted().first { !names.contains($0.dropLast(4) + ".sql") }
        if let alone {
            refuse("mysqldump --tab", "\(alone) has no .sql beside it", hint: nil)
        }
        return true
    }

    // MARK: dumps of PostgreSQL

    private mutating func findPgDump() -> Bool {
        if names.contains("toc.dat") {
            guard let head = contents("toc.dat"), head.starts(with: "PGDMP".utf8) else {
                return false
            }
            findings.tool = "pg_dump"
            return true
        }
        let parts = names.filter { name in
            let base = name.prefix { $0 != "." }
            let ending = name.dropFirst(base.count)
            return !base.isEmpty && base.allSatisfy(\.isNumber)
                && [".dat", ".dat.gz", ".dat.zst", ".dat.lz4"].contains(String(ending))
        }
        // Other programs have files of such names, too, but not these alone.
        guard !parts.isEmpty, names.allSatisfy({ parts.contains($0) || $0.hasPrefix("blob") })
        else { return false }
        findings.tool = "pg_dump"
        refuse(
            "pg_dump", "toc.dat is not there, which is written last",
            hint: "did pg_dump end with status 0?")
        return true
    }
}

extension Substring {
    fileprivate static func + (a: Substring, b: String) -> String { String(a) + b }
}
