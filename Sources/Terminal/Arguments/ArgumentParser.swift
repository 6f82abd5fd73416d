import Operations

/// Makes sense of a command line.
enum ArgumentParser {
    /// What is wanted.
    enum Request: Sendable {
        case run(Arguments)
        /// Words after `help`, or the command whose `--help` was asked for.
        case help([String])
        /// Nothing: what there is to want.
        case overview
        case version
    }

    /// - Parameter words: without the program's own name.
    static func parse(_ words: [[UInt8]]) throws(UsageError) -> Request {
        var parsing = Parsing(words)
        return try parsing.run()
    }

    /// Whether a command line, right or wrong, asks for JSON lines.
    static func asksForJSON(_ words: [[UInt8]]) -> Bool {
        words.prefix { $0 != Array("--".utf8) }.contains(Array(GlobalOptions.json.flag.utf8))
    }
}

/// One walk over the words.
private struct Parsing {
    private var rest: ArraySlice<[UInt8]>
    /// Options that came before the command.
    private var early: [(Option, [UInt8]?)] = []
    private var arguments: Arguments?
    /// `key`, while its second word is still to come.
    private var group: String?
    private var wantsHelp = false
    private var wantsVersion = false

    private static let dashes = Array("--".utf8)
    private static let filesOption = "files"

    init(_ words: [[UInt8]]) { rest = words[...] }

    mutating func run() throws(UsageError) -> ArgumentParser.Request {
        while let word = rest.popFirst() {
            if word == Self.dashes {
                try takeTheRest()
            } else if word.starts(with: Self.dashes) {
                try takeLong(word)
            } else if word.count > 1 && word[0] == UInt8(ascii: "-") {
                try takeLetters(word)
            } else if try takeWord(word) {
                return .help(try helpWords())
            }
        }
        if wantsHelp {
            return .help(group.map { [$0] } ?? arguments.map { [$0.command.name] } ?? [])
        }
        if wantsVersion { return .version }
        if let group { throw Verbs.incomplete(group) }
        guard let arguments else {
            return .overview
        }
        try checkOperands(arguments)
        return .run(arguments)
    }

    // MARK: words

    /// - Returns: whether the word is `help`, and the rest says of what.
    private mutating func takeWord(_ word: [UInt8]) throws(UsageError) -> Bool {
        if arguments != nil {
            arguments?.add(word)
            return false
        }
        let text = String(decoding: word, as: UTF8.self)
        if group == nil {
            if text == "help" { return true }
            if Verbs.groups.contains(text) {
                group = text
                return false
            }
        }
        let command = try Verbs.command(group.map { "\($0) \(text)" } ?? text)
        group = nil
        var arguments = Arguments(command)
        for (option, value) in early { try arguments.set(option, value) }
        self.arguments = arguments
        return false
    }

    private mutating func helpWords() throws(UsageError) -> [String] {
        var words: [String] = []
        while let word = rest.popFirst() {
            let text = String(decoding: word, as: UTF8.self)
            if !text.hasPrefix("-") { words.append(text) }
        }
        return words
    }

    private mutating func takeTheRest() throws(UsageError) {
        guard let understood = arguments else {
            throw UsageError("-- stands before the command", hint: "repo --help shows the commands")
        }
        let command = understood.command
        let words = Array(rest)
        rest = []
        // After `--files` no command can follow: `--` only ends the options there.
        let hasFiles = command.option(named: Self.filesOption).map { understood.has($0) } ?? false
        if command.takesCommandLine && !hasFiles {
            guard !words.isEmpty else {
                throw UsageError(
                    "nothing follows --",
                    hint: "\(command.fullName) --help shows how to run a command")
            }
            arguments?.set(commandLine: words)
        } else {
            for word in words { arguments?.add(word) }
        }
    }

    // MARK: options

    private mutating func takeLong(_ word: [UInt8]) throws(UsageError) {
        let equals = word.firstIndex(of: UInt8(ascii: "="))
        let flag = String(decoding: word[..<(equals ?? word.endIndex)], as: UTF8.self)
        let name = String(flag.dropFirst(2))
        guard let option = find(name) else { throw unknown(flag) }
        var value = equals.map { Array(word[($0 + 1)...]) }
        if option.value == nil {
            guard value == nil else {
                throw UsageError("\(flag) takes no value", hint: "write \(flag) alone")
            }
        } else if value == nil, !option.hasOptionalValue {
            value = try nextValue(of: option)
        }
        try take(option, value)
    }

