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
}
