import Files
import Testing

@testable import Terminal

private func source(_ line: String, _ variables: [String: String] = [:]) throws -> CredentialSource?
{
    try CredentialSource.find(try arguments(line), environment(variables))
}

@Test func `the password comes from the one place that is named`() throws {
    #expect(try source("list") == nil)
    #expect(try source("list --password-file f") == .passwordFile("f"))
    #expect(try source("list", ["REPO_PASSWORD_FILE": "f"]) == .passwordFile("f"))
    #expect(try source("list --password-command c") == .passwordCommand(bytes("c")))
    #expect(try source("list", ["REPO_PASSWORD": "x"]) == .passwordVariable)
    #expect(try source("list", ["REPO_KEY_FILE": "k"]) == .keyFile("k"))
    #expect(try source("list --recovery-key-file r") == .recoveryKeyFile("r"))
}

@Test func `an option wins over its own variable`() throws {
    #expect(try source("list --password-file f", ["REPO_PASSWORD_FILE": "g"]) == .passwordFile("f"))
}

@Test func `two sources are a mistake, whether they are options or variables`() {
    for (line, variables) in [
        ("list --password-file f --key-file k", [:]),
        ("list --password-file f", ["REPO_PASSWORD": "x"]),
        ("list", ["REPO_KEY_FILE": "k", "REPO_PASSWORD_COMMAND": "c"]),
        ("list --recovery-key-file r", ["REPO_PASSWORD_FILE": "f"]),
    ] as [(String, [String: String])] {
        #expect(throws: UsageError.self) { try source(line, variables) }
    }
}

@Test func `the mistake names both, and the way out`() throws {
    do {
        _ = try source("list --recovery-key-file r", ["REPO_PASSWORD_FILE": "f"])
        Issue.record("two sources are accepted")
    } catch let error as UsageError {
        #expect(
            error.message
                == "the password has more than one source: REPO_PASSWORD_FILE, --recovery-key-file")
        #expect(error.hint?.contains("env -u REPO_PASSWORD_FILE") == true)
    }
}

@Test func `a variable set to nothing names no file, but an empty password is one`() throws {
    #expect(try source("list", ["REPO_PASSWORD_FILE": ""]) == nil)
    #expect(try source("list", ["REPO_PASSWORD": ""]) == .passwordVariable)
}

@Test func `the recovery key is no password of a repository that is being made`() throws {
    let arguments = try arguments("init r --recovery-key-file k --password-file f")
    let found = try CredentialSource.find(arguments, environment([:]), takesRecoveryKey: false)
    #expect(found == .passwordFile("f"))
}

@Test func `new passwords have sources of their own`() throws {
    #expect(throws: UsageError.self) {
        try NewCredential(try arguments("key add --new-password-file f --new-key-file k"), environment([:]))
    }
    #expect(throws: UsageError.self) { try NewCredential(try arguments("key add --generate"), environment([:])) }
    _ = try NewCredential(try arguments("key add --new-key-file k --generate"), environment([:]))
}
