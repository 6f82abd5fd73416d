/// Tells code from literals, quoted names and comments, so that what a user wrote into them fakes
/// no line of a dump.
///
/// It takes bytes in parts of any size and stops after each newline that stands in code: only there
/// may a line of the dump itself begin. Literals and comments may run over many lines.
struct SQLLexer {
    enum Dialect { case mysql, postgres, sqlite }

    private enum State {
        case code
        case quoted(by: UInt8)
        /// After a backslash in a literal.
        case escaped(in: UInt8)
        case lineComment
        case blockComment
        /// After `/*`: MySQL executes what stands in `/*!` and `/*M!`.
        case commentStart, commentStartM
        /// After `--` in MySQL: a comment only where white space follows.
        case dashes
        /// After `$`: perhaps the first mark of a dollar-quoted literal.
        case dollarTag
        case dollarQuoted
        /// Inside what may be the closing mark; so many bytes of the tag were met.
        case dollarEnd(matched: Int)
    }

    private(set) var dialect: Dialect = .mysql
    /// A backslash in a literal takes the next byte with it (MySQL, unless NO_BACKSLASH_ESCAPES).
    var hasBackslashEscapes = true
    /// `"` quotes names, in which a backslash means itself (MySQL's ANSI_QUOTES).
    var hasAnsiQuotes = false
    private var state = State.code
    /// The byte before, where it may be the first of a two-byte mark; 0 elsewhere.
    private var previous: UInt8 = 0
    private var depth = 0
    private var tag: [UInt8] = []
    /// The last 16 bytes taken, the newest lowest.
    private var tail: UInt128 = 0
    /// The line that ended in code ended with a line comment.
    private(set) var endedInComment = false

    var isInCode: Bool {
        if case .code = state { true } else { false }
    }

    mutating func reset(to dialect: Dialect) {
        self = SQLLexer()
        self.dialect = dialect
        hasBackslashEscapes = dialect == .mysql
    }

    /// The caller found that a single-quoted literal is open.
    mutating func openLiteral() {
        state = .quoted(by: Ascii.quote)
        previous = 0
    }

    /// Takes bytes from `start` on, until a line ended in code or all are taken.
    /// - Returns: the position after the last byte taken, and whether a line ended.
    mutating func run(_ bytes: UnsafeRawBufferPointer, from start: Int) -> (next: Int, ended: Bool)
    {
        var at = start
        var ended = false
        while at < bytes.count, !ended {
            switch state {
            case .code: (at, ended) = runCode(bytes, at)
            case .quoted(let mark): at = runQuoted(bytes, at, mark)
            case .escaped(let mark):
                state = .quoted(by: mark)
                at += 1
            case .lineComment:
                guard let newline = bytes.position(of: Ascii.newline, from: at) else {
                    at = bytes.count
                    break
                }
                (at, ended) = (newline + 1, true)
                endedInComment = true
                enter(.code)
            case .blockComment: at = runBlockComment(bytes, at)
            case .commentStart, .commentStartM: at = startComment(bytes, at)
            case .dashes: enter(bytes[at] <= Ascii.space ? .lineComment : .code)
            case .dollarTag: at = runDollarTag(bytes, at)
            case .dollarQuoted:
                guard let mark = bytes.position(of: Ascii.dollar, from: at) else {
                    at = bytes.count
                    break
                }
                state = .dollarEnd(matched: 0)
                at = mark + 1
            case .dollarEnd(let matched): at = runDollarEnd(bytes, at, matched)
            }
        }
        for byte in bytes.part(max(start, at - 16), at) { tail = tail << 8 | UInt128(byte) }
        return (at, ended)
    }

    /// Whether the line that just ended, without its newline, ended with this text of at most 14
    /// bytes.
    func lineEnded(with text: [UInt8]) -> Bool {
        var rest = tail >> 8
        if UInt8(truncatingIfNeeded: rest) == Ascii.carriageReturn { rest >>= 8 }
        for byte in text.reversed() {
            if UInt8(truncatingIfNeeded: rest) != byte { return false }
            rest >>= 8
        }
        return true
    }

