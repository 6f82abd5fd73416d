// Measures the parts that repo is made of, one by one, and makes what the benchmarks around it need.
// Not a product: it stands inside the package to see what rooms show one another only.

import Faults
import Glibc

let usage = """
    repo-bench: measures the parts of repo

    usage: repo-bench micro [--rounds N] [--json]
           repo-bench dump BYTES [SEED]
           repo-bench make-index REPOSITORY COUNT
           repo-bench open-index DIRECTORY
           repo-bench decoding REPOSITORY SNAPSHOT
           repo-bench small-chunks REPOSITORY AVERAGE

    micro       what cutting, naming, compressing, sealing and looking up cost, each by itself
    dump        writes a made dump of about so many bytes to standard output, the same for the same seed
    make-index  writes sealed index objects of so many chunks into a repository, and empty shells for
                the packs that they speak of: to see how opening and adding grow. Nothing can be
                restored from the shells, and repo check calls them damaged.
                REPO_KEY_FILE or REPO_PASSWORD_FILE opens the repository.
    open-index  opens the local index in a directory, and looks up chunks that make-index made and
                others: seconds and resident memory, as JSON
    decoding    counts the frames that are decoded when a snapshot is read in order, and when a few
                bytes of it are read somewhere, as JSON. REPO_KEY_FILE or REPO_PASSWORD_FILE opens
                the repository.
    small-chunks  makes a repository whose chunks have AVERAGE bytes: to measure what goes by
                their number. REPO_KEY_FILE or REPO_PASSWORD_FILE opens it.

    """

do {
    var arguments = CommandLine.arguments.dropFirst()
    switch arguments.popFirst() {
    case "micro": try Micro.run(arguments)
    case "dump": try WriteDump.run(arguments)
    case "make-index": try MakeIndex.run(arguments)
    case "open-index": try OpenIndex.run(arguments)
    case "small-chunks": try SmallChunks.run(arguments)
    case "decoding": try Decoding.run(arguments)
    case "--help", "-h", "help": print(usage, terminator: "")
    default: throw Misused("no such command")
    }
} catch let error as any Explained {
    complain(error.message)
    exit(error.exitCode.rawValue)
} catch {
    complain("\(error)")
    exit(1)
}

/// What was asked cannot be done.
struct Misused: Explained {
    let message: String
    init(_ message: String) { self.message = message + "; repo-bench --help shows how" }
    var exitCode: ExitCode { .usage }
}

private func complain(_ message: String) {
    let line = Array("repo-bench: \(message)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

/// A benchmark found what must not be.
struct Failed: Explained {
    let message: String
    init(_ message: String) { self.message = message }
}

/// A number from the command line.
func number(_ text: String?, _ what: String, atLeast least: Int = 1) throws -> Int {
    guard let text, let value = Int(text), value >= least else {
        throw Misused("\(what) is a whole number from \(least) on")
    }
    return value
}
