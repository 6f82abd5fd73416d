import Glibc
import Testing

@testable import Terminal

private let documentPath =
    String(#filePath.dropLast("Tests/TerminalTests/HelpTextTests.swift".count)) + "docs/cli.md"

/// REPO_WRITE_DOCS=1 writes docs/cli.md anew.
@Test func `docs/cli.md is made of the help texts`() throws {
    if getenv("REPO_WRITE_DOCS") != nil {
        let file = try #require(fopen(documentPath, "w"))
        fputs(HelpText.document, file)
        fclose(file)
    }
    let file = try #require(fopen(documentPath, "r"), "docs/cli.md is there")
    defer { fclose(file) }
    var text: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&block, 1, block.count, file), count > 0 {
        text += block[..<count]
    }
    let isEqual = text == Array(HelpText.document.utf8)
    #expect(isEqual, "run REPO_WRITE_DOCS=1 swift test --filter HelpTextTests")
}

@Test func `every help text fits a terminal of 80 columns`() {
    let texts =
        Verbs.all.map { HelpText.command($0) } + Topics.all.map { $0.text } + [
            HelpText.overview, HelpText.group("key"),
        ]
    for line in texts.flatMap({ $0.split(separator: "\n") }) where !line.hasPrefix("  repo ") {
        #expect(line.count <= HelpText.width + 4, "\(line)")
    }
}

@Test func `every command has an example that begins with its name, and that is understood`() throws
{
    for command in Verbs.all {
        #expect(!command.examples.isEmpty)
        for example in command.examples {
            let line = example.command.split(separator: "|").last { $0.contains("repo ") } ?? ""
            #expect(example.command.contains(command.fullName), "\(example.command)")
            let repo = line.split(separator: " ").drop { $0 != "repo" }.dropFirst().prefix {
                $0 != ">" && $0 != "|"
            }
            #expect(mistake(repo.joined(separator: " ")) == nil, "\(example.command)")
        }
    }
}

@Test func `every option and every command is in its help`() {
    for command in Verbs.all {
        let text = HelpText.command(command)
        for option in command.options { #expect(text.contains(option.synopsis)) }
        #expect(HelpText.overview.contains(command.summary))
        #expect(HelpText.document.contains("## \(command.fullName)\n"))
    }
}

@Test func `help is found by command, by word and by topic`() throws {
    #expect(try HelpText.text(for: []) == HelpText.overview)
    #expect(try HelpText.text(for: ["key", "add"]).hasPrefix("repo key add: "))
    #expect(try HelpText.text(for: ["key"]).hasPrefix("usage: repo key list|add|remove|recovery"))
    #expect(try HelpText.text(for: ["exit-codes"]).contains("143"))
    #expect(throws: UsageError.self) { try HelpText.text(for: ["frobnicate"]) }
}