    private mutating func takeLetters(_ word: [UInt8]) throws(UsageError) {
        var index = 1
        while index < word.count {
            let letter = Character(Unicode.Scalar(word[index]))
            index += 1
            let option =
                arguments.map { $0.command.option(lettered: letter) }
                ?? GlobalOptions.all.first { $0.letter == letter }
            guard let option else { throw unknown("-\(letter)") }
            guard option.value != nil else {
                try take(option, nil)
                continue
            }
            let attached = Array(word[index...])
            try take(option, attached.isEmpty ? try nextValue(of: option) : attached)
            return
        }
    }

    private func find(_ name: String) -> Option? {
        if let arguments { return arguments.command.option(named: name) }
        return GlobalOptions.all.first { $0.name == name }
    }

    private mutating func nextValue(of option: Option) throws(UsageError) -> [UInt8] {
        let missing = UsageError(
            "\(option.flag) needs a value", hint: "write \(option.flag) \(option.value ?? "VALUE")")
        guard let value = rest.popFirst() else { throw missing }
        // What is itself an option here is no value: the value was forgotten.
        if value.starts(with: Self.dashes),
            find(String(decoding: value.dropFirst(2), as: UTF8.self)) != nil
        {
            throw missing
        }
        return value
    }

    private mutating func take(_ option: Option, _ value: [UInt8]?) throws(UsageError) {
        switch option.name {
        case GlobalOptions.help.name: wantsHelp = true
        case GlobalOptions.version.name: wantsVersion = true
        default:
            if arguments != nil {
                try arguments?.set(option, value ?? (option.hasOptionalValue ? [] : nil))
            } else {
                early.append((option, value))
            }
        }
    }

    // MARK: mistakes

    private func unknown(_ flag: String) -> UsageError {
        let name = String(flag.drop { $0 == "-" })
        if let arguments, arguments.command.takesCommandLine, arguments.operands.count > 1 {
            let name =
                "\(arguments.command.fullName) \(String(decoding: arguments.operands[0], as: UTF8.self))"
            let program = String(decoding: arguments.operands[1], as: UTF8.self)
            return UsageError(
                "\(arguments.command.fullName) has no option \(flag)",
                hint:
                    "if it belongs to a command to run, put -- before that: \(name) -- \(program) \(flag)"
            )
        }
        let owners = Verbs.all.filter { $0.options.contains { $0.name == name } }
        let subject = arguments?.command.fullName ?? group.map { "repo \($0)" } ?? "repo"
        let help = "\(subject) --help shows the options"
        if let owner = owners.first {
            let place =
                arguments == nil
                ? "write it behind the command: \(owner.fullName) \(flag)"
                : "\(owner.fullName) has it"
            return UsageError("\(subject) has no option \(flag)", hint: place)
        }
        let known = (arguments?.command.options ?? []) + GlobalOptions.all
        let near = nearest(to: name, among: known.map { $0.name })
        return UsageError(
            "\(subject) has no option \(flag)",
            hint: near.map { "did you mean --\($0)? \(help)" } ?? help)
    }

    private func checkOperands(_ arguments: Arguments) throws(UsageError) {
        let command = arguments.command
        let given = arguments.operands.count
        let needed = command.operands.filter { $0.count == .one || $0.count == .oneOrMore }
        let usage = "usage: \(command.fullName) \(command.usage[0])"
        guard given >= needed.count else {
            throw UsageError("\(command.fullName) needs \(needed[given].name)", hint: usage)
        }
        let isUnlimited = command.operands.contains { $0.count == .any || $0.count == .oneOrMore }
        guard isUnlimited || given <= command.operands.count else {
            let extra = String(decoding: arguments.operands[command.operands.count], as: UTF8.self)
            throw UsageError(
                "\(command.fullName) does not know what to do with '\(extra)'", hint: usage)
        }
    }
}

/// The word that was most likely meant, if one is near enough.
func nearest(to word: String, among known: [String]) -> String? {
    guard word.count > 1 else { return nil }
    let begun = known.filter { $0.hasPrefix(word) }
    if begun.count == 1 { return begun[0] }
    let limit = max(1, min(3, word.count / 3 + 1))
    // Of words equally far the one of the same letters is meant, then one that begins the same.
    func strangeness(_ candidate: String) -> Int {
        (candidate.sorted() == word.sorted() ? 0 : 2) + (candidate.first == word.first ? 0 : 1)
    }
    return known.map { (editDistance($0, word), strangeness($0), $0) }.filter { $0.0 <= limit }.min
    { $0 < $1 }?.2
}
