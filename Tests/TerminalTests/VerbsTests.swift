import Testing

@testable import Terminal

@Test func `verbs of other tools are answered with ours`() {
    for (verb, ours) in [
        ("snapshots", "repo list"), ("ls", "repo list"), ("backup", "repo add"),
        ("dump", "repo cat"),
        ("unlock", "no locks"), ("extract", "repo restore"), ("verify", "repo check"),
        ("rm", "repo forget"),
        ("passwd", "repo key add"), ("info", "repo show"), ("compare", "repo diff"),
        ("expire", "repo policy set"), ("gc", "repo prune"), ("protect", "repo hold add"),
    ] {
        #expect(mistake(verb)?.message == "there is no command '\(verb)'")
        #expect(mistake(verb)?.hint?.contains(ours) == true)
    }
}

@Test func `verbs that come later say that they are not there yet`() {
    for verb in [
        "status", "tag", "wal", "binlog", "pitr",
        "drill", "mount", "tier",
    ] {
        #expect(mistake(verb)?.message.hasPrefix("repo \(verb) is not there yet: ") == true)
        #expect(!HelpText.overview.contains("  \(verb) "), "the help shows \(verb) as if it worked")
    }
}

@Test func `no word is both a verb of ours and a foreign one`() {
    let ours = Set(Verbs.all.map { String($0.name.prefix { $0 != " " }) })
    #expect(ours.isDisjoint(with: Verbs.foreign.keys))
    #expect(ours.isDisjoint(with: Verbs.later.keys))
    #expect(Set(Verbs.later.keys).isDisjoint(with: Verbs.foreign.keys))
}

@Test func `a slip of the pen is answered with the nearest verb`() {
    #expect(mistake("lsit")?.hint?.contains("repo list?") == true)
    #expect(mistake("chekc")?.hint?.contains("repo check?") == true)
    #expect(mistake("rest")?.hint?.contains("repo restore?") == true)
    #expect(mistake("xyzzy")?.hint == "repo --help shows the commands")
    #expect(mistake("key lst")?.hint == "did you mean repo key list?")
    #expect(mistake("key")?.message == "repo key needs one of list, add, remove, recovery")
}

@Test func `no two options of a command have one name, and none hides one of every command's`() {
    for command in Verbs.all {
        let names = (command.options + GlobalOptions.all).map { $0.name }
        #expect(Set(names).count == names.count, "\(command.name)")
    }
}
