/// Dumps among other text: what opens them, what closes them, and what is said of the one that was
/// cut off.
extension TextWalker {
    mutating func treatOutside(
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
                "a message of the producer is in the stream at byte \(lineOffset): "
                    + line.part(0, 200).name
            )
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
                "\(describeSize(end - trailingText)) of text follow the end of the dump "
                    + "at byte \(trailingText)"
            )
        }
        if endsSeen == 0, parts.isEmpty, failure == nil {
            findings.note("no dump began in this text")
        }
        findings.fill(&report)
        report.end = failure ?? (endsSeen > 0 && !hasUnpromised ? .seen : .notPromised)
    }
}
