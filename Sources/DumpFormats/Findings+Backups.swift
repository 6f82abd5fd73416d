/// What the small files beside a physical backup tell, in an archive or in a directory.
extension Findings {
    /// Takes in `xtrabackup_checkpoints` or `xtrabackup_info`: lines of the form `name = value`.
    mutating func keepXtrabackup(_ text: [UInt8]) {
        text.withUnsafeBytes { bytes in
            for line in bytes.split(separator: Ascii.newline).prefix(200) {
                let line = UnsafeRawBufferPointer(rebasing: line)
                guard let mark = line.position(of: " = ") else { continue }
                keepXtrabackup(line.part(0, mark).name, line.part(from: mark + 3))
            }
        }
    }

    private mutating func keepXtrabackup(_ name: String, _ value: UnsafeRawBufferPointer) {
        switch name {
        case "tool_name": tool = value.name
        case "tool_version": toolVersion = value.name
        case "server_version": serverVersion = value.name
        case "backup_type", "from_lsn", "to_lsn", "last_lsn", "uuid", "incremental", "partial":
            keep(name, value.name)
        case "binlog_pos": keepXtrabackupPosition(value)
        default: break
        }
    }

    /// `filename 'mariadb-bin.000003', position '389', GTID of the last change '0-1-6'`
    private mutating func keepXtrabackupPosition(_ text: UnsafeRawBufferPointer) {
        func quoted(_ mark: StaticString) -> UnsafeRawBufferPointer? {
            guard let found = text.position(of: mark) else { return nil }
            let start = found + mark.utf8CodeUnitCount
            return text.position(of: Ascii.quote, from: start).map { text.part(start, $0) }
        }
        if let file = quoted("filename '"), let offset = quoted("position '")?.leadingNumber {
            position = BinlogPosition(file: file.name, offset: offset)
        }
        if let set = quoted("GTID of the last change '"), !set.isEmpty {
            gtid = set.text(upTo: Limits.gtidBytesMax)
        }
    }

    /// Takes in PostgreSQL's `backup_label`: `START WAL LOCATION: 0/3000028 (file 000000010000000000000003)`
    /// and the like, one a line.
    /// - Returns: where the backup begins in the log.
    mutating func keepBackupLabel(_ text: [UInt8]) -> UInt64? {
        var start: UInt64?
        text.withUnsafeBytes { bytes in
            for line in bytes.split(separator: Ascii.newline).prefix(32) {
                let line = UnsafeRawBufferPointer(rebasing: line)
                guard let mark = line.position(of: ": ") else { continue }
                let name = line.part(0, mark).name.lowercased()
                let value = line.part(from: mark + 2)
                if name == "start wal location" { start = LogNumber(value.name)?.value }
                let isKept = [
                    "start wal location", "backup from", "start time", "start timeline",
                    "incremental from lsn",
                ]
                if isKept.contains(name) { keep(name, value.name) }
            }
        }
        return start
    }
}
