import Files

/// How a store is reached, and what of the process reaching it needs.
package struct S3Options: Sendable {
    package var profile: String?
    /// A file of certificates to trust instead of the system's.
    package var authorities: String?
    /// Bytes a second, of all requests together.
    package var uploadLimit: Int?
    package var downloadLimit: Int?
    /// For packs of data.
    package var storageClass: String?
    /// For all that is written but tombstones.
    package var objectLock: ObjectLock?
    package var userAgent = "repo"
    /// For how long a request is tried, in milliseconds.
    package var patience: Int64 = 15 * 60_000
    /// A transfer that is slower than a kilobyte a second for so long is a stalled one.
    package var stallSeconds = 60

    /// Variables of the environment.
    package var environment: @Sendable (String) -> String?
    package var calls: SystemCalls
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64
    package var randomBytes: @Sendable (Int) throws -> [UInt8]
    /// Waits for so many milliseconds, or until a signal comes.
    package var pause: @Sendable (Int64) -> Void
    package var stopRequested: @Sendable () -> Int32?
    /// Told what goes on where a request takes long.
    package var notice: @Sendable (String) -> Void = { _ in }

    package init(
        environment: @escaping @Sendable (String) -> String?, calls: SystemCalls,
        now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) throws -> [UInt8],
        pause: @escaping @Sendable (Int64) -> Void,
        stopRequested: @escaping @Sendable () -> Int32?
    ) {
        self.environment = environment
        self.calls = calls
        self.now = now
        self.randomBytes = randomBytes
        self.pause = pause
        self.stopRequested = stopRequested
    }
}

extension S3Store {
    /// A store at a location. Nothing is sent yet.
    package convenience init(_ location: S3Location, _ options: S3Options) {
        var http = HTTPTransport.Settings()
        http.authorities = options.authorities
        http.userAgent = options.userAgent
        http.stallSeconds = options.stallSeconds
        http.uploadLimit = options.uploadLimit
        http.downloadLimit = options.downloadLimit
        let transport = HTTPTransport(http, stopRequested: options.stopRequested)
        let client = S3Client(
            location, transport, CredentialSource(options, transport),
            S3Client.Settings(
                patience: options.patience, now: options.now, randomBytes: options.randomBytes,
                pause: options.pause, stopRequested: options.stopRequested,
                notice: options.notice))
        self.init(location, client, storageClass: options.storageClass, lock: options.objectLock)
    }

    /// The region that the environment or the profile names; nil where neither does.
    package static func region(_ options: S3Options) throws -> String? {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        for name in variables {
            if let region = options.environment(name), !region.isEmpty { return region }
        }
        let transport = HTTPTransport(
            HTTPTransport.Settings(), stopRequested: options.stopRequested)
        return try CredentialSource(options, transport).profileSetting("region")
    }
}

extension CredentialSource {
    fileprivate convenience init(_ options: S3Options, _ transport: HTTPTransport) {
        self.init(
            Settings(
                environment: options.environment, home: options.environment("HOME"),
                profile: options.profile, calls: options.calls, now: options.now), transport)
    }
}
