import Files

/// A command line that was understood.
///
/// Values are kept as the bytes they came in: a path need not be UTF-8.
struct Arguments: Sendable {
    let command: Command
    private(set) var operands: [[UInt8]] = []
    /// What followed `--`, where the command runs it.
    private(set) var commandLine: [[UInt8]]?
    private var values: [String: [[UInt8]]] = [:]

    init(_ command: Command) { self.command = command }

    mutating func add(_ operand: [UInt8]) { operands.append(operand) }
    mutating func set(commandLine words: [[UInt8]]) { commandLine = words }

    /// Takes an option in; it may be given once unless it is repeatable or takes no value.
    mutating func set(_ option: Option, _ value: [UInt8]?) throws(UsageError) {
        guard let value else {
            values[option.name] = []
            return
        }
        if values[option.name] != nil && !option.isRepeatable {
            throw UsageError("\(option.flag) is given twice", hint: "give it once")
        }
        values[option.name, default: []].append(value)
    }

    func has(_ option: Option) -> Bool { values[option.name] != nil }

    func bytes(_ option: Option) -> [UInt8]? { values[option.name]?.last }

    func path(_ option: Option) -> Path? { bytes(option).map { Path(bytes: $0) } }

    func text(_ option: Option) throws(UsageError) -> String? {
        guard let value = bytes(option) else { return nil }
        return try Self.text(value, of: "the value of \(option.flag)")
    }

    func texts(_ option: Option) throws(UsageError) -> [String] {
        var texts: [String] = []
        for value in values[option.name] ?? [] {
            texts.append(try Self.text(value, of: "the value of \(option.flag)"))
        }
        return texts
    }

    func paths(_ option: Option) -> [Path] { (values[option.name] ?? []).map { Path(bytes: $0) } }

    /// An operand as text; nil where there are fewer.
    func text(operand index: Int) throws(UsageError) -> String? {
        guard index < operands.count else { return nil }
        return try Self.text(operands[index], of: "an argument of \(command.fullName)")
    }

    static func text(_ bytes: [UInt8], of what: String) throws(UsageError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UsageError("\(what) is not UTF-8: \(Path(bytes: bytes))")
        }
        return text
    }

    /// A whole number.
    func number(_ option: Option, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = try text(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let limit =
                range.upperBound == Int.max
                ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw UsageError("\(option.flag) \(text): a number is wanted, \(limit)")
        }
        return number
    }

    /// One of some words.
    func choice<Value>(_ option: Option, of choices: [(String, Value)]) throws(UsageError) -> Value?
    {
        guard let text = try text(option) else { return nil }
        if let chosen = choices.first(where: { $0.0 == text }) { return chosen.1 }
        throw UsageError(
            "\(option.flag) \(text): there is no such choice",
            hint: "choose one of \(choices.map { $0.0 }.joined(separator: ", "))")
    }
}
