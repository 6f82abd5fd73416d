/// Follows dumps written as SQL text (and mysqldump's XML).
///
/// Lines of rows are skipped from newline to newline. Every other line of a dump is lexed, so that only lines in code
/// are taken for the dump's own; of each at most `Limits.lineBytesMax` are looked at, and gathered where a line lies
/// across two parts.
struct TextWalker: StreamWalker {
    enum Mode {
        /// Before, between and after dumps.
        case outside
        case mysql
        /// The rows of an INSERT, until a line ends with a semicolon.
        case mysqlRows
        /// After `DELIMITER ;;`: bodies of routines, triggers and events, as users wrote them.
        case mysqlBody
        case xml
        case postgres
        /// The rows of a COPY, until `\.`.
        case copyRows
        case sqlite
    }

    /// What a line's beginning says about the rest of it.
    enum Treatment {
        /// The rest of the line does not matter.
        case done
        case lex
        /// The whole line was looked at, and a literal is open at its end.
        case opensLiteral
    }

    private enum Phase {
        case lineStart
        /// The line's beginning is in `carry`.
        case gathering
        /// The rest of the line does not matter.
        case skipping
        case lexing
    }

    private var phase = Phase.lineStart
    private var carry: [UInt8] = []
    /// Where the bytes being read begin in the stream.
    private var offset: UInt64 = 0
    /// The last two bytes read, the newest lowest.
    private var tail: UInt16 = 0

    var mode = Mode.outside
    var lexer = SQLLexer()
    /// Where the current line begins in the stream.
    var lineOffset: UInt64 = 0
    /// Where the last line begins that was only `--`, if it is the one before.
    var ruleOffset: UInt64?
    var parts: [TextPart] = []
    var failure: StreamEnd?
    var endsSeen = 0
    /// A dump without a promised end was among them.
    var hasUnpromised = false
    /// Where the line before begins, if it is the first of a dump of sqlite.
    private var pragmaOffset: UInt64?
    /// Where text begins that stands after the last dump.
    var trailingText: UInt64?
    var findings = Findings()

    var database: String?
    var mysql = MysqlState()
    var postgres = PostgresState()

