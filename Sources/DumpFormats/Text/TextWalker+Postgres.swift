/// What is kept while following the text of pg_dump and pg_dumpall.
struct PostgresState {
    /// A COPY began whose rows follow once the statement has ended.
    var isCopyPending = false
    var hasManyColumns = false
    /// An INSERT whose rows stand on lines of their own.
    var isInInsert = false

    static let copyEnd = Array(" FROM stdin;".utf8)
    static let statementEnd: [UInt8] = [Ascii.semicolon]
}

/// The text of pg_dump and pg_dumpall.
///
/// pg_dump doubles quotes in all literals, whatever standard_conforming_strings says, and writes no
/// newline of a user's into a comment; bodies stand in dollar quotes. Newer versions bracket the
/// dump with `\restrict KEY` and `\unrestrict KEY`, which comes after the line that says complete.
extension TextWalker {
    mutating func treatPostgres(
        _ line: UnsafeRawBufferPointer, _ rule: UInt64?, isWhole: Bool
    ) -> Treatment {
        switch line[0] {
        case Ascii.dash where line.hasPrefix("--"):
            return treatPostgresComment(line, rule)
        case Ascii.backslash:
            treatMetaCommand(line)
            return .done
        case UInt8(ascii: "I") where isWhole && line.hasPrefix("INSERT INTO "):
            let literal = line.position(of: Ascii.quote) ?? line.count
            // a name in double quotes may hold single ones
            if line.part(0, literal).position(of: Ascii.doubleQuote) != nil { return .lex }
            postgres.isInInsert = line.last != Ascii.semicolon
            return line.part(from: literal).hasOddCount(of: Ascii.quote) ? .opensLiteral : .done
        case Ascii.tab where isWhole && postgres.isInInsert && line.hasPrefix("\t("):
            return line.hasOddCount(of: Ascii.quote) ? .opensLiteral : .done
        case UInt8(ascii: "C") where line.hasPrefix("COPY "):
            postgres.isCopyPending = true
            postgres.hasManyColumns = line.position(of: ", ") != nil
        case UInt8(ascii: "p"): if noteErrors(line) { return .done }
        default: break
        }
        return .lex
    }

    mutating func postgresLineEnded() {
        guard postgres.isCopyPending else { return }
        if lexer.lineEnded(with: PostgresState.copyEnd) {
            postgres.isCopyPending = false
            mode = .copyRows
        } else if lexer.lineEnded(with: PostgresState.statementEnd) {
            postgres.isCopyPending = false
        }
    }

    /// A row of one column may be any text; one of several cannot be a header, which holds no tab.
    mutating func treatCopyRow(_ line: UnsafeRawBufferPointer) -> Treatment {
        if line.equals("\\.") {
            mode = .postgres
        } else if postgres.hasManyColumns, let mark = TextMark(comment: line), mark != .mysqlHeader
        {
            return open(mark, line, nil)
        }
        return .done
    }

    private mutating func treatPostgresComment(
        _ line: UnsafeRawBufferPointer, _ rule: UInt64?
    ) -> Treatment {
        postgres.isInInsert = false
        if let mark = TextMark(comment: line) { return open(mark, line, rule) }
        let text = line.part(from: 3)
        if text.hasPrefix("Name: ") {
            beginPostgresSection(text.part(from: 6), at: rule ?? lineOffset)
        } else if text.hasPrefix("Data for Name: ") {
            beginPostgresSection(text.part(from: 15), at: rule ?? lineOffset)
        } else if text.equals("PostgreSQL database dump complete") {
            completePostgres(.postgres)
        } else if text.equals("PostgreSQL database cluster dump complete") {
            completePostgres(.cluster)
        } else if text.hasPrefix("Dumped from database version ") {
            findings.serverVersion = findings.serverVersion ?? text.part(from: 29).name
        } else if text.hasPrefix("Dumped by pg_dump version ") {
            findings.toolVersion = findings.toolVersion ?? text.part(from: 26).name
        } else if text.hasPrefix("Database \""), let end = text.lastPosition(of: "\" dump") {
            connect(text.part(10, end).name, at: rule ?? lineOffset)
        } else if text.equals("Roles") {
            setPlace(.statement("the roles"))
        }
        return .done
    }

    /// A database's dump that is open where its cluster ends was cut off.
    private mutating func completePostgres(_ kind: TextPart.Kind) {
        if kind == .cluster, parts.last?.kind == .postgres, parts.count > 1 {
            giveUpInner()
        }
        guard let part = parts.last, part.kind == kind else { return }
        findings.tables.end(at: lineOffset)
        setPlace(.closing)
        parts[parts.count - 1].isComplete = true
        if part.restrictKey == nil { closePart(sectionEnd: lineOffset) }
    }

    // MARK: psql's own commands

    private mutating func treatMetaCommand(_ line: UnsafeRawBufferPointer) {
        guard let index = parts.indices.last else { return }
        if line.hasPrefix("\\restrict ") {
            parts[index].restrictKey = Array(line.part(10, 10 + Limits.nameBytesMax))
            findings.addVolatile(lineOffset..<lineOffset + UInt64(line.count))
        } else if line.hasPrefix("\\unrestrict ") {
            guard let key = parts[index].restrictKey else { return }
            guard line.part(12, 12 + Limits.nameBytesMax).elementsEqual(key) else { return }
            findings.addVolatile(lineOffset..<lineOffset + UInt64(line.count))
            parts[index].restrictKey = nil
            if parts[index].isComplete { closePart(sectionEnd: lineOffset) }
        } else if line.hasPrefix("\\connect ") {
            let text = line.part(from: 9)
            let isPlain = !text.hasPrefix("-reuse-previous")
            if isPlain { connect(name(text, from: 0), at: lineOffset) }
        }
    }

    private mutating func connect(_ name: String, at start: UInt64) {
        database = name
        findings.add(database: name)
        findings.tables.end(at: start)
        setPlace(.named(kind: "database", database: nil, schema: nil, name: name))
    }

    // MARK: sections

    /// `orders; Type: TABLE DATA; Schema: public; Owner: o`
    private mutating func beginPostgresSection(_ text: UnsafeRawBufferPointer, at start: UInt64) {
        findings.tables.end(at: start)
        // of a name as long as it may be, so that no line costs more than its length
        let line = text.part(0, 4_096)
        guard let schemaMark = line.lastPosition(of: "; Schema: "),
            let typeMark = line.part(0, schemaMark).lastPosition(of: "; Type: ")
        else { return }
        let name = line.part(0, typeMark).name
        let type = line.part(typeMark + 8, schemaMark)
        let rest = line.part(from: schemaMark + 10)
        let schemaEnd = rest.position(of: "; Owner: ") ?? rest.count
        let schema = rest.part(0, schemaEnd).equals("-") ? nil : rest.part(0, schemaEnd).name
        guard type.equals("TABLE") || type.equals("TABLE DATA") else {
            let kind = type.name.lowercased()
            if type.equals("DATABASE") { connect(name, at: start) }
            setPlace(.named(kind: kind, database: database, schema: schema, name: name))
            return
        }
        setPlace(.named(kind: "table", database: database, schema: schema, name: name))
        findings.tables.begin(database: database, schema: schema, name: name, at: start)
    }
}
