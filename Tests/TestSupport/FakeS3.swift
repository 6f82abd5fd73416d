import Glibc
import Synchronization

/// An object store on the loopback interface, for tests: it speaks as much of S3 as a client of ours
/// asks for, and answers any request as it is told to, which is what real stores do on bad days.
package final class FakeS3: Sendable {
    /// What a store, or the network before it, does instead of answering.
    package enum Fault: Sendable, Equatable {
        /// An error in the store's own words, without doing anything.
        case refuse(status: Int, code: String)
        /// Its clock is an hour ahead.
        case skewed
        case wrongRegion(String)
        /// Somewhere else, where nobody of ours should go.
        case redirect
        /// The connection ends: before an answer, though nothing was done.
        case resetBefore
        /// After half of the request's body was read.
        case resetWithinRequest
        /// Half of the answer comes.
        case resetWithinBody
        /// All was done, and nobody hears of it.
        case resetAfter
        /// The same, and the connection ends in good order: libcurl then asks again by itself if it was
        /// used before.
        case closeAfter
        /// The answer promises more than comes, and then ends in good order.
        case shortBody
        /// Half of the answer comes, then nothing any more.
        case stalledBody
        /// It says that all is well, and means the opposite.
        case errorInside
        /// A listing that ends in the middle.
        case truncatedXML
        /// A listing that says everything twice.
        case duplicatedKeys
        /// A listing whose next page is itself.
        case tokenLoop
        /// A listing that is not complete, and has nothing.
        case emptyPage
        /// A range is asked for, and everything comes.
        case wholeBody
        /// Another range comes than was asked for.
        case otherRange
    }

    package struct Request: Sendable {
        package let method: String
        package let path: String
        package let query: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]
        /// How many requests came before it.
        package let index: Int
    }

    /// What it does with Object Lock.
    package enum LockHandling: Sendable {
        /// It takes the object and says nothing, as some do.
        case ignored
        case honored
        /// The bucket was not made for it.
        case refused
        /// It keeps the object, and shows it to those only who ask for the retention; or to nobody.
        case shownAsRetention, hidden
    }

    /// What a server answers that is told every word.
    package struct Answer: Sendable {
        package var status = 200
        package var headers: [(String, String)] = []
        package var body: [UInt8] = []

        package init(
            status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = []
        ) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// Answers instead of the store where it is not nil: for servers that are no stores.
    package typealias Script = @Sendable (Request) -> Answer?

    package typealias Plan = @Sendable (Request) -> Fault?

    package let port: Int
    private let listener: Int32
    let state = Mutex(State())
    private let plan: Plan
    let isConditional: Bool
    let pageEntries: Int
    let locks: LockHandling
    let script: Script

    /// What a store has, by keys.
    package struct Contents: Sendable {
        var objects: [String: [UInt8]] = [:]
        var kept: [String: [(String, String)]] = [:]
        var written: [String: time_t] = [:]
    }

    struct State {
        var contents = Contents()
        var count = 0
        var isStopped = false
        var open: Set<Int32> = []
        var methods: [String] = []
    }

    package var endpoint: String { "http://127.0.0.1:\(port)" }
    /// What was asked so far: method and key.
    package var requests: [String] { state.withLock { $0.methods } }
    /// Of every object that came with a lock, the lock's headers.
    package var kept: [String: [(String, String)]] { state.withLock { $0.contents.kept } }
    package var keys: [String] { state.withLock { $0.contents.objects.keys.sorted() } }
    /// All that is stored: to be put back, so that many runs begin at the same.
    package var contents: Contents {
        get { state.withLock { $0.contents } }
        set { state.withLock { $0.contents = newValue } }
    }

    /// Changes a byte in the middle of an object.
    package func damage(_ path: String) {
        let key = String(path.drop { $0 == "/" }.drop { $0 != "/" }.dropFirst())
        state.withLock { state in
            guard let count = state.contents.objects[key]?.count else { return }
            state.contents.objects[key]?[count / 2] ^= 1
        }
    }

    /// - Parameters:
    ///   - isConditional: whether `If-None-Match` is known.
    ///   - pageEntries: how long a page of a listing is.
    ///   - script: answers in its place.
    ///   - plan: what goes wrong.
    package init(
        isConditional: Bool = true, pageEntries: Int = 1000, locks: LockHandling = .ignored,
        script: @escaping Script = { _ in nil }, plan: @escaping Plan = { _ in nil }
    ) {
        self.locks = locks
        self.script = script
        self.isConditional = isConditional
        self.pageEntries = pageEntries
        self.plan = plan
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
        }
        precondition(bound == 0 && listen(listener, 64) == 0, "a port of the loopback is free")
        var length = size
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(listener, $0, &length)
            }
        }
        precondition(named == 0, "a bound socket has a name")
        port = Int(UInt16(bigEndian: address.sin_port))
        _ = startThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let server = self else { return }
                server.serve(connection)
            }
        }
    }

    deinit { stop() }

    package func stop() {
        let open = state.withLock { state -> Set<Int32> in
            guard !state.isStopped else { return [] }
            state.isStopped = true
            return state.open
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in open { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func serve(_ connection: Int32) {
        state.withLock { _ = $0.open.insert(connection) }
        _ = startThread { [weak self] in
            var rest: [UInt8] = []
            while let server = self, server.answerOne(connection, &rest) {}
            self?.state.withLock { _ = $0.open.remove(connection) }
            close(connection)
        }
    }

    // MARK: one request

    /// - Returns: whether the connection goes on.
    private func answerOne(_ connection: Int32, _ rest: inout [UInt8]) -> Bool {
        guard let head = readHead(connection, &rest) else { return false }
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return false }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        let target = words[1].split(separator: "?", maxSplits: 1)
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        let index = state.withLock { state in
            defer { state.count += 1 }
            state.methods.append("\(words[0]) \(words[1])")
            return state.count
        }
        func request(_ body: [UInt8]) -> Request {
            Request(
                method: String(words[0]), path: decoded(String(target[0])),
                query: target.count > 1 ? String(target[1]) : "", headers: headers, body: body,
                index: index)
        }
        let fault = plan(request([]))
        if fault == .resetBefore {
            reset(connection)
            return false
        }
        if fault == .resetWithinRequest {
            _ = readBody(connection, &rest, length / 2)
            reset(connection)
            return false
        }
        guard let body = readBody(connection, &rest, length) else { return false }
        return answer(connection, request(body), fault)
    }

    private func readHead(_ connection: Int32, _ rest: inout [UInt8]) -> String? {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = rest.firstRange(of: mark) {
                let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
                rest.removeFirst(end.upperBound)
                return head
            }
            guard rest.count < 64 << 10, receive(connection, &rest) else { return nil }
        }
    }

    private func readBody(_ connection: Int32, _ rest: inout [UInt8], _ count: Int) -> [UInt8]? {
        while rest.count < count { guard receive(connection, &rest) else { return nil } }
        let body = Array(rest[..<count])
        rest.removeFirst(count)
        return body
    }

    private func receive(_ connection: Int32, _ rest: inout [UInt8]) -> Bool {
        var block = [UInt8](repeating: 0, count: 256 << 10)
        let count = recv(connection, &block, block.count, 0)
        guard count > 0 else { return false }
        rest += block[..<count]
        return true
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func reset(_ connection: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    // MARK: answers

    private func answer(_ connection: Int32, _ request: Request, _ fault: Fault?) -> Bool {
        var answer: Answer
        var now = time(nil)
        switch fault {
        case .refuse(let status, let code): answer = error(status, code)
        case .skewed:
            // Whoever takes our time is let in.
            now += 3600
            answer =
                request.headers["x-amz-date"].map { $0 >= stamp(now - 900) } == true
                ? perform(request, nil) : error(403, "RequestTimeTooSkewed")
        case .wrongRegion(let region):
            answer =
                request.headers["authorization"]?.contains("/\(region)/") == true
                ? perform(request, nil)
                : error(
                    400, "AuthorizationHeaderMalformed", "<Region>\(region)</Region>")
        case .redirect:
            answer = error(307, "TemporaryRedirect")
            answer.headers.append(("Location", "http://127.0.0.1:1/elsewhere"))
        // The length in the answer to HEAD is all there is of it.
        case .errorInside where request.method != "HEAD":
            answer = error(500, "InternalError")
            answer.status = 200
        default: answer = perform(request, fault)
        }
        if fault == .resetAfter {
            reset(connection)
            return false
        }
        if fault == .closeAfter { return false }
        var body = request.method == "HEAD" ? [] : answer.body
        var length = answer.body.count
        let isHalf =
            [.resetWithinBody, .shortBody, .stalledBody].contains(fault) && body.count > 1
        if isHalf { body.removeLast(body.count / 2) }
        if fault == .shortBody, body.isEmpty, request.method != "HEAD" { length += 5 }
        var head = "HTTP/1.1 \(answer.status) said\r\nDate: \(date(now))\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        if answer.status != 204 { head += "Content-Length: \(length)\r\n" }
        guard send(connection, Array((head + "\r\n").utf8) + body) else { return false }
        switch fault {
        case .resetWithinBody:
            reset(connection)
            return false
        case .shortBody: return false
        case .stalledBody where isHalf:
            // Until the other side has had enough.
            var byte: UInt8 = 0
            _ = recv(connection, &byte, 1, 0)
            return false
        default: return true
        }
    }

    // MARK: dates

    private func stamp(_ time: time_t) -> String { format(time, "%Y%m%dT%H%M%SZ") }
    private func date(_ time: time_t) -> String { format(time, "%a, %d %b %Y %H:%M:%S GMT") }

    func format(_ time: time_t, _ pattern: String) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, pattern, &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
