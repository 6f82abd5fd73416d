import Faults
import Files
import Sealing
import TestSupport
import Testing

@testable import Terminal

private func password(_ text: String) throws -> [UInt8] {
    try bytes(text).withUnsafeBytes {
        try SecretReader.password($0, source: "there").withBytes { Array($0) }
    }
}

@Test func `a password is the first line without its end`() throws {
    #expect(try password("secret") == bytes("secret"))
    #expect(try password("secret\nnext line\n") == bytes("secret"))
    #expect(try password("secret\r\n") == bytes("secret"))
    #expect(try password(" with spaces \n") == bytes(" with spaces "))
}

@Test func `an empty password is refused`() {
    for text in ["", "\n", "\r\n", "\nsecond line"] {
        #expect(throws: CredentialError.empty("there")) { try password(text) }
    }
}

@Test func `a password has at most 1,024 bytes`() throws {
    _ = try password(String(repeating: "x", count: 1024) + "\n")
    #expect(throws: CredentialError.tooLong("there")) {
        try password(String(repeating: "x", count: 1025) + "\n")
    }
}

@Test func `a password too long for a secret becomes the key that scrypt would make of it`() throws
{
    // RFC 2104: a key longer than the block of the hash is replaced by its hash.
    #expect(
        try password(String(repeating: "x", count: 64)) == bytes(String(repeating: "x", count: 64)))
    let long = String(repeating: "x", count: 65)
    #expect(try password(long) == SHA256.hash(bytes(long)))
}

@Test func `files are read, and what is no key file is named with its length`() throws {
    let harness = try Harness()
    let reader = SecretReader(calls: .kernel)
    #expect(
        try reader.password(in: Path(harness.path("password"))).withBytes { Array($0) }
            == bytes("correct horse"))
    try harness.write("key", String(repeating: "k", count: 32))
    #expect(
        try reader.key(in: Path(harness.path("key"))).withBytes { Array($0) }
            == bytes(String(repeating: "k", count: 32)))
    try harness.write("long", String(repeating: "k", count: 100))
    #expect(throws: CredentialError.notAKeyFile(harness.path("long"), byteCount: 100)) {
        _ = try reader.key(in: Path(harness.path("long")))
    }
    #expect(throws: FileError.self) { _ = try reader.password(in: Path(harness.path("nowhere"))) }
}

@Test func `a password command's first line is the password`() throws {
    let calls = SystemCalls.kernel
    func run(_ command: String) throws -> [UInt8] {
        try PasswordCommand.run(bytes(command), calls: calls).withBytes { Array($0) }
    }
    #expect(try run("echo 'a b'; echo more") == bytes("a b"))
    #expect(try run("wc -c") == bytes("0"), "its input is empty")
    #expect(throws: CredentialError.commandFailed("failed with exit status 3")) {
        try run("echo x; exit 3")
    }
    #expect(throws: CredentialError.empty("the password command's output")) { try run("true") }
    #expect(throws: CredentialError.commandFailed("was ended by signal 9")) {
        try run("echo x; kill -9 $$")
    }
}

@Test func `a recovery key with a wrong digit does not open, and that is said`() throws {
    let harness = try Harness()
    try harness.write("wrong", "# a comment\n0000-0000\n")
    do {
        _ = try SecretReader(calls: .kernel).recoveryKey(in: Path(harness.path("wrong")))
        Issue.record("it is accepted")
    } catch let error as CredentialError {
        #expect(error.exitCode == .noKeyOpens)
        #expect(error.message.contains("holds no recovery key: it has 56 digits, this one 8"))
    }
}
