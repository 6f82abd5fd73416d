/// What is kept while following the text of mysqldump and mariadb-dump.
struct MysqlState {
    /// An INSERT up to its VALUES, as it was last seen: the same again is not taken apart.
    var insertPrefix: [UInt8] = []
    var table: String?
    var delimiter: [UInt8] = []
    /// In bodies: the code before ended with the delimiter, so `DELIMITER ;` may follow.
    var statementEnded = false
    /// A name in a comment runs on into the next lines, which are comments too, until this quote
    /// closes it.
    var openQuote: UInt8?
    /// A GTID set that runs over several lines.
    var gtid: [UInt8]?
    /// The positions that follow are those of the server's own source (`--dump-slave`).
    var isSourcePosition = false
}

/// The text of mysqldump and mariadb-dump.
///
/// The header promises `-- Dump completed`; a name with a newline in it can bring that very line
/// into a comment, so it counts only after all variables that the header saved in `@OLD_` were set
/// back. With `--skip-comments` the last of these is the end. With `--compact` there is neither:
/// nothing is promised.
extension TextWalker {
    mutating func treatMysql(_ line: UnsafeRawBufferPointer, _ rule: UInt64?) -> Treatment {
        if mysql.gtid != nil {
            gatherGtid(line)
            return .done
        }
        if mysql.openQuote != nil, !line.hasPrefix("-- ") { mysql.openQuote = nil }
        switch line[0] {
        case Ascii.dash where line.hasPrefix("-- "): return treatMysqlComment(line, rule)
        case UInt8(ascii: "I") where line.hasPrefix("INSERT "),
            UInt8(ascii: "R") where line.hasPrefix("REPLACE "):
            return treatInsert(line)
        case Ascii.slash: return treatMysqlConditional(line, rule)
        case UInt8(ascii: "D") where line.hasPrefix("DELIMITER "):
            mysql.delimiter = Array(line.part(10, 24))
            mysql.statementEnded = true
            mode = .mysqlBody
            return .done
        case UInt8(ascii: "C"):
            if line.hasPrefix("CREATE TABLE ") {
                beginMysqlTable(name(line, from: 13), at: lineOffset)
            } else if line.hasPrefix("CHANGE ") {
                keepPosition(line)
            }
        case UInt8(ascii: "U") where line.hasPrefix("USE "): use(name(line, from: 4))
        case UInt8(ascii: "S"): return treatMysqlSet(line)
        case UInt8(ascii: "m"), UInt8(ascii: "W"): if noteErrors(line) { return .done }
        default: break
        }
        return .lex
    }

    // MARK: comments

    private mutating func treatMysqlComment(
        _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        if let quote = mysql.openQuote {
            if line.position(of: quote) != nil { mysql.openQuote = nil }
            return .done
        }
        if let mark = TextMark(comment: line) {
            guard mark == .mysqlHeader, let part = parts.last, part.isFresh else {
                return open(mark, line, rule)
            }
            parts[parts.count - 1].hasHeader = true
            keepMysqlTool(line)
            return .done
        }
        let text = line.part(from: 3)
        if text.hasPrefix("Dump completed") {
            completeMysql(line)
        } else if let (section, length) = mysqlSection(text) {
            beginMysqlSection(section, text, length, at: rule ?? lineOffset)
        } else {
            keepMysqlHeader(text)
        }
        return .done
    }

    private enum Section { case table, database, view, sequence, events, routines }

    private func mysqlSection(_ text: UnsafeRawBufferPointer) -> (section: Section, length: Int)? {
        let sections: [(StaticString, Section)] = [
            ("Table structure for table ", .table), ("Dumping data for table ", .table),
            ("Current Database: ", .database), ("Sequence structure for ", .sequence),
            ("Temporary table structure for view ", .view),
            ("Temporary view structure for view ", .view),
            ("Final view structure for view ", .view),
            ("Dumping events for database ", .events),
            ("Dumping routines for database ", .routines),
        ]
        for (beginning, section) in sections where text.hasPrefix(beginning) {
            return (section, beginning.utf8CodeUnitCount)
        }
        return nil
    }

    private mutating func beginMysqlSection(
        _ section: Section, _ text: UnsafeRawBufferPointer, _ length: Int, at start: UInt64
    ) {
        let title = name(text, from: length)
        mysql.openQuote = quoteLeftOpen(text, from: length)
        func named(_ kind: String, of database: String?) -> TextPart.Place {
            .named(kind: kind, database: database, schema: nil, name: title)
        }
        switch section {
        case .table: beginMysqlTable(title, at: start)
        case .database:
            endMysqlSection(named("database", of: nil), at: start)
            use(title)
        case .view: endMysqlSection(named("view", of: database), at: start)
        case .sequence: endMysqlSection(named("sequence", of: database), at: start)
        case .events: endMysqlSection(named("the events of", of: nil), at: start)
        case .routines: endMysqlSection(named("the routines of", of: nil), at: start)
        }
    }

