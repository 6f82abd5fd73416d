/// The help: what is told of each command and each topic, and docs/cli.md, which is made of the
/// same texts.
enum HelpText {
    static let width = 80
    private static let indent = 2
    private static let optionWidthMax = 28

    // MARK: the whole program

    static var overview: String {
        """
        repo keeps backups of databases: encrypted, deduplicated, checked on arrival.

        usage: repo COMMAND [ARGUMENTS] [OPTIONS]

        start here:
          export REPO_REPOSITORY=/srv/backup
          repo init
          repo add shop -- mariadb-dump --single-transaction --databases shop
          repo list
          repo restore shop --to shop.sql

        commands:
        \(columns(Verbs.all.map { ($0.name, $0.summary) }))

        more help:
        \(columns(moreHelp))
        """
    }

    private static var moreHelp: [(name: String, meaning: String)] {
        [("repo help COMMAND", "what it does, its options, examples")]
            + Topics.all.map { ("repo help \($0.name)", $0.summary) }
    }

    /// `key`: the commands that begin with this word.
    static func group(_ name: String) -> String {
        let commands = Verbs.all.filter { $0.name.hasPrefix("\(name) ") }
        return """
            usage: repo \(name) \(Verbs.second(of: name).joined(separator: "|")) [OPTIONS]

            commands:
            \(columns(commands.map { ($0.name, $0.summary) }))

            repo \(name) COMMAND --help says more of each
            """
    }

    // MARK: one command

    static func command(_ command: Command) -> String {
        var parts = [
            "\(command.fullName): \(command.summary)", usage(command), command.description,
        ]
        if !command.options.isEmpty { parts.append("options:\n\(options(command.options))") }
        parts.append("examples:\n\(examples(command.examples))")
        parts.append("options for every command: repo help options")
        return parts.joined(separator: "\n\n")
    }

    private static func usage(_ command: Command) -> String {
        command.usage.enumerated().map { index, line in
            let text =
                (index == 0 ? "usage: " : "       ") + command.fullName
                + (line.isEmpty ? "" : " \(line)")
            return text
        }.joined(separator: "\n")
    }

    static func options(_ options: [Option]) -> String {
        columns(options.map { ($0.synopsis, $0.help + ($0.environment.map { " [\($0)]" } ?? "")) })
    }

    private static func examples(_ examples: [Command.Example]) -> String {
        examples.map { "  \($0.command)\n      \($0.meaning)" }.joined(separator: "\n")
    }

    // MARK: layout

    /// Names at the left, what they mean at the right, wrapped.
    private static func columns(_ rows: [(name: String, meaning: String)]) -> String {
        let left = min(optionWidthMax, rows.map { $0.name.count }.max() ?? 0) + indent + 2
        return rows.map { row in
            let name = String(repeating: " ", count: indent) + row.name
            let lines = wrap(row.meaning, to: width - left)
            let space = String(repeating: " ", count: left)
            // A name too long for its column has its meaning below it.
            let first =
                name.count + 2 > left ? "\(name)\n\(space)" : name + space.dropFirst(name.count)
            return first + lines.joined(separator: "\n\(space)")
        }.joined(separator: "\n")
    }

    static func wrap(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    // MARK: what is asked

    /// The text for the words after `help`.
    static func text(for words: [String]) throws(UsageError) -> String {
        guard let first = words.first else { return overview }
        if let topic = Topics.all.first(where: { $0.name == first }) { return topic.text }
        if words.count == 1 && Verbs.groups.contains(first) { return group(first) }
        let name = Verbs.groups.contains(first) ? words.prefix(2).joined(separator: " ") : first
        return command(try Verbs.command(name))
    }

    // MARK: docs/cli.md

    static var document: String {
        var text = """
            # The command line

            Made from the help texts of the program, and a test keeps it equal to them: change those, then
            run `REPO_WRITE_DOCS=1 swift test --filter HelpTextTests`.

            Names, options, exit statuses and JSON fields are relied on by scripts: they are added to, never
            renamed.

            ```text
            \(overview)
            ```

            """
        for command in Verbs.all { text += section(command.fullName, self.command(command)) }
        for topic in Topics.all { text += section(topic.title, topic.text) }
        return text
    }

    private static func section(_ title: String, _ text: String) -> String {
        "\n## \(title)\n\n```text\n\(text)\n```\n"
    }
}
