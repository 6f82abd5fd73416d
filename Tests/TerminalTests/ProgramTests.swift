import Faults
import Files
import Glibc
import TestSupport
import Testing

@testable import Terminal

/// The whole program on a directory, but for the process around it.
@Suite struct ProgramTests {
    private let dump = """
        -- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
        --
        -- Host: localhost    Database: shop
        -- ------------------------------------------------------
        -- Server version\t10.11.19-MariaDB

        CREATE TABLE `t` (`id` int NOT NULL);
        INSERT INTO `t` VALUES (1);

        """
    private let end = "-- Dump completed on 2026-11-21  4:04:29\n"

    private func repository() throws -> Harness {
        let harness = try Harness()
        let made = harness.run("init", "--recovery-key-file", "./recovery")
        #expect(made.code == .done, "\(made.err)")
        return harness
    }

    @Test func `init makes a repository and a recovery key for its owner only`() throws {
        let harness = try repository()
        #expect(try harness.mode("recovery") == 0o600)
        let key = try harness.contents("recovery").split(separator: "\n").last ?? ""
        #expect(key.count == 69 && key.split(separator: "-").count == 14)
        let opened = try Harness([
            "REPO_REPOSITORY": harness.path("r"), "REPO_PASSWORD_FILE": "",
            "REPO_RECOVERY_KEY_FILE": harness.path("recovery"),
        ])
        #expect(opened.run("list").code == .done)
        let again = harness.run("init", "--recovery-key-file", "./other")
        #expect(again.code == .failed && again.err.contains("already"))
        #expect(try harness.mode("other") == nil)
        #expect(harness.run("init", "--if-missing").code == .done)
    }

    @Test func `init without a place for the recovery key makes nothing`() throws {
        let harness = try Harness()
        let result = harness.run("init")
        #expect(result.code == .usage && result.err.contains("--recovery-key-file"))
        #expect(try harness.mode("r") == nil)
    }

