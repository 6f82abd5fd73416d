import Faults
import Operations
import Snapshots
import WireFormat

/// `repo list`: what is there.
enum ListCommand {
    private static let tag = Option(
        "tag", value: "T", isRepeatable: true, "only snapshots that have this tag")
    private static let since = Option(
        "since", value: "T", "only snapshots from this date on: 2026-11-21")
    private static let last = Option("last", value: "N", "only the newest N")

    static let command = Command(
        "list", summary: "show the snapshots",
        usage: ["[SERIES | GROUP] [--tag T] [--since T] [--last N]"],
        description: """
            Shows the snapshots, oldest first, each on a line: id, time, series, kind, end,
            bytes read and stored. The column end says how sure it is that a snapshot is
            whole:

              seen      its end was seen, or the command that wrote it succeeded
              unknown   whatever wrote it marks no end
              cut       it was cut off, or files were unreadable, and saved all the same
              shrunk    it is less than half as long as usual

            With SERIES only its snapshots; where no series is called so, those of the
            group of that name.
            """,
        operands: [Operand("SERIES", .optional)],
        options: [tag, since, last, Session.acceptRollback],
        examples: [
            .init("repo list", "everything"),
            .init("repo list shop --last 3", "the three newest of one series"),
            .init("repo list nightly", "what was saved with --group nightly"),
            .init("repo list --since 2026-11-01 --json", "one JSON object a line, for scripts"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let arguments = session.arguments
        let series = try arguments.text(operand: 0)
        let tags = try arguments.texts(tag)
        let count = try arguments.number(last, in: 1...Int.max)
        let first = try arguments.time(since)
        let vault = try session.openVault()
        let all = try session.history(vault).snapshots
        let isSeries = series.map { name in all.contains { $0.head.series == name } } ?? false
        let wanted = all.filter { snapshot in
            let head = snapshot.head
            return (series.map { $0 == (isSeries ? head.series : head.group) } ?? true)
                && (first.map { head.time >= $0 } ?? true)
                && tags.allSatisfy { head.tags.contains($0) }
        }.suffix(count ?? Int.max)
        let held = try HeldNames(vault)
        if session.console.isJSON {
            for snapshot in wanted { try session.console.out(snapshot.json(held: held[snapshot])) }
        } else if wanted.isEmpty {
            sayNothingThere(all, series, session.console)
        } else {
            try session.console.out(table(Array(wanted), held))
        }
        return .done
    }

    /// Hosts, groups, tags and holds have columns only where they tell something apart.
    static func table(_ snapshots: [Snapshot], _ held: HeldNames = HeldNames()) -> Table {
        let hasHosts = Set(snapshots.map { $0.head.host }).count > 1
        let hasGroups = snapshots.contains { $0.head.group != nil }
        let hasTags = snapshots.contains { !$0.head.tags.isEmpty }
        let hasHolds = snapshots.contains { !held[$0].isEmpty }
        var table = Table(
            [
                .init("id"), .init("time"), .init("series"), .init("kind"), .init("end"),
                .init("size", isNumber: true),
                .init("stored", isNumber: true),
            ] + (hasHosts ? [.init("host")] : []) + (hasGroups ? [.init("group")] : [])
                + (hasTags ? [.init("tags")] : []) + (hasHolds ? [.init("held")] : []))
        for snapshot in snapshots {
            let head = snapshot.head
            var cells = [
                snapshot.id.short, Times.local(head.time), head.series, head.kind.word, head.end,
                Figures.tableSize(head.bytesRead), Figures.tableSize(head.bytesStored),
            ]
            if hasHosts { cells.append(head.host ?? "") }
            if hasGroups { cells.append(head.group ?? "") }
            if hasTags { cells.append(head.tags.joined(separator: ", ")) }
            if hasHolds { cells.append(held[snapshot].joined(separator: ", ")) }
            table.add(cells)
        }
        return table
    }

    private static func sayNothingThere(_ all: [Snapshot], _ series: String?, _ console: Console) {
        guard !all.isEmpty else {
            console.note("there are no snapshots yet")
            console.hint("repo add SERIES -- COMMAND saves the first: repo add --help has examples")
            return
        }
        let names = Set(all.map { $0.head.series } + all.compactMap { $0.head.group }).sorted()
        guard let series, !names.contains(series) else {
            return console.note("no snapshot is like that")
        }
        console.note("there is no series or group \(series)")
        if let near = nearest(to: series, among: names) {
            console.hint("did you mean \(near)?")
        } else {
            let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", ..." : "")
            console.hint("there \(names.count == 1 ? "is" : "are") \(shown)")
        }
    }
}
