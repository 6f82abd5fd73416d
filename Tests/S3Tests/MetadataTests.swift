import Faults
import Files
import ObjectStorage
import Synchronization
import TestSupport
import Testing
import WireFormat

@testable import S3

/// A server that gives credentials, told what to say; it keeps what it was asked.
private final class Giver: Sendable {
    let server: FakeS3
    private let asked: Asked

    init(_ script: @escaping @Sendable (FakeS3.Request) -> FakeS3.Answer) {
        let asked = Asked()
        server = FakeS3(script: { request in
            asked.list.withLock { $0.append(request) }
            return script(request)
        })
        self.asked = asked
    }

    var requests: [FakeS3.Request] { asked.list.withLock { $0 } }
}

private final class Asked: Sendable {
    let list = Mutex<[FakeS3.Request]>([])
}

/// A clock that tests move.
private final class Clock: Sendable {
    private let time: Atomic<Int64>
    init(_ time: Int64) { self.time = Atomic(time) }
    var now: Int64 { time.load(ordering: .relaxed) }
    func go(_ milliseconds: Int64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
}

private let start: Int64 = 1_795_835_700_000  // 2026-11-28T03:15:00Z
private let minute: Int64 = 60_000

private func source(
    _ variables: [String: String], now: @escaping @Sendable () -> Int64 = { start }
) -> CredentialSource {
    CredentialSource(
        CredentialSource.Settings(
            environment: { variables[$0] }, home: nil, profile: nil, calls: .kernel, now: now),
        HTTPTransport(HTTPTransport.Settings(), stopRequested: { nil }))
}

private func json(_ key: String, until: Int64) -> [UInt8] {
    Array(
        """
        {"Code":"Success","AccessKeyId":"\(key)","SecretAccessKey":"s","Token":"t-\(key)",
         "Expiration":"\(Timestamps.iso(until))"}
        """.utf8)
}

private func file(_ text: String, in directory: TemporaryDirectory) throws -> String {
    let path = Path(directory.path) / "token"
    try Array(text.utf8).withUnsafeBytes {
        try Directories(.kernel).create(path, $0, durable: false)
    }
    return "\(path)"
}

// MARK: a web identity

@Test func `a web identity's token is changed for credentials, and stands in no URL`() throws {
    let directory = TemporaryDirectory()
    let giver = Giver { _ in
        FakeS3.Answer(
            body: Array(
                """
                <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>WEB</AccessKeyId>
                <SecretAccessKey>a/b&amp;c</SecretAccessKey><SessionToken>session</SessionToken>
                <Expiration>\(Timestamps.iso(start + 60 * minute))</Expiration></Credentials>
                </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
                """.utf8))
    }
    let found = try source([
        "AWS_WEB_IDENTITY_TOKEN_FILE": try file("ey.to+ken\n", in: directory),
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/backup", "AWS_ENDPOINT_URL_STS": giver.server.endpoint + "/",
    ]).current()
    #expect(found.accessKey == "WEB" && found.token == "session")
    #expect(found.expires == start + 60 * minute)
    let request = try #require(giver.requests.first)
    #expect(request.method == "POST" && request.query.isEmpty)
    #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
    let body = String(decoding: request.body, as: UTF8.self)
    #expect(body.contains("Action=AssumeRoleWithWebIdentity&"))
    #expect(body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fbackup&"))
    #expect(body.hasSuffix("WebIdentityToken=ey.to%2Bken"))
}

@Test func `a token goes nowhere where others can read it`() throws {
    let directory = TemporaryDirectory()
    let token = try file("token", in: directory)
    for url in [
        "http://sts.example.org", "sts.example.org", "http://localhost@sts.example.org",
        "http://localhost:1@sts.example.org", "ftp://localhost", "http://localhost.example.org",
    ] {
        #expect(throws: BadCredentialsAddress.self, "\(url)") {
            try source([
                "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "r",
                "AWS_ENDPOINT_URL_STS": url,
            ]).current()
        }
        #expect(throws: BadCredentialsAddress.self, "\(url)") {
            try source([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret",
            ]).current()
        }
    }
}

@Test func `a refusal is told in the words of who refuses, without the token`() throws {
    let directory = TemporaryDirectory()
    let giver = Giver { _ in
        FakeS3.Answer(
            status: 400,
            body: Array(
                "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>secret</Message></Error></ErrorResponse>"
                    .utf8))
    }
    #expect {
        try source([
            "AWS_WEB_IDENTITY_TOKEN_FILE": try file("secret", in: directory), "AWS_ROLE_ARN": "r",
            "AWS_ENDPOINT_URL_STS": giver.server.endpoint,
        ]).current()
    } throws: {
        let message = ($0 as? any Explained)?.message ?? ""
        return message.contains("400 ExpiredTokenException") && !message.contains("secret")
    }
}

// MARK: a container

