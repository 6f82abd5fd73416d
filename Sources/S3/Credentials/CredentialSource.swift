import Faults
import Files
import Sealing
import Synchronization
import WireFormat

/// Where credentials come from: environment, files with profiles, a web identity, the metadata of a
/// container or an instance, in this order. Those that expire are fetched anew a while before.
///
/// A class: all requests share what was found.
final class CredentialSource: Sendable {
    /// Of the process that asks.
    struct Settings: Sendable {
        var environment: @Sendable (String) -> String?
        var home: String?
        var profile: String?
        var calls: SystemCalls
        /// Milliseconds since 1970.
        var now: @Sendable () -> Int64
    }

    private let settings: Settings
    private let transport: HTTPTransport
    private let found = Mutex<Credentials?>(nil)

    /// So long before they expire new ones are fetched, in milliseconds.
    private static let expiryMargin: Int64 = 5 * 60_000
    private static let tokenBytesMax = 64 << 10

    init(_ settings: Settings, _ transport: HTTPTransport) {
        self.settings = settings
        self.transport = transport
    }

    /// The credentials to sign with now.
    func current() throws -> Credentials {
        try found.withLock { found in
            if let known = found,
                known.expires.map({ $0 - Self.expiryMargin > settings.now() }) ?? true
            {
                return known
            }
            do {
                let fresh = try find()
                found = fresh
                return fresh
            } catch {
                // What is still good goes on while new ones are not to be had.
                guard !isInterrupted(error), let known = found,
                    known.expires.map({ $0 > settings.now() }) ?? false
                else { throw error }
                return known
            }
        }
    }

    /// Told that a store refused these as expired: they are looked for anew.
    func refuse(_ credentials: Credentials) {
        found.withLock { if $0 === credentials { $0 = nil } }
    }

    private func find() throws -> Credentials {
        if settings.profile == nil, let found = fromEnvironment() { return found }
        if let found = try fromFiles() { return found }
        if let found = try fromWebIdentity() { return found }
        if let found = try fromContainer() { return found }
        if let found = try fromInstance() { return found }
        throw NoCredentials(profile: settings.profile ?? settings.environment("AWS_PROFILE"))
    }

    // MARK: environment, files

    private func fromEnvironment() -> Credentials? {
        guard let accessKey = variable("AWS_ACCESS_KEY_ID"),
            let secret = variable("AWS_SECRET_ACCESS_KEY")
        else { return nil }
        var bytes = Array(secret.utf8)
        return Credentials(
            accessKey: accessKey, secretKey: &bytes, token: variable("AWS_SESSION_TOKEN"))
    }

