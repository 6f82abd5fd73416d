import Faults

/// One command: what it takes, what it says of itself, and what it does.
struct Command: Sendable {
    struct Example: Sendable {
        let command: String
        let meaning: String

        init(_ command: String, _ meaning: String) {
            self.command = command
            self.meaning = meaning
        }
    }

    /// One word, or two: `key add`.
    let name: String
    /// What it does, in a few words that go on from `repo NAME`.
    let summary: String
    /// What stands behind the name, one line a way to use it.
    let usage: [String]
    /// Paragraphs of at most 80 columns.
    let description: String
    let operands: [Operand]
    /// Whether what follows `--` is a command to run.
    let takesCommandLine: Bool
    let options: [Option]
    let examples: [Example]
    let run: @Sendable (Session) throws -> ExitCode

    init(
        _ name: String, summary: String, usage: [String], description: String,
        operands: [Operand] = [],
        takesCommandLine: Bool = false, options: [Option] = [], examples: [Example],
        run: @escaping @Sendable (Session) throws -> ExitCode
    ) {
        self.name = name
        self.summary = summary
        self.usage = usage
        self.description = description
        self.operands = operands
        self.takesCommandLine = takesCommandLine
        self.options = options
        self.examples = examples
        self.run = run
    }

    /// As it is typed: `repo key add`.
    var fullName: String { "repo \(name)" }

    func option(named name: String) -> Option? {
        options.first { $0.name == name } ?? GlobalOptions.all.first { $0.name == name }
    }

    func option(lettered letter: Character) -> Option? {
        options.first { $0.letter == letter } ?? GlobalOptions.all.first { $0.letter == letter }
    }
}