@Test func `a container asks where its variables say, with its token`() throws {
    let directory = TemporaryDirectory()
    let giver = Giver { _ in FakeS3.Answer(body: json("CONTAINER", until: start + 60 * minute)) }
    let url = giver.server.endpoint + "/v1/credentials?id=5"
    let first = try source([
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc",
    ]).current()
    #expect(first.accessKey == "CONTAINER" && first.token == "t-CONTAINER")
    _ = try source([
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try file("from a file\n", in: directory),
    ]).current()
    #expect(giver.requests.map { $0.headers["authorization"] } == ["Basic abc", "from a file"])
    #expect(giver.requests.allSatisfy { $0.path == "/v1/credentials" && $0.query == "id=5" })
    // What would end the header and begin another.
    #expect(throws: BadCredentialsAddress.self) {
        try source([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nHost: b",
        ]).current()
    }
}

@Test func `an answer without credentials is said to be one`() {
    for (status, body) in [(200, "{}"), (200, "<html>"), (404, ""), (500, "{\"Code\":\"x\"}")] {
        let giver = Giver { _ in FakeS3.Answer(status: status, body: Array(body.utf8)) }
        #expect(throws: CredentialsRefused.self) {
            try source(["AWS_CONTAINER_CREDENTIALS_FULL_URI": giver.server.endpoint]).current()
        }
    }
}

// MARK: an instance

/// The metadata service of an instance: nothing is given without a token.
private func instance(_ answer: @escaping @Sendable () -> [UInt8]) -> Giver {
    Giver { request in
        switch (request.method, request.path) {
        case ("PUT", "/latest/api/token"):
            request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == nil
                ? FakeS3.Answer(status: 400) : FakeS3.Answer(body: Array("TOKEN".utf8))
        case ("GET", _) where request.headers["x-aws-ec2-metadata-token"] != "TOKEN":
            FakeS3.Answer(status: 401)
        case ("GET", "/latest/meta-data/iam/security-credentials/"):
            FakeS3.Answer(body: Array("the role\n".utf8))
        case ("GET", "/latest/meta-data/iam/security-credentials/the role"):
            FakeS3.Answer(body: answer())
        default: FakeS3.Answer(status: 404)
        }
    }
}

@Test func `an instance is asked with a token of its metadata service`() throws {
    let giver = instance { json("INSTANCE", until: start + 60 * minute) }
    let found = try source(["AWS_EC2_METADATA_SERVICE_ENDPOINT": giver.server.endpoint + "/"]).current()
    #expect(found.accessKey == "INSTANCE" && found.token == "t-INSTANCE")
    #expect(giver.requests.count == 3)
}

@Test func `where no instance is, there are no credentials, at once`() throws {
    // A service that is there and has no role; one that is not there.
    let giver = Giver { FakeS3.Answer(status: $0.method == "PUT" ? 403 : 404) }
    for endpoint in [giver.server.endpoint, "http://127.0.0.1:1"] {
        #expect(throws: NoCredentials.self) {
            try source(["AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint]).current()
        }
    }
    #expect(throws: NoCredentials.self) {
        try source([
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": giver.server.endpoint,
            "AWS_EC2_METADATA_DISABLED": "TRUE",
        ]).current()
    }
    #expect(giver.requests.count == 1)
}

// MARK: what expires

@Test func `credentials are fetched anew before they expire, and used on while that fails`() throws {
    let clock = Clock(start)
    let count = Atomic(0)
    let isDown = Atomic(false)
    let giver = Giver { _ in
        guard !isDown.load(ordering: .relaxed) else { return FakeS3.Answer(status: 503) }
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        return FakeS3.Answer(body: json("K\(number)", until: clock.now + 60 * minute))
    }
    let source = source(
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": giver.server.endpoint], now: { clock.now })
    #expect(try source.current().accessKey == "K1")
    clock.go(54 * minute)
    #expect(try source.current().accessKey == "K1")
    clock.go(2 * minute)
    isDown.store(true, ordering: .relaxed)
    #expect(try source.current().accessKey == "K1")
    isDown.store(false, ordering: .relaxed)
    let second = try source.current()
    #expect(second.accessKey == "K2")
    // What the store refuses is not used on.
    source.refuse(second)
    #expect(try source.current().accessKey == "K3")
    isDown.store(true, ordering: .relaxed)
    clock.go(61 * minute)
    #expect(throws: CredentialsRefused.self) { try source.current() }
    #expect(count.load(ordering: .relaxed) == 3)
}

@Test func `a request waits for credentials that are not to be had for a while`() throws {
    let asked = Atomic(0)
    let giver = Giver { _ in
        asked.wrappingAdd(1, ordering: .relaxed).newValue <= 3
            ? FakeS3.Answer(status: 500) : FakeS3.Answer(body: json("LATE", until: start + 90_000_000))
    }
    let server = FakeS3()
    var options = options(now: { start })
    let url = giver.server.endpoint
    options.environment = { $0 == "AWS_CONTAINER_CREDENTIALS_FULL_URI" ? url : nil }
    let store = try store(server, options)
    try store.put(.config, [1, 2])
    #expect(try store.get(.config) == [1, 2])
    #expect(giver.requests.count == 4)
}
