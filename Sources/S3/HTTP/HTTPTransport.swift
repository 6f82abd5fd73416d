import CCurl
import Faults
import Synchronization

/// What a transfer needs beside the request itself.
struct Transfer {
    /// What is sent.
    var body = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Where the body of a 200 or 206 goes; nil collects it.
    var sink: BodySink?
    /// The most bytes that are collected of a body; more is an error.
    var collectedMax = 1 << 20
}

/// Takes the body of an answer as it arrives.
struct BodySink {
    let room: UnsafeMutableRawBufferPointer
    /// How many bytes of a whole body stand before the one that is wanted first.
    let offset: Int
}

/// Sends requests over libcurl. Each thread that sends has a connection of its own, which is kept for the
/// next request: as many go on at once as there are threads.
///
/// A class: idle connections are shared by all threads.
final class HTTPTransport: Sendable {
    struct Settings: Sendable {
        var authorities: String?
        var userAgent = "repo"
        var connectSeconds = 20
        /// A transfer slower than this is a stalled one.
        var stallBytesPerSecond = 1000
        var stallSeconds = 60
        var uploadLimit: Int?
        var downloadLimit: Int?
    }

    private let settings: Settings
    /// What is near answers at once, or is not there.
    private static let directSeconds = 2
    /// Whether a signal asks to end.
    private let stopRequested: @Sendable () -> Int32?
    private let idle = Mutex<[UInt]>([])
    private let upload: RateLimit?
    private let download: RateLimit?

    init(_ settings: Settings, stopRequested: @escaping @Sendable () -> Int32?) {
        self.settings = settings
        self.stopRequested = stopRequested
        upload = settings.uploadLimit.map { RateLimit(bytesPerSecond: $0) }
        download = settings.downloadLimit.map { RateLimit(bytesPerSecond: $0) }
    }

    deinit {
        idle.withLock { handles in
            for handle in handles { repo_curl_free(UnsafeMutableRawPointer(bitPattern: handle)) }
        }
    }

    private static let problem: String? = repo_curl_load().map { String(cString: $0) }

    /// Sends a request and waits for the whole answer.
    func send(_ request: HTTPRequest, _ transfer: Transfer = Transfer()) throws(HTTPError)
        -> HTTPResponse
    {
        if let problem = Self.problem { throw .noLibrary(problem) }
        guard let handle = take() else { throw .noLibrary("curl_easy_init") }
        let state = TransferState(transfer, stopRequested, upload: upload, download: download)
        let result = perform(handle, request, state)
        if result == Int32(CURLE_OK.rawValue) {
            state.response.status = repo_curl_status(handle)
            giveBack(handle)
            if state.isTooLong { throw .tooLong(request.host) }
            return state.response
        }
        // What broke may have left the connection in the middle of something.
        repo_curl_free(handle)
        if let signal = stopRequested() { throw .interrupted(signal) }
        if state.isTooLong { throw .tooLong(request.host) }
        throw HTTPError(curl: result, host: request.host, detail: state.problem)
    }

    private func take() -> UnsafeMutableRawPointer? {
        if let address = idle.withLock({ $0.popLast() }) {
            return UnsafeMutableRawPointer(bitPattern: address)
        }
        return repo_curl_new()
    }

    private func giveBack(_ handle: UnsafeMutableRawPointer) {
        idle.withLock { $0.append(UInt(bitPattern: handle)) }
    }

