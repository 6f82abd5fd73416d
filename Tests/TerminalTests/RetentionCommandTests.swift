import Faults
import Testing

@testable import Terminal

/// `repo policy`, `repo hold` and `repo prune --dry-run` on a directory.
@Suite struct RetentionCommandTests {
    private func repository() throws -> Harness {
        let harness = try Harness()
        #expect(harness.run("init", "--recovery-key-file", "./recovery").code == .done)
        for day in ["2026-03-01", "2026-03-02", "2026-03-08"] {
            let added = harness.run("add", "shop", "--time", "\(day)T04:00Z", "--", "echo", day)
            #expect(added.code == .done, "\(added.err)")
        }
        return harness
    }

    private func ids(_ harness: Harness) -> [String] {
        harness.run("list").out.split(separator: "\n").dropFirst().map { String($0.prefix(8)) }
    }

    @Test func `policies are set, shown and removed`() throws {
        let harness = try repository()
        let none = harness.run("policy", "show")
        #expect(none.out.isEmpty && none.err.contains("everything is kept"))
        let set = harness.run(
            "policy", "set", "*", "--gfs", "--keep-yearly", "0", "--week-starts", "monday")
        #expect(set.out == "policy * is set, version 1; it holds for shop\n", "\(set.err)")
        #expect(harness.run("policy", "set", "shop", "--keep-last", "all").code == .done)
        let shown = harness.run("policy", "show").out.split(separator: "\n")
        #expect(shown.count == 3 && shown[1].hasPrefix("shop     --keep-last all"))
        #expect(
            shown[2].contains(
                "--keep-daily 14 --keep-weekly 5 --keep-monthly 12 --week-starts monday"))
        let why = harness.run("policy", "show", "shop").out
        #expect(why.contains("it names the series; * would mean it too"))
        let json = harness.run("policy", "show", "shop", "--json").out
        #expect(
            json.contains(#""pattern":"shop","version":1"#) && json.contains(#""keep_last":-1"#))
        #expect(harness.run("policy", "remove", "shop").code == .done)
        #expect(harness.run("policy", "show", "shop").out.contains("policy *, version 1"))
        #expect(harness.run("policy", "remove", "shop").err.contains("there is *"))
    }

    @Test func `rules that say nothing or cannot be are refused before anything is opened`() throws
    {
        let harness = try Harness()
        for words in [
            ["--keep-daily", "0"], ["--keep-daily", "-1"], ["--keep-daily", "x"],
            ["--keep-within", "3x"], ["--week-starts", "noon"],
            ["--keep-within", "60d", "--max-age", "30d"],
        ] {
            let result = harness.run(["policy", "set", "shop"] + words)
            #expect(result.code == .usage && result.err.contains("--"), "\(words)")
        }
        #expect(harness.run("policy", "set", "a b", "--gfs").code == .usage)
        #expect(harness.run("prune", "--gfs").err.contains("no series for them"))
        #expect(harness.run("policy").err.contains("show, set, remove, acknowledge"))
    }

    @Test func `a time zone that nobody knows is refused`() throws {
        let harness = try repository()
        let result = harness.run("policy", "set", "*", "--gfs", "--timezone", "Mars/Olympus")
        #expect(result.code == .usage && result.err.contains("tzdata"))
    }