    private mutating func enter(_ next: State) {
        state = next
        previous = 0
    }

    private mutating func runCode(
        _ bytes: UnsafeRawBufferPointer, _ start: Int
    ) -> (next: Int, ended: Bool) {
        var at = start
        var before = previous
        defer { if isInCode { previous = before } }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case Ascii.newline:
                before = 0
                endedInComment = false
                return (at, true)
            case Ascii.quote, Ascii.doubleQuote:
                enter(.quoted(by: byte))
                return (at, false)
            case Ascii.backtick where dialect != .postgres:
                enter(.quoted(by: byte))
                return (at, false)
            case Ascii.openBracket where dialect == .sqlite:
                enter(.quoted(by: Ascii.closeBracket))
                return (at, false)
            case Ascii.dash where before == Ascii.dash:
                enter(dialect == .mysql ? .dashes : .lineComment)
                return (at, false)
            case Ascii.hash where dialect == .mysql:
                enter(.lineComment)
                return (at, false)
            case Ascii.star where before == Ascii.slash:
                enter(dialect == .mysql ? .commentStart : .blockComment)
                depth = 1
                return (at, false)
            case Ascii.slash where before == Ascii.star:
                // the end of an executed comment, not the beginning of one
                before = 0
            case Ascii.dollar where dialect == .postgres && !Ascii.isIdentifier(before):
                enter(.dollarTag)
                tag.removeAll(keepingCapacity: true)
                return (at, false)
            default: before = byte
            }
        }
        return (at, false)
    }

    /// A doubled mark closes the literal and opens it again at once, which comes to the same.
    private mutating func runQuoted(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ mark: UInt8
    ) -> Int {
        let escapes =
            dialect == .mysql && hasBackslashEscapes
            && (mark == Ascii.quote || mark == Ascii.doubleQuote && !hasAnsiQuotes)
        guard escapes else {
            guard let end = bytes.position(of: mark, from: start) else { return bytes.count }
            enter(.code)
            // so that `'a'$b` does not look like a name with a dollar in it
            return end + 1
        }
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == mark {
                enter(.code)
                return at
            }
            if byte == Ascii.backslash {
                state = .escaped(in: mark)
                return at
            }
        }
        return at
    }

    private mutating func runBlockComment(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        var before = previous
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == Ascii.slash, before == Ascii.star {
                before = 0
                depth -= 1
                if depth == 0 {
                    enter(.code)
                    return at
                }
            } else if byte == Ascii.star, before == Ascii.slash, dialect == .postgres {
                before = 0
                depth += 1
            } else {
                before = byte
            }
        }
        previous = before
        return at
    }

    private mutating func startComment(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        if bytes[at] == Ascii.bang {
            enter(.code)
            return at + 1
        }
        if case .commentStart = state, bytes[at] == UInt8(ascii: "M") {
            state = .commentStartM
            return at + 1
        }
        enter(.blockComment)
        return at
    }

    private mutating func runDollarTag(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        let byte = bytes[at]
        if byte == Ascii.dollar {
            enter(.dollarQuoted)
            return at + 1
        }
        let mayStand = Ascii.isIdentifier(byte) && !(tag.isEmpty && Ascii.isDigit(byte))
        guard mayStand, tag.count < Limits.dollarTagBytesMax else {
            enter(.code)
            previous = tag.last ?? Ascii.dollar
            return at
        }
        tag.append(byte)
        return at + 1
    }

    private mutating func runDollarEnd(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ matched: Int
    ) -> Int {
        let byte = bytes[at]
        if matched == tag.count, byte == Ascii.dollar {
            enter(.code)
        } else if matched < tag.count, byte == tag[matched] {
            state = .dollarEnd(matched: matched + 1)
        } else {
            state = byte == Ascii.dollar ? .dollarEnd(matched: 0) : .dollarQuoted
        }
        return at + 1
    }
}
