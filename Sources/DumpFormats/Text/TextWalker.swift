/// Follows dumps written as SQL text (and mysqldump's XML).
///
/// Lines of rows are skipped from newline to newline. Every other line of a dump is lexed, so that
/// only lines in code are taken for the dump's own; of each at most `Limits.lineBytesMax` are
/// looked at, and gathered where a line lies across two parts.
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

    enum Phase {
        case lineStart
        /// The line's beginning is in `carry`.
        case gathering
        /// The rest of the line does not matter.
        case skipping
        case lexing
    }

    private(set) var phase = Phase.lineStart
    private(set) var carry: [UInt8] = []
    /// Where the bytes being read begin in the stream.
    private(set) var offset: UInt64 = 0
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
    var pragmaOffset: UInt64?
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

    /// Rows hold no raw newlines: a line that does not begin like one is none, though the statement
    /// has not ended.
    private mutating func skipInsertRows(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let first = bytes[at]
            guard first == Ascii.openParenthesis || first == Ascii.tab || first == Ascii.space
            else {
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

    /// `<` is escaped in data: only the dump's own lines begin with it, after tabs, and what
    /// matters stands after at most one of them.
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
}
