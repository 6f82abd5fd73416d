import Files
import Sealing
import Vault

/// The password or key file of a key that is being made.
struct NewCredential {
    private static let passwordFile = Option(
        "new-password-file", value: "FILE", "the new password is the first line of FILE")
    private static let passwordCommand = Option(
        "new-password-command", value: "CMD",
        "the new password is what the shell command CMD prints")
    private static let keyFile = Option(
        "new-key-file", value: "FILE", "the new key is opened by this key file")
    private static let generate = Option("generate", "make the key file: FILE must not exist yet")

    static let options = [passwordFile, passwordCommand, keyFile, generate]

    /// nil: ask a person.
    private let source: CredentialSource?
    private let isGenerated: Bool

    init(_ arguments: Arguments) throws(UsageError) {
        var found: [(name: String, source: CredentialSource)] = []
        if let path = arguments.path(Self.passwordFile) {
            found.append((Self.passwordFile.flag, .passwordFile(path)))
        }
        if let command = arguments.bytes(Self.passwordCommand) {
            found.append((Self.passwordCommand.flag, .passwordCommand(command)))
        }
        if let path = arguments.path(Self.keyFile) {
            found.append((Self.keyFile.flag, .keyFile(path)))
        }
        source = try CredentialSource.one(of: found, what: "the new password")
        isGenerated = arguments.has(Self.generate)
        if isGenerated, arguments.path(Self.keyFile) == nil {
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