    /// `-- Dump completed`, alone or with ` on 2026-11-21  4:04:29`.
    private mutating func completeMysql(_ line: UnsafeRawBufferPointer) {
        guard let part = parts.last, part.hasHeader, part.savedVariables.isEmpty else { return }
        findings.addVolatile(lineOffset..<lineOffset + UInt64(line.count))
        closePart(sectionEnd: lineOffset)
    }

    // MARK: statements

    /// `/*!40101 SET ... */;` and the like.
    private mutating func treatMysqlConditional(
        _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        if line.opensSandbox {
            guard parts.last?.start != lineOffset else { return .done }
            return open(.mysqlSandbox, line, nil)
        }
        if line.hasPrefix("/* SET @@GLOBAL.GTID_PURGED=") {
            beginGtid(line.part(from: 28))
            return .done
        }
        applySqlMode(line)
        let text = line.part(0, 200)
        guard let mark = text.position(of: "@OLD_") else { return .lex }
        let rest = text.part(from: mark + 5)
        var length = 0
        while length < rest.count,
            Ascii.isLetter(rest[length]) || rest[length] == UInt8(ascii: "_")
        { length += 1 }
        let variable = Array(rest.part(0, length))
        // mysqldump-php saves it at the beginning, and not every version sets it back
        if rest.part(0, length).equals("AUTOCOMMIT") { return .lex }
        if rest.matches("=@@", at: length) {
            return saveVariable(variable, line, rule)
        }
        return setBack(variable) ? .done : .lex
    }

    /// A variable that is saved twice was saved by two dumps.
    private mutating func saveVariable(
        _ variable: [UInt8], _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        guard let part = parts.last, !part.savedVariables.contains(variable) else {
            return open(.mysqlSaves, line, rule)
        }
        if part.savedVariables.count < Limits.savedVariablesMax {
            parts[parts.count - 1].savedVariables.append(variable)
            parts[parts.count - 1].hasSavedVariables = true
        }
        return .lex
    }

    /// - Returns: whether the dump ended with it.
    private mutating func setBack(_ variable: [UInt8]) -> Bool {
        guard let part = parts.last,
            let index = part.savedVariables.firstIndex(of: variable)
        else { return false }
        parts[parts.count - 1].savedVariables.remove(at: index)
        endMysqlSection(.closing, at: lineOffset)
        guard !part.hasHeader, part.savedVariables.count == 1 else { return false }
        closePart(sectionEnd: lineOffset)
        return true
    }

    private mutating func treatMysqlSet(_ line: UnsafeRawBufferPointer) -> Treatment {
        if line.hasPrefix("SET @@GLOBAL.GTID_PURGED=") {
            beginGtid(line.part(from: 25))
            return .done
        }
        if line.hasPrefix("SET GLOBAL gtid_slave_pos='") { keepGtid(line, from: 27) }
        return .lex
    }

    /// Rows hold no raw newlines; a name before them may.
    private mutating func treatInsert(_ line: UnsafeRawBufferPointer) -> Treatment {
        if !mysql.insertPrefix.isEmpty, line.hasPrefix(mysql.insertPrefix) {
            mode = .mysqlRows
            return .done
        }
        guard let into = line.part(0, 64).position(of: " INTO ") else { return .lex }
        let nameStart = into + 6
        var quote: UInt8?
        var at = nameStart
        while at < line.count {
            let byte = line[at]
            if let mark = quote {
                if byte == mark { quote = nil }
            } else if byte == Ascii.backtick || byte == Ascii.doubleQuote {
                quote = byte
            } else if byte == UInt8(ascii: "V"), line.matches("VALUES", at: at) {
                break
            } else if byte == Ascii.quote {
                return .lex
            }
            at += 1
        }
        guard at < line.count else { return .lex }
        let table = name(line, from: nameStart)
        if table != mysql.table { beginMysqlTable(table, at: lineOffset) }
        if at < Limits.nameBytesMax * 4 { mysql.insertPrefix = Array(line.part(0, at + 6)) }
        mode = .mysqlRows
        return .done
    }

    // MARK: bodies

    mutating func treatMysqlBody(_ line: UnsafeRawBufferPointer) -> Treatment {
        guard mysql.statementEnded else { return .lex }
        if line.hasPrefix("DELIMITER ") {
            mysql.delimiter = Array(line.part(10, 24))
            if line.equals("DELIMITER ;") { mode = .mysql }
            return .done
        }
        applySqlMode(line)
        return .lex
    }

    mutating func mysqlBodyLineEnded() {
        mysql.statementEnded = !lexer.endedInComment && lexer.lineEnded(with: mysql.delimiter)
    }

    /// How the bodies that follow are to be read: `/*!50003 SET sql_mode = '...' */`.
    private mutating func applySqlMode(_ line: UnsafeRawBufferPointer) {
        guard
            line.hasPrefix("/*!50003 SET sql_mode")
                || line.hasPrefix("/*!50003 SET SESSION SQL_MODE")
        else { return }
        lexer.hasBackslashEscapes = line.position(of: "NO_BACKSLASH_ESCAPES") == nil
        lexer.hasAnsiQuotes = line.position(of: "ANSI_QUOTES") != nil
    }
}
