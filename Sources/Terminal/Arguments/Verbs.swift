/// All commands, and what to answer to the words of other tools.
enum Verbs {
    static let all: [Command] =
        [
            InitCommand.command, AddCommand.command, ListCommand.command, ShowCommand.command,
            CatCommand.command,
            RestoreCommand.command, DiffCommand.command, CheckCommand.command,
            CopyCommand.command, PruneCommand.command, ForgetCommand.command,
        ] + PolicyCommand.all + HoldCommand.all + KeyCommand.all

    /// First words that a second must follow.
    static let groups = ["key", "policy", "hold"]

    static func command(_ name: String) throws(UsageError) -> Command {
        if let command = all.first(where: { $0.name == name }) { return command }
        let words = name.split(separator: " ").map { String($0) }
        if words.count == 2 {
            let seconds = second(of: words[0])
            let near = nearest(to: words[1], among: seconds)
            throw UsageError(
                "there is no command 'repo \(name)'",
                hint: near.map { "did you mean repo \(words[0]) \($0)?" }
                    ?? "repo \(words[0]) has \(seconds.joined(separator: ", "))")
        }
        if let answer = foreign[name] {
            throw UsageError("there is no command '\(name)'", hint: answer)
        }
        if let meaning = later[name] {
            throw UsageError(
                "repo \(name) is not there yet: \(meaning)", hint: "repo --help shows what is")
        }
        let near = nearest(
            to: name,
            among: Set(all.map { $0.name.prefix { $0 != " " } }).map { String($0) }.sorted())
        throw UsageError(
            "there is no command '\(name)'",
            hint: near.map { "did you mean repo \($0)? repo --help shows all commands" }
                ?? "repo --help shows the commands")
    }

    static func second(of group: String) -> [String] {
        all.filter { $0.name.hasPrefix("\(group) ") }.map {
            String($0.name.dropFirst(group.count + 1))
        }
    }

    static func incomplete(_ group: String) -> UsageError {
        let seconds = second(of: group)
        return UsageError(
            "repo \(group) needs one of \(seconds.joined(separator: ", "))",
            hint: "repo \(group) --help says what they do")
    }

    /// What comes later, and what it will be for.
    static let later = [
        "status": "how old, how large, how safe",
        "tag": "changes tags; repo add --tag sets them",
        "wal": "keeps a server's WAL",
        "binlog": "keeps a server's binary log", "pitr": "restores to a point in time",
        "drill": "proves that a database comes back", "mount": "shows snapshots as files",
        "tier": "moves old packs to cheaper storage",
    ]

    private static let lists = "repo list shows the snapshots"
    private static let shows =
        "repo list shows the snapshots, repo show REF --members the files of one"
    private static let adds = "repo add SERIES saves a snapshot: repo add --help has examples"
    private static let prints = "repo cat REF prints a dump; repo add SERIES saves one"
    private static let restores = "repo restore REF --to PATH brings one back"
    private static let drops =
        "repo forget REF drops a snapshot, repo prune what no policy keeps"
    private static let expires =
        "repo policy set says what to keep, repo prune drops the rest"
    private static let frees = "repo prune frees space"
    private static let holds = "repo hold add forbids to drop snapshots"
    private static let checks = "repo check proves that everything can be restored"
    private static let locks = "there are no locks, so there is nothing to unlock"
    private static let shown = "repo show REF tells everything about a snapshot"
    private static let differs = "repo diff REF REF tells what differs between two snapshots"
    private static let keys = "repo key add makes another key, repo key remove ID takes one away"

    private static let copies = "repo copy --to LOCATION copies to another repository"

    /// The verbs of other tools, answered with ours.
    static let foreign = [
        "snapshots": lists, "ls": shows, "dir": shows, "files": shows, "find": shows, "log": lists,
        "backup": adds, "create": adds, "save": adds, "put": adds, "push": adds, "archive": adds,
        "store": adds,
        "dump": prints, "export": prints, "print": prints, "extract": restores, "get": restores,
        "recover": restores,
        "pull": restores, "delete": drops, "rm": drops, "remove": drops, "drop": drops,
        "expire": expires, "retention": expires, "rotate": expires, "keep": expires,
        "policies": expires, "cleanup": expires, "clean": expires, "purge": expires,
        "protect": holds, "holds": holds, "legal-hold": holds,
        "verify": checks, "validate": checks, "fsck": checks, "test": checks, "scrub": checks,
        "unlock": locks, "break-lock": locks, "lock": locks, "info": shown, "stats": shown,
        "stat": shown,
        "sync": copies, "sync-to": copies, "replicate": copies, "mirror": copies, "clone": copies,
        "inspect": shown, "compare": differs, "changes": differs, "passwd": keys, "password": keys,
        "keys": keys,
        "rcreate": "repo init makes a repository",
        "repair":
            "repo check --repair sets aside what is damaged, and puts right what can be",
        "rebuild-index": "the index is rebuilt by itself when it is lost",
        "compact": frees, "gc": frees, "vacuum": frees, "version": "repo --version",
    ]
}
