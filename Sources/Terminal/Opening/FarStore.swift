import CLinux
import Faults
import ObjectStorage
import S3
import Vault

/// Finds out from options and environment how an object store is reached.
enum FarStore {
    /// - Parameters:
    ///   - endpoint: the options that say how the place is reached; where they are not given, those
    ///     for every command count.
    static func open(
        _ location: Location, _ session: Session, endpoint: Option = GlobalOptions.endpoint,
        region: Option = GlobalOptions.region, profile: Option = GlobalOptions.profile
    ) throws -> S3Store {
        let (arguments, environment) = (session.arguments, session.environment)
        let surroundings = session.surroundings
        var options = S3Options(
            environment: { environment.text($0) }, calls: surroundings.systemCalls,
            now: surroundings.now, randomBytes: surroundings.randomBytes,
            pause: { milliseconds in
                var ready: Int32 = 0
                _ = repo_poll_two(surroundings.wakeUp, -1, Int32(clamping: milliseconds), &ready)
            },
            stopRequested: surroundings.stopRequested)
        options.notice = surroundings.warn
        options.userAgent = "repo/\(Program.version)"
        options.profile =
            try arguments.text(profile) ?? arguments.text(GlobalOptions.profile)
        options.authorities =
            try arguments.text(GlobalOptions.authorities) ?? environment.text("REPO_CA_FILE")
        options.uploadLimit = try limit(GlobalOptions.limitUpload, arguments)
        options.downloadLimit = try limit(GlobalOptions.limitDownload, arguments)
        options.storageClass = try arguments.text(GlobalOptions.storageClass)
        options.objectLock = try lock(arguments, environment)
        let place = try S3Location(
            "\(location.path)",
            endpoint: try arguments.text(endpoint) ?? arguments.text(GlobalOptions.endpoint)
                ?? environment.text("REPO_ENDPOINT"),
            region: try arguments.text(region) ?? arguments.text(GlobalOptions.region)
                ?? S3Store.region(options),
            addressing: try arguments.choice(
                GlobalOptions.addressing,
                of: S3Location.Addressing.allCases.map { ($0.rawValue, $0) }) ?? .auto,
            isInsecure: arguments.has(GlobalOptions.insecureHTTP))
        return S3Store(place, options)
    }

    /// What `--object-lock` or the environment says.
    static func lock(_ arguments: Arguments, _ environment: Environment) throws -> ObjectLock? {
        let option = GlobalOptions.objectLock
        let text = try arguments.text(option) ?? option.environment.flatMap { environment.text($0) }
        guard let text, !text.isEmpty else { return nil }
        guard let lock = ObjectLock(text) else {
            throw UsageError(
                "\(option.flag) \(text): days are wanted, 1 to 3650, such as 30 or 30:governance")
        }
        return lock
    }

    private static func limit(_ option: Option, _ arguments: Arguments) throws -> Int? {
        guard let text = try arguments.text(option) else { return nil }
        return max(1000, try CacheLocation.bytes(text, of: option.flag))
    }
}
