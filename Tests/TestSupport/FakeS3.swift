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
    private let state = Mutex(State())
    private let plan: Plan
    private let isConditional: Bool
    private let pageEntries: Int
    private let locks: LockHandling
    private let script: Script

    private struct State {
        var objects: [String: [UInt8]] = [:]
        var kept: [String: [(String, String)]] = [:]
        var count = 0
        var isStopped = false
        var open: Set<Int32> = []
        var methods: [String] = []
    }

    package var endpoint: String { "http://127.0.0.1:\(port)" }
    /// What was asked so far: method and key.
    package var requests: [String] { state.withLock { $0.methods } }
    /// Of every object that came with a lock, the lock's headers.
    package var kept: [String: [(String, String)]] { state.withLock { $0.kept } }
    package var keys: [String] { state.withLock { $0.objects.keys.sorted() } }

    /// Changes a byte in the middle of an object.
    package func damage(_ path: String) {
        let key = String(path.drop { $0 == "/" }.drop { $0 != "/" }.dropFirst())
        state.withLock { state in
            guard let count = state.objects[key]?.count else { return }
            state.objects[key]?[count / 2] ^= 1
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

    private func error(_ status: Int, _ code: String, _ more: String = "") -> Answer {
        Answer(
            status: status, headers: [("Content-Type", "application/xml")],
            body: Array(
                "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>as told</Message>\(more)</Error>"
                    .utf8))
    }

    private func perform(_ request: Request, _ fault: Fault?) -> Answer {
        if let answer = script(request) { return answer }
        let parts = request.path.split(separator: "/", maxSplits: 1)
        let key = parts.count > 1 ? String(parts[1]) : ""
        switch request.method {
        case "PUT":
            let lock = request.headers.filter { $0.key.hasPrefix("x-amz-object-lock-") }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            if !lock.isEmpty, locks == .refused { return error(400, "InvalidRequest") }
            if request.headers["if-none-match"] != nil {
                guard isConditional else { return error(501, "NotImplemented") }
                let isTaken = state.withLock { $0.objects[key] != nil }
                if isTaken { return error(412, "PreconditionFailed") }
            }
            let isNew = state.withLock { state in
                if request.headers["if-none-match"] != nil, state.objects[key] != nil { return false }
                state.objects[key] = request.body
                state.kept[key] = lock.isEmpty ? nil : lock
                return true
            }
            return isNew ? Answer(headers: [("ETag", "\"x\"")]) : error(412, "PreconditionFailed")
        case "DELETE":
            state.withLock { $0.objects[key] = nil }
            return Answer(status: 204)
        case "GET" where key.isEmpty: return list(request, fault)
        case "GET" where request.query == "retention=" && locks != .ignored:
            guard locks != .hidden, let kept = state.withLock({ $0.kept[key] }) else {
                return error(403, "AccessDenied")
            }
            return Answer(
                body: Array(
                    "<Retention><Mode>\(kept[0].1)</Mode><RetainUntilDate>\(kept[1].1)</RetainUntilDate></Retention>"
                        .utf8))
        case "GET", "HEAD":
            guard let bytes = state.withLock({ $0.objects[key] }) else {
                return error(404, "NoSuchKey")
            }
            var answer = part(bytes, of: request, fault)
            if locks == .honored { answer.headers += state.withLock { $0.kept[key] ?? [] } }
            return answer
        default: return error(405, "MethodNotAllowed")
        }
    }

    private func part(_ bytes: [UInt8], of request: Request, _ fault: Fault?) -> Answer {
        guard let range = request.headers["range"], fault != .wholeBody else {
            return Answer(body: bytes)
        }
        let numbers = range.drop { !$0.isNumber }.split(separator: "-").compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] < bytes.count else { return error(416, "InvalidRange") }
        var wanted = numbers[0]..<min(bytes.count, numbers[1] + 1)
        if fault == .otherRange, wanted.lowerBound > 0 {
            wanted = (wanted.lowerBound - 1)..<(wanted.upperBound - 1)
        }
        let text = "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(bytes.count)"
        return Answer(status: 206, headers: [("Content-Range", text)], body: Array(bytes[wanted]))
    }

    private func list(_ request: Request, _ fault: Fault?) -> Answer {
        var fields: [String: String] = [:]
        for pair in request.query.split(separator: "&") {
            let words = pair.split(separator: "=", maxSplits: 1)
            fields[String(words[0])] = words.count > 1 ? decoded(String(words[1])) : ""
        }
        let prefix = fields["prefix"] ?? ""
        let after = fields["continuation-token"] ?? ""
        let found = state.withLock { state in
            state.objects.filter { $0.key.hasPrefix(prefix) && $0.key > after }
                .map { ($0.key, $0.value.count) }
        }.sorted { $0.0 < $1.0 }
        var page = Array(found.prefix(pageEntries))
        var next = found.count > page.count ? page.last?.0 : nil
        if fault == .tokenLoop { next = after.isEmpty ? "again" : after }
        if fault == .emptyPage { (page, next) = ([], "further") }
        if fault == .duplicatedKeys { page = page.flatMap { [$0, $0] } }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>"
        text += "<IsTruncated>\(next != nil)</IsTruncated>"
        for (key, count) in page {
            text += "<Contents><Key>\(escaped(key))</Key><Size>\(count)</Size>"
            text += "<LastModified>2026-11-28T03:15:00.000Z</LastModified></Contents>"
        }
        if let next { text += "<NextContinuationToken>\(escaped(next))</NextContinuationToken>" }
        text += "</ListBucketResult>"
        var body = Array(text.utf8)
        if fault == .truncatedXML { body.removeLast(20) }
        return Answer(body: body)
    }

    // MARK: texts

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }

    private func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func stamp(_ time: time_t) -> String { format(time, "%Y%m%dT%H%M%SZ") }
    private func date(_ time: time_t) -> String { format(time, "%a, %d %b %Y %H:%M:%S GMT") }

    private func format(_ time: time_t, _ pattern: String) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, pattern, &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
