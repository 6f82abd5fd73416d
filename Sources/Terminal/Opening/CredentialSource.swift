import Files

/// Where a password or another key to the repository comes from.
enum CredentialSource: Equatable, Sendable {
    case passwordFile(Path)
    case passwordCommand([UInt8])
    /// The variable that holds the password itself.
    case passwordVariable
    case keyFile(Path)
    case recoveryKeyFile(Path)

    /// The one source of the repository's password or key that is named; nil for none.
    /// - Parameter takesRecoveryKey: false for `init`, which writes one.
    static func find(
        _ arguments: Arguments, _ environment: Environment, takesRecoveryKey: Bool = true
    ) throws(UsageError) -> CredentialSource? {
        try CredentialOptions(
            what: "the password", passwordFile: GlobalOptions.passwordFile,
            passwordCommand: GlobalOptions.passwordCommand, keyFile: GlobalOptions.keyFile,
            recoveryKeyFile: takesRecoveryKey ? GlobalOptions.recoveryKeyFile : nil,
            passwordVariable: GlobalOptions.passwordVariable
        ).source(arguments, environment)
    }
}

/// The options that say where a password or a key comes from.
struct CredentialOptions: Sendable {
    /// For errors: `the password`.
    let what: String
    let passwordFile: Option
    let passwordCommand: Option
    let keyFile: Option
    var recoveryKeyFile: Option?
    /// The variable that holds the password itself.
    var passwordVariable: String?

    var all: [Option] {
        [passwordFile, passwordCommand, keyFile] + [recoveryKeyFile].compactMap { $0 }
    }

    /// The one source that is named; nil for none.
    func source(
        _ arguments: Arguments, _ environment: Environment
    ) throws(UsageError) -> CredentialSource? {
        // The names that people know the sources by, and the sources.
        var found: [(name: String, source: CredentialSource)] = []
        func look(_ option: Option, _ source: ([UInt8]) -> CredentialSource) {
            if let value = arguments.bytes(option) {
                found.append((option.flag, source(value)))
            } else if let variable = option.environment, let value = environment[variable] {
                found.append((variable, source(value)))
            }
        }
        look(passwordFile) { .passwordFile(Path(bytes: $0)) }
        look(passwordCommand) { .passwordCommand($0) }
        if let passwordVariable, environment.has(passwordVariable) {
            found.append((passwordVariable, .passwordVariable))
        }
        look(keyFile) { .keyFile(Path(bytes: $0)) }
        if let recoveryKeyFile { look(recoveryKeyFile) { .recoveryKeyFile(Path(bytes: $0)) } }
        guard found.count > 1 else { return found.first?.source }
        let variable = found.map { $0.name }.first { $0.hasPrefix("REPO_") }
        throw UsageError(
            "\(what) has more than one source: \(found.map { $0.name }.joined(separator: ", "))",
            hint: variable.map { "use one of them; env -u \($0) repo ... leaves that variable out" }
                ?? "use one of them")
    }
}