    private func variable(_ name: String) -> String? {
        settings.environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private var profile: String {
        settings.profile ?? variable("AWS_PROFILE") ?? "default"
    }

    /// A setting of the profile: the file of credentials first, then that of settings.
    func profileSetting(_ name: String) throws -> String? {
        let home = settings.home.map { "\($0)/.aws/" }
        let credentials = variable("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { $0 + "credentials" }
        let config = variable("AWS_CONFIG_FILE") ?? home.map { $0 + "config" }
        if let value = try setting(name, in: credentials, section: profile) { return value }
        let section = profile == "default" ? "default" : "profile \(profile)"
        return try setting(name, in: config, section: section)
    }

    private func setting(_ name: String, in file: String?, section: String) throws -> String? {
        guard let file else { return nil }
        let directories = Directories(settings.calls)
        guard try directories.statusFollowing(Path(file)) != nil else { return nil }
        var bytes = try directories.contents(of: Path(file), limit: 1 << 20)
        defer { bytes.wipe() }
        return ProfileFile.value(name, section: section, in: String(decoding: bytes, as: UTF8.self))
    }

    private func fromFiles() throws -> Credentials? {
        guard let accessKey = try profileSetting("aws_access_key_id"),
            let secret = try profileSetting("aws_secret_access_key")
        else { return nil }
        var bytes = Array(secret.utf8)
        return Credentials(
            accessKey: accessKey, secretKey: &bytes,
            token: try profileSetting("aws_session_token"))
    }

    // MARK: identities and metadata

    private func fromWebIdentity() throws -> Credentials? {
        let file = try variable("AWS_WEB_IDENTITY_TOKEN_FILE")
            ?? profileSetting("web_identity_token_file")
        let role = try variable("AWS_ROLE_ARN") ?? profileSetting("role_arn")
        guard let file, let role else { return nil }
        let region = try variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION")
            ?? profileSetting("region")
        let address = "AWS_ENDPOINT_URL_STS"
        let url =
            variable(address)
            ?? region.map { "https://sts.\($0).amazonaws.com" } ?? "https://sts.amazonaws.com"
        let what = "the web identity"
        guard var request = HTTPRequest("POST", at: url), Self.isConfidential(request) else {
            throw BadCredentialsAddress(variable: address)
        }
        request.set("content-type", "application/x-www-form-urlencoded")
        let name = variable("AWS_ROLE_SESSION_NAME") ?? "repo"
        // In the body: what stands in a URL is written down on its way.
        var body = Array(
            [
                ("Action", "AssumeRoleWithWebIdentity"), ("RoleArn", role),
                ("RoleSessionName", name), ("Version", "2011-06-15"),
                ("WebIdentityToken", try token(in: file)),
            ].map { "\($0)=\(percentEncoded($1.utf8))" }.joined(separator: "&").utf8)
        defer { body.wipe() }
        let answer = try body.withUnsafeBytes {
            try ask(request, what, Transfer(body: $0, collectedMax: Self.answerBytesMax))
        }
        let fields = try XMLReader.texts(
            of: ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"], in: answer.body)
        return try credentials(
            fields["AccessKeyId"], fields["SecretAccessKey"], fields["SessionToken"],
            fields["Expiration"], what)
    }

    /// A token in a file that somebody else keeps fresh.
    private func token(in file: String) throws -> String {
        String(
            decoding: try Directories(settings.calls).contents(
                of: Path(file), limit: Self.tokenBytesMax),
            as: UTF8.self
        ).trimmed
    }

    private func fromContainer() throws -> Credentials? {
        let what = "the container's metadata"
        let address = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        guard let url = path.map({ "http://169.254.170.2" + $0 }) ?? variable(address) else {
            return nil
        }
        guard var request = HTTPRequest("GET", at: url), Self.isConfidential(request) else {
            throw BadCredentialsAddress(variable: address)
        }
        request.isDirect = true
        let token =
            try variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map { try self.token(in: $0) }
            ?? variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let token {
            guard !token.contains(where: \.isNewline) else {
                throw BadCredentialsAddress(variable: "AWS_CONTAINER_AUTHORIZATION_TOKEN")
            }
            request.set("authorization", token)
        }
        return try credentials(inJSON: try ask(request, what).body, what)
    }

    /// Whether what goes there can be seen by nobody else: it is encrypted, or stays on this machine or
    /// with those that run it.
    private static func isConfidential(_ request: HTTPRequest) -> Bool {
        if request.origin.hasPrefix("https://") { return true }
        let host = request.host
        let name =
            host.hasPrefix("[")
            ? host.dropFirst().prefix { $0 != "]" } : host.prefix { $0 != ":" }
        return ["127.0.0.1", "localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
            .contains(name)
    }

    /// An instance of EC2, by the second version of its metadata service.
    private func fromInstance() throws -> Credentials? {
        guard variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        let what = "the instance's metadata"
        let address = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        guard var request = HTTPRequest("PUT", at: variable(address) ?? "http://169.254.169.254")
        else { throw BadCredentialsAddress(variable: address) }
        request.isDirect = true
        request.path = "/latest/api/token"
        request.set("x-aws-ec2-metadata-token-ttl-seconds", "300")
        let answer: HTTPResponse
        do {
            answer = try transport.send(request)
        } catch .interrupted(let signal) {
            throw HTTPError.interrupted(signal)
        } catch {
            // Anywhere else there is nobody at this address.
            return nil
        }
        guard answer.status == 200 else { return nil }
        let token = String(decoding: answer.body, as: UTF8.self).trimmed
        let path = "/latest/meta-data/iam/security-credentials/"
        request.method = "GET"
        request.path = path
        request.headers = [("x-aws-ec2-metadata-token", token)]
        let roles = try ask(request, what)
        guard let role = String(decoding: roles.body, as: UTF8.self)
            .split(whereSeparator: \.isNewline).first
        else { return nil }
        request.path = path + percentEncoded(role.utf8)
        return try credentials(inJSON: try ask(request, what).body, what)
    }

    private static let answerBytesMax = 256 << 10

    private func ask(
        _ request: HTTPRequest, _ what: String,
        _ transfer: Transfer = Transfer(collectedMax: answerBytesMax)
    ) throws -> HTTPResponse {
        let answer = try transport.send(request, transfer)
        guard answer.status == 200 else {
            // The store's own errors look the same.
            throw CredentialsRefused(
                what: what, status: answer.status, code: S3Error(answer, request: what).code)
        }
        return answer
    }

    private func credentials(inJSON bytes: [UInt8], _ what: String) throws -> Credentials {
        let fields = FlatJSON(bytes)
        return try credentials(
            fields["AccessKeyId"], fields["SecretAccessKey"], fields["Token"],
            fields["Expiration"], what)
    }

    private func credentials(
        _ accessKey: String?, _ secret: String?, _ token: String?, _ expires: String?, _ what: String
    ) throws -> Credentials {
        guard let accessKey, let secret, !secret.isEmpty else {
            throw CredentialsRefused(what: what, status: 200)
        }
        var bytes = Array(secret.utf8)
        return Credentials(
            accessKey: accessKey, secretKey: &bytes, token: token,
            expires: expires.flatMap { Timestamps.parse(iso: $0) })
    }
}

/// Nowhere are credentials for an object store.
struct NoCredentials: Explained {
    let profile: String?

    var message: String {
        "there are no credentials for the object store"
            + (profile.map { " in profile \($0)" } ?? "")
    }
    var hint: String? {
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them into ~/.aws/credentials"
            + " and name the profile with --profile"
    }
}

struct CredentialsRefused: Explained {
    let what: String
    let status: Int
    var code = ""

    var message: String {
        status == 200
            ? "\(what) gives no credentials"
            : "\(what) refuses to give credentials (\(status)\(code.isEmpty ? "" : " \(code)"))"
    }

    /// Whether the same question may be answered a little later.
    var isPassing: Bool { status == 429 || status >= 500 }
}

/// A variable of the environment says where credentials are, and nobody of ours goes there.
struct BadCredentialsAddress: Explained {
    let variable: String

    // What it holds is not shown: it may be a secret.
    var message: String { "\(variable) cannot be used to ask for credentials" }
    var hint: String? {
        "an address is a URL, with https:// unless it is this machine's own; a token is one line"
    }
}

private func isInterrupted(_ error: any Error) -> Bool {
    if case HTTPError.interrupted? = error as? HTTPError { true } else { false }
}
