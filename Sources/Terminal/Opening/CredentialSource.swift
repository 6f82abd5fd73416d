import Files

/// Where a password or another key to the repository comes from.
enum CredentialSource: Equatable, Sendable {
    case passwordFile(Path)
    case passwordCommand([UInt8])
    /// The variable that holds the password itself.
    case passwordVariable
    case keyFile(Path)
    case recoveryKeyFile(Path)

    /// The one source that is named; nil for none.
    /// - Parameter takesRecoveryKey: false for `init`, which writes one.
    static func find(
        _ arguments: Arguments, _ environment: Environment, takesRecoveryKey: Bool = true
    ) throws(UsageError) -> CredentialSource? {
        var found: [(name: String, source: CredentialSource)] = []
        func look(_ option: Option, _ source: ([UInt8]) -> CredentialSource) {
            if let value = arguments.bytes(option) {
                found.append((option.flag, source(value)))
            } else if let variable = option.environment, let value = environment[variable] {
                found.append((variable, source(value)))
            }
        }
        look(GlobalOptions.passwordFile) { .passwordFile(Path(bytes: $0)) }
        look(GlobalOptions.passwordCommand) { .passwordCommand($0) }
        if environment.has(GlobalOptions.passwordVariable) {
            found.append((GlobalOptions.passwordVariable, .passwordVariable))
        }
        look(GlobalOptions.keyFile) { .keyFile(Path(bytes: $0)) }
        if takesRecoveryKey {
            look(GlobalOptions.recoveryKeyFile) { .recoveryKeyFile(Path(bytes: $0)) }
        }
        return try one(of: found, what: "the password")
    }

    /// - Parameter found: the names that people know the sources by, and the sources.
    static func one(
        of found: [(name: String, source: CredentialSource)], what: String
    ) throws(UsageError) -> CredentialSource? {
        guard found.count > 1 else { return found.first?.source }
        let variable = found.map { $0.name }.first { $0.hasPrefix("REPO_") }
        throw UsageError(
            "\(what) has more than one source: \(found.map { $0.name }.joined(separator: ", "))",
            hint: variable.map { "use one of them; env -u \($0) repo ... leaves that variable out" }
                ?? "use one of them")
    }
}