    @Test func `a dry run says what stays, what goes and why, and drops nothing`() throws {
        let harness = try repository()
        let ids = ids(harness)
        let all = harness.run("prune", "--dry-run")
        #expect(all.code == .done && all.out.contains("no policy"))
        #expect(all.err.contains("repo policy set '*' --gfs"))
        harness.run("policy", "set", "*", "--keep-weekly", "4")
        let table = harness.run("prune", "--dry-run").out.split(separator: "\n")
        #expect(table[0] == "action  id        time                      series  reasons")
        #expect(
            table[1].hasPrefix("keep    \(ids[0])  2026-03-01")
                && table[1].hasSuffix("weekly 2 of 4"))
        #expect(table[2].hasPrefix("drop    \(ids[1])") && table[2].hasSuffix("no rule keeps it"))
        #expect(table[3].hasSuffix("newest, weekly 1 of 4"))
        #expect(table[4] == "would drop 1 snapshot and keep 2; nothing was dropped")
        let json = harness.run("prune", "--dry-run", "--json").out.split(separator: "\n")
        #expect(json[1].contains(#""action":"drop","reasons":["no rule keeps it"],"policy":"*"}"#))
        #expect(
            json[3].hasPrefix(#"{"type":"summary","snapshots_kept":2,"snapshots_dropped":1,"#)
                && json[3].contains(#""dry_run":true"#))
        let given = harness.run("prune", "shop", "--keep-last", "1", "--dry-run", "--json").out
        #expect(given.contains(#""snapshots_dropped":2"#))
        #expect(harness.run("prune", "shpo", "--dry-run").err.contains("there is shop"))
        #expect(self.ids(harness) == ids)
    }

    @Test func `holds are made, listed, shown, respected and ended`() throws {
        let harness = try repository()
        let id = ids(harness)[0]
        #expect(harness.run("list", "--json").out.contains(#""held":[]"#))
        let made = harness.run("hold", "add", "pci", "--match", "sh*", "--preset", "pci-dss")
        #expect(
            made.out == "hold pci, until 1y old: it holds 3 snapshots, and those to come\n",
            "\(made.err)")
        #expect(harness.run("list", "--json").out.contains(#""held":["pci"]"#))
        #expect(harness.run("list").out.contains("  held\n"))
        #expect(harness.run("show", id).out.contains("PCI DSS v4.0.1, requirement 10.5.1"))
        let refused = harness.run("forget", id)
        #expect(refused.code == .failed && refused.err.contains("is held by pci"))
        let table = harness.run("prune", "shop", "--keep-last", "1", "--dry-run").out
        #expect(table.contains("hold pci") && table.contains("would drop 0"))
        #expect(harness.run("hold", "list").out.contains("pci   until 1y old      3  sh*"))
        #expect(harness.run("hold", "list", "--json").out.contains(#""min_age":"1y""#))
        #expect(harness.run("hold", "add", "pci", "--match", "x", "--forever").code == .failed)
        #expect(harness.run("hold", "remove", "pci", "--reason", "over").code == .done)
        #expect(harness.run("hold", "list").err.contains("there is no hold"))
        #expect(harness.run("hold", "list", "--all").out.contains("; over"))
        #expect(harness.run("forget", id).code == .done)
    }

    @Test func `a hold needs a name, something to hold, and one end`() throws {
        let harness = try Harness()
        for words in [
            [], ["x"], ["x", "--match", "*"], ["x", "--forever"],
            ["x", "--match", "*", "--forever", "--min", "1y"],
            ["x", "--match", "*", "--until", "noon"],
            ["x", "--match", "*", "--until", "2020-01-01"],
            ["x", "--match", "*", "--preset", "nonsense"], ["x", "--match", "*", "--min", "1"],
        ] {
            #expect(harness.run(["hold", "add"] + words).code == .usage, "\(words)")
        }
    }

    @Test func `show tells the policy's reason to keep`() throws {
        let harness = try repository()
        let ids = ids(harness)
        harness.run("policy", "set", "shop", "--keep-weekly", "4")
        let lines = harness.run("show", ids[0]).out.split(separator: "\n")
        #expect(
            lines.contains { $0.hasPrefix("kept ") && $0.hasSuffix("weekly 2 of 4 (policy shop)") })
        #expect(harness.run("show", ids[1]).out.contains("no: no rule keeps it (policy shop)"))
        let json = harness.run("show", ids[0], "--json").out
        #expect(json.contains(#""policy":"shop","keep":true,"keep_reasons":["weekly 2 of 4"]"#))
    }

    @Test func `a write key sees no policies and says so, and its lists work`() throws {
        let harness = try repository()
        harness.run("hold", "add", "pci", "--match", "*", "--forever")
        harness.run(
            "key", "add", "--kind", "write", "--new-key-file", "./k", "--generate")
        let host = try Harness([
            "REPO_REPOSITORY": harness.path("r"), "REPO_PASSWORD_FILE": "",
            "REPO_KEY_FILE": harness.path("k"),
        ])
        #expect(host.run("add", "mine", "--time", "2020-01-01", "--", "echo", "x").code == .done)
        #expect(host.run("list", "--json").out.contains(#""held":[]"#))
        for words in [["policy", "show"], ["hold", "list"], ["prune", "--dry-run"]] {
            let result = host.run(words)
            #expect(result.code == .usage && result.err.contains("maintain key"), "\(words)")
        }
        #expect(
            host.run("policy", "set", "*", "--gfs").err.contains("this key cannot change policies"))
        let strange = harness.run("policy", "show", "mine", "--json").out
        #expect(strange.contains(#""kind":"time""#))
        #expect(
            harness.run("policy", "acknowledge", "mine", "--dry-run").out.contains("nothing was"))
        let done = harness.run("policy", "acknowledge", "mine")
        #expect(done.out.hasSuffix("acknowledged 1 snapshot\n"))
        #expect(harness.run("policy", "acknowledge", "mine").out.contains("nothing of mine"))
    }
}
