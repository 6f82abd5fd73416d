import Faults
import Files
import Sealing
import Synchronization
import WireFormat

/// Signs requests, sends them, and sends them again for as long as that may help.
///
/// A class: what it learns of the store (its clock, its region) holds for all requests.
final class S3Client: Sendable {
    struct Settings: Sendable {
        /// All tries of one request together, in milliseconds.
        var patience: Int64 = 15 * 60_000
        /// Milliseconds since 1970.
        var now: @Sendable () -> Int64
        var randomBytes: @Sendable (Int) throws -> [UInt8]
        /// Waits for so many milliseconds, or until a signal comes.
        var pause: @Sendable (Int64) -> Void
        var stopRequested: @Sendable () -> Int32?
        /// Told what goes on where a request takes long.
        var notice: @Sendable (String) -> Void
    }

    private let settings: Settings
    private let transport: HTTPTransport
    private let credentials: CredentialSource
    private let known: Mutex<Known>

    /// What was learned of the store.
    private struct Known {
        var location: S3Location
        /// What the store's clock is ahead of ours, in milliseconds.
        var skew: Int64 = 0
        /// Whether an answer came from OpenStack Swift, whose listings lag behind.
        var isOpenStack = false
        /// When a person was last told that requests are tried again.
        var noticed: Int64?
    }

    /// So long nobody is told that a request is tried again, in milliseconds; and so long not again.
    private static let quietMax: Int64 = 2000
    private static let noticePause: Int64 = 60_000

    private static let beginningBytes = 4096
    private static let firstPause: Int64 = 100
    private static let pauseMax: Int64 = 20_000
    /// A store that asks for a longer pause gets this one.
    private static let retryAfterMax: Int64 = 60_000

    init(
        _ location: S3Location, _ transport: HTTPTransport, _ credentials: CredentialSource,
        _ settings: Settings
    ) {
        known = Mutex(Known(location: location))
        self.transport = transport
        self.credentials = credentials
        self.settings = settings
    }

    /// A request for a key, before it is addressed and signed.
    struct Call {
        var method: String
        /// Below the bucket; empty for the bucket itself.
        var key: String
        var query: [(String, String)] = []
        var headers: [(String, String)] = []
        /// How long the object is to be kept from being deleted.
        var lock: ObjectLock?
        /// SHA-256 of the body.
        var bodyHash = S3Client.emptyHash
        /// Which answers are no errors.
        var accepts: Set<Int> = [200, 204, 206]
        /// For errors: `packs/...`.
        var name: String
    }

    /// Milliseconds since 1970, by the store's clock as far as it is known.
    var now: Int64 { settings.now() + known.withLock { $0.skew } }

    /// Whether the store was seen to be OpenStack Swift.
    var isOpenStack: Bool { known.withLock { $0.isOpenStack } }

    static let emptyHash = hexadecimal(SHA256.hash([]))

    func send(_ call: Call, _ transfer: Transfer = Transfer()) throws -> HTTPResponse {
        let began = settings.now()
        var tries = 0
        var turned = 0
        while true {
            if let signal = settings.stopRequested() { throw HTTPError.interrupted(signal) }
            tries += 1
            var failure: any Explained
            var retryAfter: Int64?
            do {
                let used = try credentials.current()
                var response = try transport.send(try request(call, used), transfer)
                response.isOfRepeat = response.isOfRepeat || tries > 1
                if response[header: "x-openstack-request-id"] != nil {
                    known.withLock { $0.isOpenStack = true }
                }
                if call.accepts.contains(response.status), !Self.isError(response, call) {
                    return response
                }
                let error = S3Error(response, request: "\(call.method) \(call.name)")
                failure = error
                retryAfter = response[header: "retry-after"].flatMap { Int64($0) }.map { $0 * 1000 }
                // What can be put right is put right, a few times.
                if turned < 3, adapt(to: error, response, used) {
                    turned += 1
                    continue
                }
                guard error.isPassing else { throw error }
            } catch let error as HTTPError {
                guard error.mayRetry else { throw error }
                failure = error
            } catch let error as CredentialsRefused {
                guard error.isPassing else { throw error }
                failure = error
            }
            let spent = settings.now() - began
            guard spent < settings.patience else {
                throw GaveUp(last: failure, seconds: Int(spent / 1000), attempts: tries)
            }
            let pause = max(
                retryAfter.map { min($0, Self.retryAfterMax) } ?? 0, try jitter(tries))
            // Before the wait, not after it.
            if spent + pause >= Self.quietMax { tell(failure) }
            settings.pause(pause)
        }
    }

    private func tell(_ failure: any Explained) {
        let now = settings.now()
        let isDue = known.withLock { known in
            guard known.noticed.map({ now - $0 >= Self.noticePause }) ?? true else { return false }
            known.noticed = now
            return true
        }
        if isDue {
            settings.notice(
                "\(failure.message): trying again, for \(settings.patience / 60_000) minutes at most")
        }
    }

    /// Anything from nothing to twice as much as the time before: clients that failed together do not
    /// come back together.
    private func jitter(_ tries: Int) throws -> Int64 {
        let most = min(Self.pauseMax, Self.firstPause << Int64(min(tries - 1, 20)))
        let random = try settings.randomBytes(4).reduce(0) { $0 << 8 | Int64($1) }
        return random % (most + 1)
    }

    /// Learns from a refusal; whether the request may be answered otherwise now.
    private func adapt(to error: S3Error, _ response: HTTPResponse, _ used: Credentials) -> Bool {
        if error.isSkewed, let date = response[header: "date"].flatMap({ Timestamps.parse(http: $0) })
        {
            known.withLock { $0.skew = date - settings.now() }
            return true
        }
        if error.isExpired {
            credentials.refuse(used)
            return true
        }
        // Redirections are not followed: a region is believed, and only of Amazon's stores.
        if error.isElsewhere, let region = error.region, !region.isEmpty, region.utf8.count <= 64,
            region.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        {
            return known.withLock { known in
                guard known.location.region != region else { return false }
                known.location.region = region
                return true
            }
        }
        return false
    }

    /// An error in an answer that says it is none.
    private static func isError(_ response: HTTPResponse, _ call: Call) -> Bool {
        guard response.status < 300, !response.body.isEmpty, call.method != "HEAD" else {
            return false
        }
        // An error begins so; the rest of a long object is not searched for it.
        var reader = XMLReader(Array(response.body.prefix(Self.beginningBytes)))
        return (try? reader.next()) == .begin("Error")
    }

    private func request(_ call: Call, _ credentials: Credentials) throws -> HTTPRequest {
        let (location, skew) = known.withLock { ($0.location, $0.skew) }
        let (origin, path) = location.address(call.key)
        let query = call.query.map { (percentEncoded($0.utf8), percentEncoded($1.utf8)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
        var request = HTTPRequest(method: call.method, origin: origin, path: path, query: query)
        let now = settings.now() + skew
        for (name, value) in call.headers + (call.lock?.headers(now: now) ?? []) {
            request.set(name, value)
        }
        Signature(credentials, region: location.region, time: now)
            .sign(&request, bodyHash: call.bodyHash)
        return request
    }
}