    // MARK: reading

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var at = 0
        while at < bytes.count {
            switch phase {
            case .lineStart: at = readLines(bytes, at)
            case .gathering: at = gather(bytes, at)
            case .skipping: at = skipLine(bytes, at)
            case .lexing: at = lex(bytes, at)
            }
        }
        for byte in bytes.part(bytes.count - 2, bytes.count) { tail = tail << 8 | UInt16(byte) }
        offset += UInt64(bytes.count)
    }

    /// Whole lines, as long as they lie in these bytes.
    private mutating func readLines(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count, phase == .lineStart {
            switch mode {
            case .mysqlRows: at = skipInsertRows(bytes, at)
            case .copyRows: at = skipCopyRows(bytes, at)
            case .xml: at = skipXMLRows(bytes, at)
            default: break
            }
            guard at < bytes.count, phase == .lineStart else { break }
            lineOffset = offset + UInt64(at)
            guard let newline = bytes.position(of: Ascii.newline, from: at) else {
                phase = .gathering
                break
            }
            let line = bytes.part(at, min(newline, at + Limits.lineBytesMax))
            switch treat(line, isWhole: newline - at <= Limits.lineBytesMax) {
            case .done:
                at = newline + 1
                lineEnded(endsStatement(bytes, newline))
            case .lex: at = lex(bytes, at)
            case .opensLiteral:
                lexer.openLiteral()
                phase = .lexing
                at = newline + 1
            }
        }
        return at
    }

    /// A line that lies across parts: its beginning is kept until it is whole or long enough.
    private mutating func gather(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let newline = bytes.position(of: Ascii.newline, from: start)
        let end = newline ?? bytes.count
        let taken = min(Limits.lineBytesMax - carry.count, end - start)
        carry.append(contentsOf: bytes.part(start, start + taken))
        let isWhole = start + taken == end
        if isWhole, newline == nil { return end }

        var line = carry
        carry = []
        let treatment = line.withUnsafeBytes { treat($0, isWhole: isWhole) }
        phase = .lineStart
        switch treatment {
        case .done:
            if isWhole {
                lineEnded(line.withUnsafeBytes { endsStatement($0, $0.count) })
            } else {
                phase = .skipping
            }
        case .lex:
            if isWhole { line.append(Ascii.newline) }
            _ = line.withUnsafeBytes { lex($0, 0) }
        case .opensLiteral:
            lexer.openLiteral()
            phase = .lexing
        }
        line.removeAll(keepingCapacity: true)
        carry = line
        return isWhole ? end + 1 : start + taken
    }

    private mutating func skipLine(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard let newline = bytes.position(of: Ascii.newline, from: start) else {
            return bytes.count
        }
        phase = .lineStart
        lineEnded(endsStatement(bytes, newline))
        return newline + 1
    }

    private mutating func lex(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let (next, ended) = lexer.run(bytes, from: start)
        phase = ended ? .lineStart : .lexing
        if ended { lexedLineEnded() }
        return next
    }

    /// Whether the byte before this newline is a semicolon.
    private func endsStatement(_ bytes: UnsafeRawBufferPointer, _ newline: Int) -> Bool {
        func byte(_ back: Int) -> UInt8 {
            if newline >= back { return bytes[newline - back] }
            return UInt8(truncatingIfNeeded: tail >> UInt16(8 * (back - newline - 1)))
        }
        return byte(1) == Ascii.semicolon
            || byte(1) == Ascii.carriageReturn && byte(2) == Ascii.semicolon
    }

    // MARK: rows

    /// Rows hold no raw newlines: a line that does not begin like one is none, though the statement has not ended.
    private mutating func skipInsertRows(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let first = bytes[at]
            guard first == Ascii.openParenthesis || first == Ascii.tab || first == Ascii.space else {
                mode = .mysql
                return at
            }
            guard let newline = bytes.position(of: Ascii.newline, from: at) else {
                phase = .skipping
                return bytes.count
            }
            at = newline + 1
            if endsStatement(bytes, newline) {
                mode = .mysql
                return at
            }
        }
        return at
    }

    private mutating func skipCopyRows(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count, bytes[at] != Ascii.backslash, bytes[at] != Ascii.dash {
            guard let newline = bytes.position(of: Ascii.newline, from: at) else {
                phase = .skipping
                return bytes.count
            }
            at = newline + 1
        }
        return at
    }

    /// `<` is escaped in data: only the dump's own lines begin with it, after tabs, and what matters stands after
    /// at most one of them.
    private mutating func skipXMLRows(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let isField = at + 1 < bytes.count && bytes[at + 1] == Ascii.tab
            if bytes[at] == Ascii.less || bytes[at] == Ascii.tab && !isField { break }
            guard let newline = bytes.position(of: Ascii.newline, from: at) else {
                phase = .skipping
                return bytes.count
            }
            at = newline + 1
        }
        return at
    }

    // MARK: lines

    /// Looks at the beginning of a line that stands in code.
    private mutating func treat(_ line: UnsafeRawBufferPointer, isWhole: Bool) -> Treatment {
        let rule = ruleOffset
        ruleOffset = nil
        let text = isWhole ? line.withoutReturn : line
        if text.isEmpty { return .done }
        if text.equals("--"), mode != .mysqlBody, mode != .copyRows {
            ruleOffset = lineOffset
            mysql.openQuote = nil
            return .done
        }
        switch mode {
        case .outside: return treatOutside(text, rule)
        case .mysql, .mysqlRows: return treatMysql(text, rule)
        case .mysqlBody: return treatMysqlBody(text)
        case .xml: return treatXML(text)
        case .postgres: return treatPostgres(text, rule, isWhole: isWhole)
        case .copyRows: return treatCopyRow(text)
        case .sqlite: return treatSqlite(text, isWhole: isWhole)
        }
    }

    /// A line that was not lexed ended.
    private mutating func lineEnded(_ endsStatement: Bool) {
        if mode == .mysqlRows, endsStatement { mode = .mysql }
    }

    private mutating func lexedLineEnded() {
        switch mode {
        case .mysqlBody: mysqlBodyLineEnded()
        case .postgres: postgresLineEnded()
        default: break
        }
    }

    private mutating func treatOutside(
        _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        let pragma = pragmaOffset
        pragmaOffset = nil
        if line.equals("PRAGMA foreign_keys=OFF;") { pragmaOffset = lineOffset }
        if let pragma, line.equals("BEGIN TRANSACTION;") { return open(.sqlite, line, pragma) }
        if let mark = TextMark(line, next: line.part(0, 0)) { return open(mark, line, rule) }
        if endsSeen > 0, trailingText == nil, pragmaOffset == nil, !isLeftover(line) {
            trailingText = lineOffset
        }
        noteErrors(line)
        return .done
    }

    /// What a dump may write after the line that ends it.
    private func isLeftover(_ line: UnsafeRawBufferPointer) -> Bool {
        line.hasPrefix("-- Dump completed") || line.hasPrefix("\\unrestrict ")
    }

    /// A producer's complaint that came into the stream with `2>&1`.
    /// - Returns: whether the line is one; it is not SQL then.
    @discardableResult
    mutating func noteErrors(_ line: UnsafeRawBufferPointer) -> Bool {
        let isComplaint =
            line.hasPrefix("mysqldump: ") || line.hasPrefix("mariadb-dump: ")
            || line.hasPrefix("pg_dump: ") || line.hasPrefix("pg_dumpall: ")
            || line.hasPrefix("Warning: ") || line.hasPrefix("Error: near line ")
        if isComplaint {
            findings.warn(
                "a message of the producer is in the stream at byte \(lineOffset): \(line.part(0, 200).name)")
        }
        return isComplaint
    }

    // MARK: parts

    mutating func setPlace(_ place: TextPart.Place) {
        if let index = parts.indices.last { parts[index].place = place }
    }

    /// A line that opens a dump; one that is open without having ended was cut off.
    mutating func open(
        _ mark: TextMark, _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        let start = rule ?? lineOffset
        trailingText = nil
        switch mark {
        case .mysqlHeader, .mysqlSandbox, .mysqlSaves, .mysqlCompact:
            giveUpParts(keeping: nil)
            begin(TextPart(.mysql, start: mark == .mysqlSandbox ? lineOffset : start))
            return treatMysql(line, rule)
        case .mysqlXML:
            giveUpParts(keeping: nil)
            begin(TextPart(.xml, start: start))
            findings.tool = findings.tool ?? "mysqldump"
        case .postgres:
            giveUpParts(keeping: .cluster)
            begin(TextPart(.postgres, start: start))
            findings.tool = findings.tool ?? "pg_dump"
        case .cluster:
            giveUpParts(keeping: nil)
            begin(TextPart(.cluster, start: start))
            findings.tool = "pg_dumpall"
        case .sqlite:
            giveUpParts(keeping: nil)
            begin(TextPart(.sqlite, start: start))
            findings.tool = findings.tool ?? "sqlite3"
        }
        return .done
    }

    private mutating func begin(_ part: TextPart) {
        guard parts.count < Limits.openPartsMax else { return }
        parts.append(part)
        enterMode()
    }

    /// The mode that the innermost open part asks for.
    private mutating func enterMode() {
        switch parts.last?.kind {
        case nil: mode = .outside
        case .mysql:
            mode = .mysql
            lexer.reset(to: .mysql)
        case .xml: mode = .xml
        case .postgres, .cluster:
            mode = .postgres
            lexer.reset(to: .postgres)
        case .sqlite:
            mode = .sqlite
            lexer.reset(to: .sqlite)
        }
    }

    /// The innermost part ended as it promised.
    mutating func closePart(sectionEnd: UInt64) {
        findings.tables.end(at: sectionEnd)
        guard parts.popLast() != nil else { return }
        endsSeen += 1
        enterMode()
    }

    /// Parts that are open where another dump begins were cut off there.
    private mutating func giveUpParts(keeping kind: TextPart.Kind?) {
        while let part = parts.last, part.kind != kind {
            giveUp(part, at: lineOffset)
            parts.removeLast()
        }
        findings.tables.end(at: lineOffset)
    }

    /// The innermost part was cut off here, and the one around it goes on.
    mutating func giveUpInner() {
        guard let part = parts.popLast() else { return }
        giveUp(part, at: lineOffset)
        enterMode()
    }

    private mutating func giveUp(_ part: TextPart, at end: UInt64) {
        guard let wanted = part.wanted else {
            if part.kind == .mysql, !part.hasSavedVariables { hasUnpromised = true }
            return
        }
        guard failure == nil else { return }
        failure = .missing(at: end, inside: part.placeText, wanted: wanted)
    }

    // MARK: the end

    /// The last line has no newline: the first of a dump that was cut off there, or text.
    private mutating func finishOutside() {
        let isOpening = carry.withUnsafeBytes { line in
            TextMark(line, next: line.part(0, 0)) != nil
                || pragmaOffset != nil && line.hasPrefix("BEGIN TRANSACTION;")
        }
        if isOpening {
            failure =
                failure
                ?? .missing(
                    at: offset, inside: "its first line", wanted: "everything after it")
        } else if endsSeen > 0, trailingText == nil {
            trailingText = lineOffset
        }
    }

    mutating func finish(_ report: inout StreamReport) {
        let end = offset
        let isInLine = phase != .lineStart || !lexer.isInCode
        findings.tables.end(at: end)
        if let part = parts.last {
            if part.wanted == nil, isInLine || mode == .mysqlRows || mode == .mysqlBody {
                failure =
                    failure
                    ?? .missing(
                        at: end, inside: part.placeText, wanted: "the end of the statement")
            }
            giveUp(part, at: end)
        } else if phase == .gathering {
            finishOutside()
        }
        if let trailingText {
            findings.note(
                "\(describeSize(end - trailingText)) of text follow the end of the dump at byte \(trailingText)")
        }
        findings.fill(&report)
        report.end = failure ?? (endsSeen > 0 && !hasUnpromised ? .seen : .notPromised)
    }
}
