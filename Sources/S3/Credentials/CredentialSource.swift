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
            let fresh = try find()
            found = fresh
            return fresh
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
        let token = String(
            decoding: try Directories(settings.calls).contents(of: Path(file), limit: 64 << 10),
            as: UTF8.self)
        let region = try variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION")
            ?? profileSetting("region")
        let origin =
            variable("AWS_ENDPOINT_URL_STS")
            ?? region.map { "https://sts.\($0).amazonaws.com" } ?? "https://sts.amazonaws.com"
        let name = variable("AWS_ROLE_SESSION_NAME") ?? "repo"
        let query = [
            ("Action", "AssumeRoleWithWebIdentity"), ("RoleArn", role), ("RoleSessionName", name),
            ("Version", "2011-06-15"),
            ("WebIdentityToken", token.filter { !$0.isWhitespace }),
        ].map { "\($0)=\(percentEncoded($1.utf8))" }.joined(separator: "&")
        let request = HTTPRequest(method: "GET", origin: origin, path: "/", query: query)
        let answer = try ask(request, "the web identity")
        let fields = try XMLReader.texts(
            of: ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"], in: answer.body)
        return try credentials(
            fields["AccessKeyId"], fields["SecretAccessKey"], fields["SessionToken"],
            fields["Expiration"], "the web identity")
    }

    private func fromContainer() throws -> Credentials? {
        let url: String
        if let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2" + path
        } else if let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            url = full
        } else {
            return nil
        }
        guard var request = HTTPRequest(getting: url) else {
            throw CredentialsRefused(what: "the container's metadata at \(url)", status: 200)
        }
        var token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            token = String(
                decoding: try Directories(settings.calls).contents(of: Path(file), limit: 64 << 10),
                as: UTF8.self
            ).trimmed
        }
        if let token { request.set("authorization", token) }
        let what = "the container's metadata"
        return try credentials(inJSON: try ask(request, what).body, what)
    }

    /// An instance of EC2, by the second version of its metadata service.
    private func fromInstance() throws -> Credentials? {
        guard variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        let origin = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        var start = HTTPRequest(method: "PUT", origin: origin, path: "/latest/api/token")
        start.set("x-aws-ec2-metadata-token-ttl-seconds", "300")
        // Anywhere else there is nobody at this address.
        guard let answer = try? transport.send(start), answer.status == 200 else { return nil }
        let token = String(decoding: answer.body, as: UTF8.self).trimmed
        let path = "/latest/meta-data/iam/security-credentials/"
        var request = HTTPRequest(method: "GET", origin: origin, path: path)
        request.set("x-aws-ec2-metadata-token", token)
        let roles = try ask(request, "the instance's metadata")
        guard let role = String(decoding: roles.body, as: UTF8.self)
            .split(whereSeparator: \.isNewline).first
        else { return nil }
        request.path = path + percentEncoded(role.utf8)
        return try credentials(
            inJSON: try ask(request, "the instance's metadata").body, "the instance's metadata")
    }

    private func ask(_ request: HTTPRequest, _ what: String) throws -> HTTPResponse {
        let answer = try transport.send(request, Transfer(collectedMax: 256 << 10))
        guard answer.status == 200 else {
            throw CredentialsRefused(what: what, status: answer.status)
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

    var message: String {
        status == 200
            ? "\(what) gives no credentials" : "\(what) refuses to give credentials (\(status))"
    }
}