    @Test func `init that fails leaves no recovery key behind`() throws {
        let harness = try Harness()
        let result = harness.run(
            "init", "--recovery-key-file", "./recovery", "-r", "./elsewhere", "--password-file",
            "./nowhere")
        #expect(result.code == .failed && result.err.contains("nowhere"))
        #expect(try harness.mode("recovery") == nil)
        #expect(
            harness.run("init", "--recovery-key-file", "./password").err.contains("cannot create"))
        #expect(try harness.contents("password") == "correct horse\n")
        #expect(harness.run("init", "./q", "--recovery-key-file", "./q/key").code == .usage)
    }

    @Test func `what goes in comes out, by cat and by restore`() throws {
        let harness = try repository()
        try harness.write("shop.sql", dump + end)
        let added = harness.run("add", "shop", "./shop.sql")
        #expect(added.code == .done, "\(added.err)")
        #expect(added.out.hasPrefix("saved "))
        #expect(added.out.contains("mariadb-dump 10.11.19, end seen\n"))
        #expect(harness.run("cat", "shop").out == dump + end)
        #expect(harness.run("restore", "shop", "--to", "./out.sql").code == .done)
        #expect(try harness.contents("out.sql") == dump + end)
        let twice = harness.run("restore", "shop", "--to", "./out.sql")
        #expect(twice.code == .failed && twice.err.contains("--overwrite"))
        #expect(harness.run("restore", "shop", "--", "grep", "-q", "Dump completed").code == .done)
        let failed = harness.run("restore", "shop", "--", "false")
        #expect(failed.code == .failed && failed.err.contains("false ended with status 1"))
        #expect(harness.run("show", "shop", "--tables").out.contains("shop.t"))
        #expect(harness.run("check", "--read-data").out.hasPrefix("sound: 1 snapshot, "))
    }

    @Test func `a dump that was cut off is refused with its hint`() throws {
        let harness = try repository()
        try harness.write("cut.sql", dump)
        let cut = harness.run("add", "shop", "./cut.sql")
        #expect(cut.code == .incompleteStream)
        #expect(cut.err.contains("repo: error: mysqldump stream ended after "))
        #expect(cut.err.contains("repo: hint: "))
        #expect(cut.out == "")
        #expect(harness.run("list", "--json").out == "")
        let kept = harness.run("add", "shop", "./cut.sql", "--allow-incomplete", "--json")
        #expect(kept.code == .reservation && kept.out.contains(#""complete":false"#))
        #expect(harness.run("list").out.contains("  cut "))
    }

    @Test func `a command's output is saved, and files are`() throws {
        let harness = try repository()
        let ran = harness.run("add", "hello", "--", "echo", "hello")
        #expect(ran.code == .done && ran.out.contains("without an end mark, exit status 0"))
        #expect(
            harness.run("add", "hello", "--", "sh", "-c", "echo x; exit 7").code
                == .incompleteStream)
        let files = harness.run("add", "etc", "--files", "./password", "--json")
        #expect(files.code == .done && files.out.contains(#""format":"files""#), "\(files.err)")
        #expect(harness.run("show", "etc", "--members").out.hasSuffix("/password\n"))
        #expect(harness.run("show", "hello", "--members").code == .failed)
    }

    @Test func `keys are made, listed and removed`() throws {
        let harness = try repository()
        let made = harness.run(
            "key", "add", "--kind", "write", "--label", "db1", "--new-key-file", "./k", "--generate"
        )
        #expect(made.code == .done && made.out.hasPrefix("added key "), "\(made.err)")
        #expect(try harness.mode("k") == 0o600)
        let list = harness.run("key", "list").out
        #expect(list.contains("write  key file") && list.contains("db1"))
        let host = try Harness([
            "REPO_REPOSITORY": harness.path("r"), "REPO_PASSWORD_FILE": "",
            "REPO_KEY_FILE": harness.path("k"),
        ])
        #expect(host.run("add", "host", "--", "echo", "data").code == .done)
        #expect(host.run("cat", "host").code != .done, "a write key reads nothing back")
        let id = made.out.split(separator: " ")[2]
        #expect(harness.run("key", "remove", String(id)).code == .done)
        #expect(host.run("list").code == .noKeyOpens)
        let taken = harness.run("key", "add", "--new-key-file", "./k", "--generate")
        #expect(taken.code == .failed && taken.err.contains("exists"))
        #expect(harness.run("key", "recovery", "--to", "./again").code == .done)
        #expect(
            try harness.contents("again").split(separator: "\n").last
                == harness.contents("recovery").split(separator: "\n").last)
        #expect(harness.run("key", "recovery").code == .usage, "never into a pipe")
    }

    @Test func `forget drops what is named, and the last good one only when told`() throws {
        let harness = try repository()
        harness.run("add", "hello", "--", "echo", "one")
        let last = harness.run("forget", "hello")
        #expect(last.code == .failed && last.err.contains("--allow-empty"))
        let dry = harness.run("forget", "hello", "--allow-empty", "--dry-run", "--json")
        #expect(dry.out.contains(#""action":"drop""#) && dry.out.contains(#""dry_run":true"#))
        #expect(harness.run("list").out.contains("hello"))
        #expect(harness.run("forget", "hello", "--allow-empty").code == .done)
        let empty = harness.run("list")
        #expect(empty.out == "" && empty.err.contains("there are no snapshots yet"))
    }

    @Test func `mistakes are answered before a password is asked for`() throws {
        let harness = try Harness(["REPO_PASSWORD_FILE": ""])
        #expect(harness.run("list").code == .noRepository)
        #expect(harness.run("add", "shop", "./nowhere.sql").err.contains("nowhere.sql"))
        #expect(harness.run("add", "shop", harness.directory.path).err.contains("--files"))
        #expect(harness.run("add", "shop", "./password", "--kind", "half").code == .usage)
        #expect(harness.run("add", "shop", "--time", "noon", "--", "x").err.contains("noon"))
        #expect(harness.run("add", "shop", "./password", "--accept-status", "2").code == .usage)
        #expect(harness.run("restore", "shop").code == .usage)
        #expect(harness.run("-r", "./password", "list").code == .noRepository)
        let json = harness.run("--json", "frobnicate")
        #expect(
            json.code == .usage
                && json.err.hasPrefix(#"{"type":"error","message":"there is no command"#))
        #expect(json.out == "")
    }

    @Test func `a wrong password opens nothing, and no terminal means no question`() throws {
        let harness = try repository()
        try harness.write("wrong", "something else\n")
        let wrong = harness.run("list", "--password-file", "./wrong")
        #expect(wrong.code == .noKeyOpens && wrong.err.contains("repo: hint: "))
    }

    @Test func `what is not there is named with what is near`() throws {
        let harness = try repository()
        harness.run("add", "shop/first", "--", "echo", "one")
        for line in [["show", "shop/frist"], ["cat", "shop/frist"], ["forget", "shop/frist"]] {
            let result = harness.run(line[0], line[1])
            #expect(result.code == .failed && result.err.contains("shop/first"))
        }
        let none = harness.run("list", "shop/frist")
        #expect(
            none.code == .done && none.out == "" && none.err.contains("did you mean shop/first?"))
        let member = harness.run("cat", "shop/first", "nosuch")
        #expect(member.code == .failed && member.err.contains("nosuch"))
    }

    @Test func `without a command there is an overview, and exit status 2`() throws {
        let harness = try Harness()
        let result = harness.run()
        #expect(result.code == .usage && result.err.contains("start here:"))
        #expect(harness.run("--version").out == "repo \(Program.version)\n")
        #expect(harness.run("help", "add").out.hasPrefix("repo add: "))
    }
}
