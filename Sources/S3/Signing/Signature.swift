import Sealing
import WireFormat

/// Amazon's signature, version 4, over requests whose whole body is signed.
///
/// Source: "Signature Version 4 signing process" in the documentation of AWS.
struct Signature {
    let credentials: Credentials
    let region: String
    let service: String
    /// Milliseconds since 1970.
    let time: Int64

    init(_ credentials: Credentials, region: String, service: String = "s3", time: Int64) {
        self.credentials = credentials
        self.region = region
        self.service = service
        self.time = time
    }

    /// Adds what is to be signed and the signature.
    /// - Parameter bodyHash: SHA-256 of the body, in hexadecimal digits.
    func sign(_ request: inout HTTPRequest, bodyHash: String) {
        request.set("host", request.host)
        request.set("x-amz-date", stamp)
        request.set("x-amz-content-sha256", bodyHash)
        if let token = credentials.token { request.set("x-amz-security-token", token) }
        let signed = request.headers.filter { Self.isSigned($0.name) }.map { $0.name }.sorted()
        let canonical = canonicalRequest(request, signed, bodyHash: bodyHash)
        let toSign = [
            "AWS4-HMAC-SHA256", stamp, scope, hexadecimal(SHA256.hash(Array(canonical.utf8))),
        ].joined(separator: "\n")
        request.set(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), "
                + "SignedHeaders=\(signed.joined(separator: ";")), "
                + "Signature=\(hexadecimal(code(toSign)))")
    }

    /// Everything that a store may act on; a range is not.
    private static func isSigned(_ name: String) -> Bool {
        name == "host" || name == "content-md5" || name == "if-none-match"
            || name.hasPrefix("x-amz-")
    }

    func canonicalRequest(
        _ request: HTTPRequest, _ signed: [String], bodyHash: String
    ) -> String {
        let headers = signed.map { name in
            let words = (request[header: name] ?? "").split(separator: " ")
            return "\(name):\(words.joined(separator: " "))\n"
        }
        return [
            request.method, request.path, request.query, headers.joined(),
            signed.joined(separator: ";"), bodyHash,
        ].joined(separator: "\n")
    }

    private var scope: String { "\(stamp.prefix(8))/\(region)/\(service)/aws4_request" }

    /// `20261128T031500Z`
    var stamp: String { Timestamps.compact(time) }

    /// The key of a day, region and service is made from the secret by four codes.
    private func code(_ text: String) -> [UInt8] {
        var key = credentials.signingSecret
        for part in [String(stamp.prefix(8)), region, service, "aws4_request"] {
            var next = HMAC256(key: key).code(Array(part.utf8))
            key = Secret(moving: &next)
        }
        return HMAC256(key: key).code(Array(text.utf8))
    }
}
