/// The text of sqlite's `.dump`, and the XML of mysqldump.
extension TextWalker {
    /// One transaction: `COMMIT;` ends it; after errors sqlite3 writes `ROLLBACK; -- due to errors`
    /// instead.
    mutating func treatSqlite(_ line: UnsafeRawBufferPointer, isWhole: Bool) -> Treatment {
        switch line[0] {
        case UInt8(ascii: "I") where isWhole && line.hasPrefix("INSERT INTO "):
            let literal = line.position(of: Ascii.quote) ?? line.count
            if line.part(0, literal).position(of: Ascii.doubleQuote) != nil { return .lex }
            return line.part(from: literal).hasOddCount(of: Ascii.quote) ? .opensLiteral : .done
        case UInt8(ascii: "C") where line.equals("COMMIT;"):
            closePart(sectionEnd: lineOffset)
            return .done
        case UInt8(ascii: "C") where line.hasPrefix("CREATE "): beginSqliteSection(line)
        case UInt8(ascii: "R") where line.hasPrefix("ROLLBACK;"):
            findings.warn("sqlite3 met errors and rolled the dump back at byte \(lineOffset)")
        case UInt8(ascii: "E"): if noteErrors(line) { return .done }
        default: break
        }
        return .lex
    }

    private mutating func beginSqliteSection(_ line: UnsafeRawBufferPointer) {
        guard line.hasPrefix("CREATE TABLE ") else {
            findings.tables.end(at: lineOffset)
            setPlace(.statement("the indexes, views and triggers"))
            return
        }
        var start = 13
        if line.matches("IF NOT EXISTS ", at: start) { start += 14 }
        var title = name(line, from: start)
        if start < line.count, line[start] == Ascii.openBracket {
            let end = line.position(of: Ascii.closeBracket, from: start) ?? line.count
            title = line.part(start + 1, end).name
        }
        setPlace(.named(kind: "table", database: nil, schema: nil, name: title))
        findings.tables.begin(database: nil, schema: nil, name: title, at: lineOffset)
    }

    mutating func treatXML(_ line: UnsafeRawBufferPointer) -> Treatment {
        if line.equals("</mysqldump>") {
            closePart(sectionEnd: lineOffset)
        } else if line.hasPrefix("<database name=\"") {
            let title = attribute(line, from: 16)
            database = title
            findings.add(database: title)
            findings.tables.end(at: lineOffset)
            setPlace(.named(kind: "database", database: nil, schema: nil, name: title))
        } else if line.hasPrefix("\t<table_structure name=\"") {
            beginXMLTable(attribute(line, from: 24))
        } else if line.hasPrefix("\t<table_data name=\"") {
            beginXMLTable(attribute(line, from: 19))
        } else if line.hasPrefix("</database>") {
            findings.tables.end(at: lineOffset)
        }
        return .done
    }

    private mutating func beginXMLTable(_ title: String) {
        setPlace(.named(kind: "table", database: database, schema: nil, name: title))
        findings.tables.begin(database: database, schema: nil, name: title, at: lineOffset)
    }

    private func attribute(_ line: UnsafeRawBufferPointer, from start: Int) -> String {
        let end = line.position(of: Ascii.doubleQuote, from: start) ?? line.count
        var value = ""
        var rest = line.part(start, end)
        let entities: [(StaticString, Character)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
        ]
        rest = rest.part(0, Limits.nameBytesMax)
        while let mark = rest.position(of: UInt8(ascii: "&")) {
            value += rest.part(0, mark).name
            let entity = entities.first { rest.matches($0.0, at: mark) }
            value.append(entity?.1 ?? "&")
            rest = rest.part(from: mark + (entity?.0.utf8CodeUnitCount ?? 1))
        }
        return value + rest.name
    }
}
