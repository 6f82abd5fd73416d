import CLinux
import Faults
import Files
import Snapshots
import Vault
import WireFormat

/// The program of a server that makes a data directory of a backup.
enum PreparingTool: Equatable {
    /// MariaDB's; it applies an increment to what was prepared before.
    case mariabackup
    /// Percona's; all but the last are applied without rolling back.
    case xtrabackup
    case pgCombinebackup
    /// A server that does it all itself when it starts: a full of PostgreSQL.
    case none

    /// - Parameters:
    ///   - tool: what wrote the backup, as its manifest tells.
    ///   - links: how many backups there are to put together.
    init?(writtenBy tool: String?, links: Int) {
        switch tool {
        case "mariabackup", "mariadb-backup": self = .mariabackup
        case let tool? where tool.hasPrefix("xtrabackup"): self = .xtrabackup
        case "pg_basebackup": self = links > 1 ? .pgCombinebackup : .none
        default: return nil
        }
    }

    /// The names under which it is looked for.
    var names: [String] {
        switch self {
        case .mariabackup: ["mariabackup", "mariadb-backup"]
        case .xtrabackup: ["xtrabackup"]
        case .pgCombinebackup: ["pg_combinebackup"]
        case .none: []
        }
    }

    /// The package that has it.
    var package: String {
        switch self {
        case .mariabackup: "mariadb-backup"
        case .xtrabackup: "percona-xtrabackup"
        case .pgCombinebackup, .none: "postgresql, from version 17 on,"
        }
    }

    /// The command that applies an increment, or with none prepares the full.
    func arguments(_ program: Path, target: Path, increment: Path?, isLast: Bool) -> [[UInt8]] {
        var arguments = [program.bytes, Array("--prepare".utf8)]
        if self == .xtrabackup && !isLast { arguments.append(Array("--apply-log-only".utf8)) }
        arguments.append(Array("--target-dir=".utf8) + target.bytes)
        if let increment { arguments.append(Array("--incremental-dir=".utf8) + increment.bytes) }
        return arguments
    }

    /// Where the program is.
    /// - Parameter given: what the person said.
    func find(_ given: Path?, _ calls: SystemCalls) throws -> Path {
        if let given { return given }
        let directories = Directories(calls)
        let places = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        for name in names {
            for place in places.split(separator: ":") {
                let path = Path(place) / name
                if let status = try? directories.statusFollowing(path), status.kind == .file,
                    status.st_mode & 0o111 != 0
                {
                    return path
                }
            }
        }
        throw ToolMissing(name: names[0], package: package)
    }
}

/// The program that would prepare a backup is not there.
package struct ToolMissing: Explained {
    let name: String
    let package: String

    package var message: String { "\(name) is needed to prepare this backup, and is not in PATH" }
    package var hint: String? {
        "install \(package) or say where it is: --prepare-with /path/to/\(name);"
            + " without --prepare the files are restored as they were saved"
    }
}
