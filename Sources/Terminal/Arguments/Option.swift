/// One option of a command: parsing, help and docs/cli.md all come from this description.
struct Option: Sendable {
    /// Without the dashes: `password-file`.
    let name: String
    let letter: Character?
    /// What stands for the value in the help: `FILE`; nil for an option that takes none.
    let value: String?
    /// The variable that says the same.
    let environment: String?
    let help: String
    let isRepeatable: Bool

    init(
        _ name: String, letter: Character? = nil, value: String? = nil, environment: String? = nil,
        isRepeatable: Bool = false, _ help: String
    ) {
        self.name = name
        self.letter = letter
        self.value = value
        self.environment = environment
        self.help = help
        self.isRepeatable = isRepeatable
    }

    /// `--read-data[=PERCENT]`: the value, if there is one, is attached.
    var hasOptionalValue: Bool { value?.hasPrefix("[") ?? false }

    /// As it is typed: `--password-file`.
    var flag: String { "--\(name)" }

    /// As the help shows it: `-r, --repository LOCATION`.
    var synopsis: String {
        (letter.map { "-\($0), " } ?? "") + flag
            + (value.map { hasOptionalValue ? $0 : " \($0)" } ?? "")
    }
}

/// An argument that is no option.
struct Operand: Sendable {
    enum Count: Sendable {
        case one, optional, any, oneOrMore
    }

    let name: String
    let count: Count

    init(_ name: String, _ count: Count = .one) {
        self.name = name
        self.count = count
    }
}
