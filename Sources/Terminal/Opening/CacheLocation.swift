import Files

/// Where this machine keeps what it may lose.
enum CacheLocation {
    /// `--cache-dir`, else `$XDG_CACHE_HOME/repo`, else `~/.cache/repo`; nil where none of them is
    /// known.
    static func find(_ arguments: Arguments, _ environment: Environment) -> Path? {
        if let given = arguments.path(GlobalOptions.cacheDirectory) { return given }
        // The XDG specification has relative paths ignored.
        if let base = environment["XDG_CACHE_HOME"], base.first == UInt8(ascii: "/") {
            return Path(bytes: base) / "repo"
        }
        return environment["HOME"].map { Path(bytes: $0) / ".cache/repo" }
    }

    /// `--cache-size`, else REPO_CACHE_SIZE: bytes; nil for what is usual.
    static func bytesMax(_ arguments: Arguments, _ environment: Environment) throws -> Int? {
        let option = GlobalOptions.cacheSize
        if let text = try arguments.text(option) { return try bytes(text, of: option.flag) }
        guard let name = option.environment, let text = environment.text(name) else { return nil }
        return try bytes(text, of: name)
    }

    /// A size as people write it: `0`, `500MB`, `5 GiB`.
    static func bytes(_ text: String, of what: String) throws(UsageError) -> Int {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).trimmingPrefix(" ").lowercased()
        let units = [
            "": 1.0, "b": 1, "k": 1e3, "kb": 1e3, "kib": 1024, "m": 1e6, "mb": 1e6,
            "mib": 1_048_576, "g": 1e9, "gb": 1e9, "gib": 1_073_741_824, "t": 1e12, "tb": 1e12,
            "tib": 1_099_511_627_776,
        ]
        guard let number = Double(digits), let factor = units[unit], number * factor < 1e18 else {
            throw UsageError("\(what) \(text): a size is wanted, such as 500MB or 5GiB")
        }
        return Int(number * factor)
    }
}
