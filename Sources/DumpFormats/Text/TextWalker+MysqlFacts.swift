/// What a dump of mysqldump or mariadb-dump tells of itself: versions, positions, GTIDs, databases,
/// tables.
extension TextWalker {
    /// `-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)`, and from
    /// MariaDB 11 on
    /// `-- MariaDB dump 10.19-11.8.2-MariaDB, for Linux (x86_64)`.
    mutating func keepMysqlTool(_ line: UnsafeRawBufferPointer) {
        guard findings.tool == nil else { return }
        let isMariaDB = line.hasPrefix("-- MariaDB dump ")
        findings.tool = isMariaDB ? "mariadb-dump" : "mysqldump"
        let text = line.part(0, line.position(of: UInt8(ascii: ",")) ?? line.count)
        if let mark = text.position(of: "Distrib ") {
            findings.toolVersion = text.part(from: mark + 8).name
        } else if isMariaDB, let dash = text.position(of: Ascii.dash, from: 16) {
            findings.toolVersion = text.part(from: dash + 1).name
        }
    }

    mutating func keepMysqlHeader(_ text: UnsafeRawBufferPointer) {
        if text.hasPrefix("Server version\t") {
            findings.serverVersion = findings.serverVersion ?? text.part(from: 15).name
        } else if text.hasPrefix("Host: ") {
            let mark = text.position(of: "    Database: ") ?? text.count
            findings.keep("host", text.part(6, mark).name)
            use(text.part(from: mark + 14).name)
        } else if text.hasPrefix("CHANGE ") {
            keepPosition(text)
        } else if text.hasPrefix("SET GLOBAL gtid_slave_pos='") {
            keepGtid(text, from: 27)
        } else if text.position(of: " STATUS at ") != nil
            || text.hasPrefix("Position to start replication ")
        {
            mysql.isSourcePosition =
                text.position(of: "SHOW SLAVE STATUS") != nil
                || text.position(of: "SHOW REPLICA STATUS") != nil
                || text.position(of: "(the master of this slave)") != nil
                || text.position(of: "(the source of this replica)") != nil
        }
    }

    mutating func use(_ name: String) {
        guard !name.isEmpty else { return }
        if name != database {
            database = name
            mysql.table = nil
            mysql.insertPrefix = []
        }
        findings.add(database: name)
    }

    mutating func beginMysqlTable(_ name: String, at start: UInt64) {
        mysql.table = name
        mysql.insertPrefix = []
        setPlace(.named(kind: "table", database: database, schema: nil, name: name))
        findings.tables.begin(database: database, schema: nil, name: name, at: start)
    }

    mutating func endMysqlSection(_ place: TextPart.Place, at end: UInt64) {
        mysql.table = nil
        mysql.insertPrefix = []
        setPlace(place)
        findings.tables.end(at: end)
    }

    /// `CHANGE MASTER TO MASTER_LOG_FILE='f', MASTER_LOG_POS=n;`, and the same with SOURCE.
    mutating func keepPosition(_ line: UnsafeRawBufferPointer) {
        guard let fileMark = line.position(of: "_LOG_FILE='"),
            let fileEnd = line.position(of: Ascii.quote, from: fileMark + 11),
            let offsetMark = line.position(of: "_LOG_POS=", from: fileEnd)
        else { return }
        let file = line.part(fileMark + 11, fileEnd).name
        guard let value = line.part(from: offsetMark + 9).leadingNumber else { return }
        let found = BinlogPosition(file: file, offset: value)
        if mysql.isSourcePosition {
            findings.sourcePosition = findings.sourcePosition ?? found
        } else {
            findings.position = findings.position ?? found
        }
    }

    mutating func keepGtid(_ line: UnsafeRawBufferPointer, from start: Int) {
        let end = line.position(of: Ascii.quote, from: start) ?? line.count
        if findings.gtid == nil, end > start {
            findings.gtid = line.part(start, end).text(upTo: Limits.gtidBytesMax)
        }
    }

    /// What follows `GTID_PURGED=`: perhaps `/*!80000 '+'*/`, then the set in quotes, over several
    /// lines.
    mutating func beginGtid(_ text: UnsafeRawBufferPointer) {
        var start = 0
        if text.hasPrefix("/*!"), let mark = text.position(of: "*/") { start = mark + 2 }
        guard let quote = text.position(of: Ascii.quote, from: start) else { return }
        mysql.gtid = []
        gatherGtid(text.part(from: quote + 1))
    }

    mutating func gatherGtid(_ line: UnsafeRawBufferPointer) {
        guard var gathered = mysql.gtid else { return }
        let end = line.position(of: Ascii.quote) ?? line.count
        if gathered.count + end <= Limits.gtidBytesMax {
            gathered.append(contentsOf: line.part(0, end))
            mysql.gtid = gathered
        }
        guard end < line.count else { return }
        mysql.gtid = nil
        if findings.gtid == nil, !gathered.isEmpty {
            findings.gtid = String(decoding: gathered, as: UTF8.self)
        }
    }

    /// The quote of a name that is not closed in its line.
    func quoteLeftOpen(_ line: UnsafeRawBufferPointer, from start: Int) -> UInt8? {
        guard start < line.count, line[start] == Ascii.backtick || line[start] == Ascii.quote else {
            return nil
        }
        return line.part(from: start).hasOddCount(of: line[start]) ? line[start] : nil
    }

    /// A name, quoted with backticks, double quotes (doubled inside) or, in comments, single
    /// quotes, or bare.
    func name(_ line: UnsafeRawBufferPointer, from start: Int) -> String {
        guard start < line.count else { return "" }
        let quote = line[start]
        guard quote == Ascii.backtick || quote == Ascii.doubleQuote || quote == Ascii.quote else {
            var end = start
            while end < line.count, line[end] > Ascii.space, line[end] != UInt8(ascii: "("),
                line[end] != Ascii.semicolon
            { end += 1 }
            return line.part(start, end).name
        }
        var bytes: [UInt8] = []
        var at = start + 1
        while at < line.count, bytes.count < Limits.nameBytesMax {
            if line[at] == quote {
                let isDoubled = at + 1 < line.count && line[at + 1] == quote
                guard isDoubled else { return String(decoding: bytes, as: UTF8.self) }
                at += 1
            }
            bytes.append(line[at])
            at += 1
        }
        // it goes on in the next line, or is longer than is kept
        return String(decoding: bytes, as: UTF8.self) + "..."
    }
}