    private func perform(
        _ handle: UnsafeMutableRawPointer, _ request: HTTPRequest, _ state: TransferState
    ) -> Int32 {
        repo_curl_reset(handle)
        func set(_ option: CURLoption, _ value: Int) {
            _ = repo_curl_set_number(handle, option, value)
        }
        func set(_ option: CURLoption, _ value: String) {
            _ = repo_curl_set_text(handle, option, value)
        }
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_CONNECTTIMEOUT, settings.connectSeconds)
        set(CURLOPT_LOW_SPEED_LIMIT, settings.stallBytesPerSecond)
        set(CURLOPT_LOW_SPEED_TIME, settings.stallSeconds)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, 256 << 10)
        set(CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
        set(CURLOPT_USERAGENT, settings.userAgent)
        if let authorities = settings.authorities {
            set(CURLOPT_CAINFO, authorities)
            // Debian's has a directory of them, too.
            _ = repo_curl_set_pointer(handle, CURLOPT_CAPATH, nil)
        }
        if request.isDirect {
            set(CURLOPT_NOPROXY, "*")
            set(CURLOPT_CONNECTTIMEOUT, Self.directSeconds)
            set(CURLOPT_TIMEOUT, 5 * Self.directSeconds)
        }
        switch request.method {
        case "PUT", "POST":
            set(CURLOPT_UPLOAD, 1)
            set(CURLOPT_CUSTOMREQUEST, request.method)
            _ = repo_curl_set_length(
                handle, CURLOPT_INFILESIZE_LARGE, Int64(state.transfer.body.count))
        case "HEAD": set(CURLOPT_NOBODY, 1)
        case "GET": set(CURLOPT_HTTPGET, 1)
        default: set(CURLOPT_CUSTOMREQUEST, request.method)
        }
        var list: UnsafeMutablePointer<curl_slist>?
        // libcurl would wait for a leave to send, and give bodies a type that is not signed.
        for text in ["Expect:", "Content-Type:"] { list = repo_curl_append(list, text) }
        for (name, value) in request.headers {
            list = repo_curl_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        defer { repo_curl_free_list(list) }
        _ = repo_curl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
        _ = repo_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, state.problemRoom)
        defer { _ = repo_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil) }
        let context = Unmanaged.passUnretained(state).toOpaque()
        repo_curl_set_functions(
            handle, context,
            { bytes, size, count, context in
                TransferState.of(context).give(bytes, size * count)
            },
            { bytes, size, count, context in
                TransferState.of(context).take(bytes, size * count)
            },
            { bytes, size, count, context in
                TransferState.of(context).takeHeader(bytes, size * count)
            },
            { context, offset, origin in
                TransferState.of(context).seek(Int(offset), origin)
            },
            { context, _, _, _, _ in TransferState.of(context).isStopped ? 1 : 0 })
        state.status = { Int(repo_curl_status(handle)) }
        defer { state.status = { 0 } }
        return withExtendedLifetime(state) { repo_curl_perform(handle) }
    }
}

/// One transfer under way: what libcurl asks for and hands over. Used on one thread.
private final class TransferState {
    let transfer: Transfer
    var response = HTTPResponse(status: 0)
    var status: () -> Int = { 0 }
    private(set) var isTooLong = false
    /// Where libcurl writes what went wrong.
    let problemRoom = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var sent = 0
    private let stopRequested: @Sendable () -> Int32?
    private let upload: RateLimit?
    private let download: RateLimit?
    private static let headerBytesMax = 64 << 10
    private static let beginningBytes = 256
    private var headerBytes = 0

