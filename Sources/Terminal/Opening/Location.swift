import Faults
import Files
import ObjectStorage

/// Where a repository is.
struct Location: Sendable, Equatable {
    /// A directory, or `s3://bucket/prefix`.
    let path: Path
    let isFar: Bool

    /// - Parameter bytes: a directory, or the name of a place that is no directory.
    init(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else {
            throw UsageError("the location of the repository is empty", hint: Self.hint)
        }
        if let scheme = Self.scheme(bytes) {
            let text = "\(Path(bytes: bytes))"
            guard scheme == "s3" else {
                throw StorageError.badLocation(
                    text, why: "repo knows directories and s3://, and no \(scheme)://")
            }
            isFar = true
        } else {
            isFar = false
        }
        path = Path(bytes: bytes)
    }

    /// What `--repository` or the environment says.
    static func find(_ arguments: Arguments, _ environment: Environment) throws -> Location {
        if let given = try findIfGiven(arguments, environment) { return given }
        throw UsageError(
            "no repository is named: -r LOCATION or REPO_REPOSITORY says where it is", hint: hint)
    }

    static func findIfGiven(_ arguments: Arguments, _ environment: Environment) throws -> Location?
    {
        try (arguments.bytes(GlobalOptions.repository) ?? environment["REPO_REPOSITORY"]).map {
            try Location($0)
        }
    }

    private static let hint = "for example: export REPO_REPOSITORY=/srv/backup"

    /// `s3` of `s3://bucket`.
    private static func scheme(_ bytes: [UInt8]) -> String? {
        let name = bytes.prefix {
            ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
        }
        guard !name.isEmpty, bytes.dropFirst(name.count).starts(with: "://".utf8) else {
            return nil
        }
        return String(decoding: name, as: UTF8.self).lowercased()
    }
}

/// What stands at a location is no repository.
struct NoRepository: Explained {
    let message: String
    let hint: String?
    var exitCode: ExitCode { .noRepository }
}
