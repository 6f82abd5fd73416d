import CLinux
import Faults
import Files
import Snapshots
import Vault
import WireFormat

/// Restores a backup that a server's own tool made, with all that it needs, and has that tool make a
/// data directory of it that the server starts on.
struct PreparedRestore {
    private let request: RestoreRequest
    private let vault: Vault
    private let chain: BackupChain
    private let tool: PreparingTool
    private let program: Path?
    private let directories: Directories
    /// Increments lie beside the target while they are applied, and what the tools say.
    private let aside: Path
    private(set) var bytes = 0
    private(set) var count = 0
    private(set) var notes: [String] = []

    /// Everything that can be found out before something is written.
    init(_ request: RestoreRequest, _ vault: Vault) throws {
        self.request = request
        self.vault = vault
        directories = Directories(vault.surroundings.systemCalls)
        chain = try BackupChain(of: request.snapshot, in: History.load(vault))
        var manifests: [Manifest] = []
        for link in chain.links { manifests.append(try readManifest(of: link, in: vault)) }
        guard let last = manifests.last,
            let tool = PreparingTool(writtenBy: last.facts?.tool, links: chain.links.count)
        else {
            throw OperationError.notAStream(
                request.snapshot.id.short, what: "no physical backup that could be prepared")
        }
        let isWhole = manifests.allSatisfy {
            $0.stream(.catalog) != nil || $0.stream(.members) != nil
        }
        guard isWhole else {
            throw OperationError.notAStream(
                request.snapshot.id.short, what: "a backup of which not all files are known")
        }
        self.tool = tool
        program =
            tool == .none ? nil : try tool.find(request.prepareWith, vault.surroundings.systemCalls)
        let mark = hexadecimal(try vault.surroundings.randomBytes(4))
        aside = Path("\(request.target).repo-\(mark)")
        if let standing = try directories.statusFollowing(request.target) {
            let names =
                standing.kind == .directory ? try directories.names(request.target) ?? [] : ["."]
            guard names.isEmpty else { throw OperationError.alreadyThere("\(request.target)") }
        }
    }

    consuming func run() throws -> PreparedRestore {
        var run = self
        do {
            switch run.tool {
            case .none: try run.restore(run.chain.links[0], to: run.request.target)
            case .pgCombinebackup: try run.combine()
            case .mariabackup, .xtrabackup: try run.apply()
            }
        } catch {
            run.removeAside()
            throw error
        }
        run.removeAside()
        return run
    }

    private func removeAside() {
        try? FileMaker(aside, overwrites: true, vault.surroundings).removeTree(aside)
    }

    // MARK: MariaDB, Percona

    private mutating func apply() throws {
        let target = request.target
        try restore(chain.links[0], to: target)
        try prepare(nil, isLast: chain.links.count == 1)
        for (number, link) in chain.links.enumerated().dropFirst() {
            // One at a time: the disk need not hold them all.
            let increment = aside / "increment"
            try restore(link, to: increment)
            try prepare(increment, isLast: number == chain.links.count - 1)
            try FileMaker(aside, overwrites: true, vault.surroundings).removeTree(increment)
        }
        notes.append("give it to the server's user before it starts: chown -R mysql: \(target)")
    }

    private func prepare(_ increment: Path?, isLast: Bool) throws {
        guard let program else { return }
        try execute(
            tool.arguments(program, target: request.target, increment: increment, isLast: isLast))
    }

    /// Where in a snapshot of files the backup begins: its files lie as deep as its path was long.
    private func top(of snapshot: Snapshot) throws -> [UInt8]? {
        let marks = ["xtrabackup_checkpoints", "mariadb_backup_checkpoints", "backup_label"]
        var found: [UInt8]?
        try readCatalog(of: snapshot, in: vault) { entry in
            let path = Path(bytes: entry.path)
            guard marks.contains(path.name.description) else { return }
            let parent = path.bytes.dropLast(path.name.bytes.count + 1)
            if found.map({ parent.count < $0.count }) ?? true { found = Array(parent) }
        }
        return found.flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: PostgreSQL

    private mutating func combine() throws {
        guard let program else { return }
        var arguments = [program.bytes, Array("-o".utf8), request.target.bytes]
        for (number, link) in chain.links.enumerated() {
            let directory = aside / "\(number)"
            try restore(link, to: directory)
            arguments.append(directory.bytes)
        }
        try execute(arguments)
    }

    // MARK: steps

    private mutating func restore(_ snapshot: Snapshot, to path: Path) throws {
        try directories.make(path.parent)
        var part = request
        part.snapshot = snapshot
        part.target = path
        part.prepares = false
        part.top = try top(of: snapshot)
        let outcome = try Operations.restore(part, from: vault)
        bytes += outcome.bytes
        count += outcome.files
        notes += outcome.notes
    }

    /// Runs the tool. What it says is kept, and shown where it fails.
    private func execute(_ arguments: [[UInt8]]) throws {
        try directories.make(aside)
        let log = aside / "log"
        try directories.remove(log)
        var file = try Descriptor(creating: log, calls: vault.surroundings.systemCalls)
        let process = try Subprocess.start(
            arguments, input: nil, output: file.number, error: file.number)
        try file.close()
        let status = Subprocess.wait(process, vault.surroundings)
        if let signal = vault.surroundings.stopRequested() { throw Interrupted(signal: signal) }
        guard repo_exited(status) != 0, repo_exit_status(status) == 0 else {
            let program = Path(bytes: arguments[0]).name.description
            throw ToolFailed(
                program: program,
                how: repo_exited(status) != 0
                    ? "ended with status \(repo_exit_status(status))"
                    : "was ended by signal \(repo_term_signal(status))",
                said: lastLines(of: log), target: request.target)
        }
    }

    private func lastLines(of log: Path) -> [String] {
        guard let file = try? Descriptor(reading: log, calls: vault.surroundings.systemCalls),
            let size = try? file.status().st_size
        else { return [] }
        var bytes = [UInt8](repeating: 0, count: min(Int(size), 4096))
        let count = bytes.withUnsafeMutableBytes {
            (try? file.read(at: Int(size) - $0.count, into: $0)) ?? 0
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
            .split(whereSeparator: \.isNewline).suffix(5).map { String($0) }
    }
}

/// The tool that prepares a backup did not succeed.
package struct ToolFailed: Explained {
    let program: String
    let how: String
    let said: [String]
    let target: Path

    package var message: String {
        "\(program) \(how)" + (said.isEmpty ? "" : ": \(said.joined(separator: " | "))")
    }
    package var hint: String? {
        "\(target) is no data directory yet: remove it before the next try."
            + " The snapshot itself is sound: every byte of it was proven"
    }
}
