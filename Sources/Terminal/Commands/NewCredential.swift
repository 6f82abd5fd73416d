import Files
import Sealing
import Vault

/// The password or key file of a key that is being made.
struct NewCredential {
    private static let sources = CredentialOptions(
        what: "the new password",
        passwordFile: Option(
            "new-password-file", value: "FILE", "the new password is the first line of FILE"),
        passwordCommand: Option(
            "new-password-command", value: "CMD",
            "the new password is what the shell command CMD prints"),
        keyFile: Option(
            "new-key-file", value: "FILE", "the new key is opened by this key file"))
    private static let generate = Option("generate", "make the key file: FILE must not exist yet")

    static let options = sources.all + [generate]

    /// nil: ask a person.
    private let source: CredentialSource?
    private let isGenerated: Bool

    init(_ arguments: Arguments, _ environment: Environment) throws(UsageError) {
        source = try Self.sources.source(arguments, environment)
        isGenerated = arguments.has(Self.generate)
        if isGenerated, arguments.path(Self.sources.keyFile) == nil {
            throw UsageError(
                "--generate makes a key file", hint: "say which: --new-key-file FILE --generate")
        }
    }

    /// Hands the credential to `body`. A key file that was made for it stays only if that succeeds.
    func make<R>(_ session: Session, _ body: (borrowing Credential) throws -> R) throws -> R {
        guard isGenerated, case .keyFile(let path) = source else {
            let credential = try session.credential(
                from: source, question: "choose the password of the new key: ", isNew: true)
            return try body(credential)
        }
        var file = try SecretFile(reserving: path, calls: session.surroundings.systemCalls)
        do {
            var bytes = try session.surroundings.randomBytes(SecretReader.keyBytes)
            let secret = Secret(moving: &bytes)
            // Durable before anything relies on it.
            try secret.withBytes { try file.write($0) }
            return try body(Credential(.keyFile, secret))
        } catch {
            file.discard()
            throw error
        }
    }
}
