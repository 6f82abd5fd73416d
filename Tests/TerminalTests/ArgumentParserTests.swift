import Testing

@testable import Terminal

@Test func `options may stand before the command, behind it, and after its arguments`() throws {
    for line in [
        "-r /srv/backup --json list shop", "list -r /srv/backup shop --json",
        "list shop --json --repository=/srv/backup",
        "-r/srv/backup list --json shop",
    ] {
        let arguments = try arguments(line)
        #expect(arguments.command.name == "list")
        #expect(arguments.bytes(GlobalOptions.repository) == bytes("/srv/backup"))
        #expect(arguments.has(GlobalOptions.json))
        #expect(arguments.operands == [bytes("shop")])
    }
}

@Test func `what follows -- is the command to run, byte for byte`() throws {
    let words = [
        bytes("add"), bytes("shop"), bytes("--"), [0xff, 0xfe], bytes("--json"), bytes("--"),
    ]
    guard case .run(let arguments) = try ArgumentParser.parse(words) else { throw UsageError("") }
    #expect(arguments.commandLine == [[0xff, 0xfe], bytes("--json"), bytes("--")])
    #expect(!arguments.has(GlobalOptions.json))
}

@Test func `where no command can follow, -- ends the options`() throws {
    #expect(try arguments("forget -- -a --json").operands == [bytes("-a"), bytes("--json")])
    #expect(
        try arguments("add etc --files a -- -b").operands == [
            bytes("etc"), bytes("a"), bytes("-b"),
        ])
}

@Test func `a path keeps its bytes and a text must be UTF-8`() throws {
    guard case .run(let arguments) = try ArgumentParser.parse([bytes("show"), [0xff]]) else {
        throw UsageError("")
    }
    #expect(arguments.operands == [[0xff]])
    #expect(throws: UsageError.self) { try arguments.text(operand: 0) }
}

@Test func `a value may be joined to its option, and may be empty`() throws {
    let arguments = try arguments("check --read-data -r=")
    #expect(arguments.bytes(GlobalOptions.repository) == bytes("="))
    #expect(try Terminal.ArgumentParser.parse(words("list --tag=")).isRun)
}

@Test func `letters can be written together`() throws {
    let arguments = try arguments("list -qr /srv/backup")
    #expect(arguments.has(GlobalOptions.quiet))
    #expect(arguments.bytes(GlobalOptions.repository) == bytes("/srv/backup"))
}

@Test func `a lone dash is an argument`() throws {
    #expect(try arguments("add shop -").operands == [bytes("shop"), bytes("-")])
}

@Test func `an unknown option is named, with the nearest one`() {
    #expect(mistake("add shop --taag x")?.message == "repo add has no option --taag")
    #expect(mistake("add shop --taag x")?.hint?.contains("--tag?") == true)
    #expect(mistake("--frobnicate list")?.message == "repo has no option --frobnicate")
    #expect(mistake("list -Z")?.message == "repo list has no option -Z")
    #expect(mistake("list --exclude x")?.hint == "repo add has it")
    #expect(mistake("--tag x add")?.hint == "write it behind the command: repo add --tag")
}

@Test func `a command without its -- is told of it`() {
    #expect(
        mistake("add shop mysqldump --opt")?.hint?.contains("repo add shop -- mysqldump --opt")
            == true)
}

@Test func `values are missing, superfluous, repeated`() {
    #expect(mistake("list --last")?.message == "--last needs a value")
    #expect(mistake("list --last --json")?.message == "--last needs a value")
    #expect(mistake("list --json=yes")?.message == "--json takes no value")
    #expect(mistake("list --last 1 --last 2")?.message == "--last is given twice")
    #expect(mistake("list --tag a --tag b") == nil)
    #expect(mistake("list --json --json") == nil)
}

@Test func `too few and too many arguments are told with the usage`() {
    #expect(mistake("add")?.message == "repo add needs SERIES")
    #expect(mistake("show a b")?.message == "repo show does not know what to do with 'b'")
    #expect(mistake("show a b")?.hint == "usage: repo show REF [--members | --tables]")
    #expect(mistake("forget")?.message == "repo forget needs REF")
    #expect(mistake("forget a b c") == nil)
    #expect(mistake("add shop --")?.message == "nothing follows --")
    #expect(mistake("-- list")?.message == "-- stands before the command")
}

@Test func `numbers and choices are checked, and the wrong word is named`() throws {
    let last = Option("last", value: "N", "")
    let kind = Option("kind", value: "KIND", "")
    #expect(throws: UsageError("--last many: a number is wanted, 1 or more")) {
        try arguments("list --last many").number(last, in: 1...Int.max)
    }
    #expect(throws: UsageError("--last 0: a number is wanted, 1 to 5")) {
        try arguments("list --last 0").number(last, in: 1...5)
    }
    #expect(try arguments("list --last 7").number(last, in: 1...Int.max) == 7)
    #expect(throws: UsageError("--kind half: there is no such choice", hint: "choose one of full"))
    {
        try arguments("add s --kind half").choice(kind, of: [("full", 1)])
    }
}

@Test func `help and version are found wherever they stand`() throws {
    #expect(try ArgumentParser.parse(words("add --help")).helpWords == ["add"])
    #expect(try ArgumentParser.parse(words("-h")).helpWords == [])
    #expect(try ArgumentParser.parse(words("help key add --json")).helpWords == ["key", "add"])
    #expect(try ArgumentParser.parse(words("key --help")).helpWords == ["key"])
    #expect(try ArgumentParser.parse(words("key add --help")).helpWords == ["key add"])
    // What follows -- is another program's.
    #expect(try ArgumentParser.parse(words("add shop -- dump --help")).isRun)
    guard case .version = try ArgumentParser.parse(words("--version")) else {
        Issue.record("--version is not understood")
        return
    }
}

@Test func `a command line that is wrong can still ask for JSON`() {
    #expect(ArgumentParser.asksForJSON(words("list --json --frobnicate")))
    #expect(!ArgumentParser.asksForJSON(words("add shop -- dump --json")))
}

extension ArgumentParser.Request {
    fileprivate var isRun: Bool { if case .run = self { true } else { false } }
    fileprivate var helpWords: [String]? { if case .help(let words) = self { words } else { nil } }
}
