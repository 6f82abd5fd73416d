import Files
import Synchronization
import TestSupport
import Testing
import WireFormat

@testable import S3

private func source(
    _ variables: [String: String], profile: String? = nil, home: String? = nil,
    now: @escaping @Sendable () -> Int64 = { 0 }
) -> CredentialSource {
    CredentialSource(
        CredentialSource.Settings(
            environment: { variables[$0] }, home: home, profile: profile, calls: .kernel, now: now),
        HTTPTransport(HTTPTransport.Settings(), stopRequested: { nil }))
}

private let files = """
    # of a person
    [default]
    aws_access_key_id = DEFAULT
    aws_secret_access_key=first
    [ work ]
    aws_access_key_id=WORK
    aws_secret_access_key = second = with equals
    aws_session_token = token
    s3 =
        addressing_style = path
    """

@Test func `credentials come from the environment first, then from the profile`() throws {
    let directory = TemporaryDirectory()
    let path = Path(directory.path) / "credentials"
    try Array(files.utf8).withUnsafeBytes {
        try Directories(.kernel).create(path, $0, durable: false)
    }
    let file = ["AWS_SHARED_CREDENTIALS_FILE": "\(path)", "AWS_EC2_METADATA_DISABLED": "true"]
    let keys = ["AWS_ACCESS_KEY_ID": "VARIABLE", "AWS_SECRET_ACCESS_KEY": "x"]
    let both = file.merging(keys) { $1 }
    #expect(try source(both).current().accessKey == "VARIABLE")
    #expect(try source(both, profile: "work").current().accessKey == "WORK")
    #expect(try source(file).current().accessKey == "DEFAULT")
    #expect(try source(file.merging(["AWS_PROFILE": "work"]) { $1 }).current().token == "token")
    #expect(throws: NoCredentials.self) { try source(file, profile: "none").current() }
    #expect(throws: NoCredentials.self) {
        try source(["AWS_EC2_METADATA_DISABLED": "true"]).current()
    }
}

@Test func `profiles are read as they are written`() {
    #expect(
        ProfileFile.value("aws_secret_access_key", section: "work", in: files)
            == "second = with equals")
    #expect(ProfileFile.value("addressing_style", section: "work", in: files) == nil)
    #expect(ProfileFile.value("aws_session_token", section: "default", in: files) == nil)
    #expect(ProfileFile.value("x", section: "work", in: "") == nil)
}

@Test func `what metadata services answer is read, whatever else it holds`() {
    let answer = """
        {"Code" : "Success", "Type": "AWS-HMAC", "AccessKeyId" : "A", "Number": 5,
         "SecretAccessKey":"s\\/e", "Token" : "t", "Expiration" : "2026-11-28T09:00:00Z"}
        """
    let fields = FlatJSON(Array(answer.utf8))
    #expect(fields["AccessKeyId"] == "A" && fields["SecretAccessKey"] == "s/e")
    #expect(fields["Token"] == "t" && fields["Expiration"] == "2026-11-28T09:00:00Z")
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<2000 { _ = FlatJSON(random.mutated(Array(answer.utf8))) }
}

@Test func `documents that are none are errors, and end`() throws {
    #expect(
        try XMLReader.texts(of: ["Code"], in: Array("<E><Code>a&amp;b&#x41;</Code></E>".utf8))
            == ["Code": "a&bA"])
    for text in ["<a>", "<a></b>", "<a", "<a>&nothing;</a>", "</a>"] {
        #expect(throws: XMLError.self) { try XMLReader.texts(of: [], in: Array(text.utf8)) }
    }
    let page = Array(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/b</Key><Size>5</Size></Contents></ListBucketResult>"
            .utf8)
    #expect(try Listing(page, request: "x").entries == [.init(key: "a/b", byteCount: 5, modified: 0)])
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<5000 { _ = try? Listing(random.mutated(page), request: "x") }
}

@Test func `a location is a bucket and a prefix, and nobody is sent there in plain sight`() throws {
    let amazon = try S3Location("s3://bucket/a/b/", region: "eu-west-1")
    #expect(amazon.prefix == "a/b/" && amazon.description == "s3://bucket/a/b")
    #expect(amazon.address("k").origin == "https://bucket.s3.eu-west-1.amazonaws.com")
    #expect(amazon.address("k").path == "/k")
    let dotted = try S3Location("s3://my.bucket")
    #expect(dotted.address("k").path == "/my.bucket/k")
    let own = try S3Location("s3://bucket/x", endpoint: "s3.example.org:9000/")
    #expect(own.address("x/k").origin == "https://s3.example.org:9000")
    #expect(own.address("x/k").path == "/bucket/x/k")
    for endpoint in ["http://s3.example.org", "ftp://x", "https://a/b", "https://u@h", "http://127.evil.org"] {
        #expect(throws: BadS3Location.self) { try S3Location("s3://bucket", endpoint: endpoint) }
    }
    for endpoint in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000"] {
        _ = try S3Location("s3://bucket", endpoint: endpoint)
    }
    for text in ["s3://", "s3://ab", "http://bucket", "s3://a b/c"] {
        #expect(throws: BadS3Location.self) { try S3Location(text) }
    }
}
