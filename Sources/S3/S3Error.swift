import Faults

/// What a store says that it did not do.
struct S3Error: Explained {
    let status: Int
    /// The store's word for it: `AccessDenied`; empty where it gives none.
    let code: String
    let text: String
    /// `PUT packs/...`
    let request: String
    var region: String?

    init(_ response: HTTPResponse, request: String) {
        status = response.status
        self.request = request
        let wanted: Set<String> = ["Code", "Message", "Region", "Endpoint"]
        let fields = (try? XMLReader.texts(of: wanted, in: response.body)) ?? [:]
        code = fields["Code"] ?? ""
        text = fields["Message"] ?? ""
        region = fields["Region"] ?? response[header: "x-amz-bucket-region"]
    }

    init(status: Int, code: String, text: String = "", request: String) {
        self.status = status
        self.code = code
        self.text = text
        self.request = request
    }

    var message: String {
        let said = [code, text].filter { !$0.isEmpty }.joined(separator: ": ")
        return "\(request): the store answers \(status)" + (said.isEmpty ? "" : " \(said.prefix(300))")
    }

    var hint: String? {
        switch code {
        case "AccessDenied", "AllAccessDisabled": missingRight
        // Some say no more than the number.
        case "" where status == 403: missingRight
        case "SignatureDoesNotMatch": "is the secret key right, and the clock of this machine?"
        case "InvalidAccessKeyId": "the store does not know this access key: is it of another store?"
        case _ where isExpired: "the session has ended: log in anew"
        case "InvalidObjectState":
            "it lies in an archive: the tools of the store bring it back, then run the same again"
        case "InvalidStorageClass": "the store has no class of this name, or none but its usual one"
        case "NoSuchBucket": "make the bucket first, with the tools of the store"
        default: nil
        }
    }

    private var missingRight: String {
        let right =
            switch request.prefix(while: { $0 != " " }) {
            case "DELETE": "s3:DeleteObject, which forget and key remove need"
            case "PUT": "s3:PutObject, or with --object-lock s3:PutObjectRetention"
            case _ where request.contains("a listing of"): "s3:ListBucket"
            default: "s3:GetObject, or s3:ListBucket where the object is not there"
            }
        return "the key lacks the right \(right): docs/s3.md has policies"
    }

    /// Whether the same request may be answered otherwise a little later.
    var isPassing: Bool {
        [429, 500, 502, 503, 504].contains(status)
            || ["SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling"]
                .contains(code)
            || (status == 409 && code.hasPrefix("Conditional"))
    }

    var isExpired: Bool {
        ["ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"].contains(code)
    }
    var isSkewed: Bool { code == "RequestTimeTooSkewed" || code == "RequestExpired" }
    var isElsewhere: Bool {
        status == 301 || status == 307 || code == "AuthorizationHeaderMalformed"
            || code == "PermanentRedirect" || code == "IllegalLocationConstraintException"
    }
}

/// Nothing more can be tried: the last thing that went wrong, and for how long it was tried.
struct GaveUp: Explained {
    let last: any Explained
    let seconds: Int
    let attempts: Int

    var message: String {
        attempts == 1 ? last.message : "\(last.message) (after \(attempts) tries in \(seconds) s)"
    }
    var hint: String? { last.hint }
    var exitCode: ExitCode { last.exitCode }
}