    init(
        _ transfer: Transfer, _ stopRequested: @escaping @Sendable () -> Int32?,
        upload: RateLimit?, download: RateLimit?
    ) {
        self.transfer = transfer
        self.stopRequested = stopRequested
        self.upload = upload
        self.download = download
        problemRoom.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { problemRoom.deallocate() }

    /// In libcurl's words; empty where it has none.
    var problem: String { String(cString: problemRoom) }

    /// libcurl hands back what it was given.
    static func of(_ context: UnsafeMutableRawPointer?) -> TransferState {
        guard let context else { preconditionFailure("libcurl hands back its context") }
        return Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    }

    var isStopped: Bool { stopRequested() != nil }

    func give(_ room: UnsafeMutablePointer<CChar>?, _ size: Int) -> Int {
        guard let room else { return 0 }
        let count = min(size, transfer.body.count - sent)
        guard count > 0 else { return 0 }
        upload?.wait(for: count, unless: { isStopped })
        UnsafeMutableRawBufferPointer(start: room, count: count).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: transfer.body[sent..<(sent + count)]))
        sent += count
        return count
    }

    func seek(_ offset: Int, _ origin: Int32) -> Int32 {
        guard origin == 0, offset >= 0, offset <= transfer.body.count else { return 1 }
        // libcurl by itself sends again what got no answer on a connection that was used before.
        if sent > 0 { response.isOfRepeat = true }
        sent = offset
        return 0
    }

    /// Less than what came makes libcurl give up.
    func take(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes, count > 0 else { return 0 }
        download?.wait(for: count, unless: { isStopped })
        let came = UnsafeRawBufferPointer(start: bytes, count: count)
        let start = response.bodyBytes
        response.bodyBytes += count
        let status = status()
        if let sink = transfer.sink, status == 200 || status == 206 {
            // An error may come as if it were none: it is told by how it begins.
            if response.body.count < Self.beginningBytes {
                response.body.append(
                    contentsOf: came.prefix(Self.beginningBytes - response.body.count))
            }
            // A store that knows no ranges sends the whole.
            let skipped = status == 200 ? sink.offset : 0
            let wanted = (max(start, skipped))..<max(
                start, skipped, min(start + count, skipped + sink.room.count))
            if !wanted.isEmpty, wanted.lowerBound < start + count {
                let part = came[(wanted.lowerBound - start)..<(wanted.upperBound - start)]
                UnsafeMutableRawBufferPointer(
                    rebasing: sink.room[(wanted.lowerBound - skipped)...]
                ).copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            }
            // Of a partial answer no more may come than was asked for.
            if status == 206, response.bodyBytes > sink.room.count { isTooLong = true }
        } else {
            guard response.bodyBytes <= transfer.collectedMax else {
                isTooLong = true
                return 0
            }
            response.body.append(contentsOf: came)
        }
        return isTooLong ? 0 : count
    }

    func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes else { return 0 }
        headerBytes += count
        guard headerBytes <= Self.headerBytesMax else {
            isTooLong = true
            return 0
        }
        let line = String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        response.takeHeader(line)
        return count
    }
}

/// A request that got no answer.
enum HTTPError: Explained, Equatable {
    /// The certificate of the server is not to be trusted, or there is none.
    case untrusted(String, why: String)
    /// Anything that may be otherwise a little later.
    case broken(String, why: String)
    /// It can never work: no such host, a URL that is none.
    case hopeless(String, why: String)
    case tooLong(String)
    case noLibrary(String)
    case interrupted(Int32)

    init(curl code: Int32, host: String, detail: String) {
        let why =
            detail.isEmpty ? String(cString: repo_curl_error(code)).lowercased() : detail.trimmed
        switch UInt32(bitPattern: code) {
        case CURLE_SSL_CACERT_BADFILE.rawValue:
            self = .untrusted(host, why: "the certificates to trust cannot be read")
        case CURLE_PEER_FAILED_VERIFICATION.rawValue,
            CURLE_SSL_ISSUER_ERROR.rawValue, CURLE_SSL_INVALIDCERTSTATUS.rawValue:
            self = .untrusted(host, why: why)
        case CURLE_URL_MALFORMAT.rawValue, CURLE_UNSUPPORTED_PROTOCOL.rawValue:
            self = .hopeless(host, why: why)
        default: self = .broken(host, why: why)
        }
    }

    var message: String {
        switch self {
        case .untrusted(let host, let why): "\(host) is not to be trusted: \(why)"
        case .broken(let host, let why), .hopeless(let host, let why): "\(host): \(why)"
        case .tooLong(let host): "\(host) answers at greater length than it should"
        case .noLibrary(let name): "\(name) is needed to reach an object store, and is not there"
        case .interrupted(let signal): signal == 15 ? "terminated" : "interrupted"
        }
    }

    var hint: String? {
        switch self {
        case .untrusted: "a certificate authority of your own is named with --ca-file FILE"
        case .noLibrary: "install libcurl4"
        default: nil
        }
    }

    var exitCode: ExitCode {
        switch self {
        case .interrupted(let signal): signal == 15 ? .terminated : .interrupted
        default: .failed
        }
    }

    var mayRetry: Bool {
        if case .broken = self { true } else { false }
    }
}
