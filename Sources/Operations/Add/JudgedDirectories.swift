import DumpFormats
import Files
import Vault

/// What the directories to be saved are, where a dump or backup program wrote them.
struct JudgedDirectories {
    /// Of the first that is one.
    private(set) var report: StreamReport?
    /// Why one of them must not be stored as good.
    private(set) var refusal: Refusal?

    /// Longer files tell nothing of a directory: mydumper's metadata has some lines a table.
    private static let fileBytesMax = 16 << 20
    private static let namesMax = 1_000_000

    /// - Parameter paths: files and directories; of files nothing is said.
    init(_ paths: [Path], _ calls: SystemCalls) throws {
        let directories = Directories(calls)
        for path in paths {
            guard try directories.statusFollowing(path)?.kind == .directory,
                // What cannot be listed is told where it is saved.
                let names = try? directories.names(path), names.count <= Self.namesMax,
                let found = DumpDirectory(
                    names: Set(names.map { $0.description }),
                    contents: { name in
                        try? directories.contents(of: path / name, limit: Self.fileBytesMax)
                    })
            else { continue }
            report = report ?? found.report
            refusal = refusal ?? found.refusal
        }
    }
}
