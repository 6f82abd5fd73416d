import Glibc
import Synchronization

/// What it does with objects, as real stores do.
extension FakeS3 {
    func error(_ status: Int, _ code: String, _ more: String = "") -> Answer {
        Answer(
            status: status, headers: [("Content-Type", "application/xml")],
            body: Array(
                "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>as told</Message>\(more)</Error>"
                    .utf8))
    }

    func perform(_ request: Request, _ fault: Fault?) -> Answer {
        if let answer = script(request) { return answer }
        let parts = request.path.split(separator: "/", maxSplits: 1)
        let key = parts.count > 1 ? String(parts[1]) : ""
        switch request.method {
        case "PUT" where request.query == "retention=" && locks != .ignored:
            return keep(key, String(decoding: request.body, as: UTF8.self))
        case "PUT":
            let lock = request.headers.filter { $0.key.hasPrefix("x-amz-object-lock-") }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            if !lock.isEmpty, locks == .refused { return error(400, "InvalidRequest") }
            if request.headers["if-none-match"] != nil {
                guard isConditional else { return error(501, "NotImplemented") }
                let isTaken = state.withLock { $0.contents.objects[key] != nil }
                if isTaken { return error(412, "PreconditionFailed") }
            }
            let isNew = state.withLock { state in
                if request.headers["if-none-match"] != nil, state.contents.objects[key] != nil { return false }
                state.contents.objects[key] = request.body
                state.contents.kept[key] = lock.isEmpty ? nil : lock
                state.contents.written[key] = time(nil)
                return true
            }
            return isNew ? Answer(headers: [("ETag", "\"x\"")]) : error(412, "PreconditionFailed")
        case "DELETE":
            state.withLock { $0.contents.objects[key] = nil }
            return Answer(status: 204)
        case "GET" where key.isEmpty: return list(request, fault)
        case "GET" where request.query == "retention=" && locks != .ignored:
            guard locks != .hidden else { return error(403, "AccessDenied") }
            guard let kept = state.withLock({ $0.contents.kept[key] }) else {
                return error(404, "NoSuchObjectLockConfiguration")
            }
            return Answer(
                body: Array(
                    "<Retention><Mode>\(kept[0].1)</Mode><RetainUntilDate>\(kept[1].1)</RetainUntilDate></Retention>"
                        .utf8))
        case "GET", "HEAD":
            guard let bytes = state.withLock({ $0.contents.objects[key] }) else {
                return error(404, "NoSuchKey")
            }
            var answer = part(bytes, of: request, fault)
            if locks == .honored { answer.headers += state.withLock { $0.contents.kept[key] ?? [] } }
            return answer
        default: return error(405, "MethodNotAllowed")
        }
    }

    /// PutObjectRetention: a time only ever grows.
    private func keep(_ key: String, _ body: String) -> Answer {
        guard locks != .refused else { return error(400, "InvalidRequest") }
        func text(_ element: String) -> String {
            let begin = body.firstRange(of: "<\(element)>")?.upperBound ?? body.startIndex
            let end = body.firstRange(of: "</\(element)>")?.lowerBound ?? begin
            return String(body[begin..<end])
        }
        return state.withLock { state in
            guard state.contents.objects[key] != nil else { return error(404, "NoSuchKey") }
            let until = text("RetainUntilDate")
            if let kept = state.contents.kept[key], kept[1].1 > until { return error(403, "AccessDenied") }
            state.contents.kept[key] = [
                ("x-amz-object-lock-mode", text("Mode")),
                ("x-amz-object-lock-retain-until-date", until),
            ]
            return Answer()
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
            state.contents.objects.filter { $0.key.hasPrefix(prefix) && $0.key > after }
                .map { ($0.key, $0.value.count, state.contents.written[$0.key] ?? 0) }
        }.sorted { $0.0 < $1.0 }
        var page = Array(found.prefix(pageEntries))
        var next = found.count > page.count ? page.last?.0 : nil
        if fault == .tokenLoop { next = after.isEmpty ? "again" : after }
        if fault == .emptyPage { (page, next) = ([], "further") }
        if fault == .duplicatedKeys { page = page.flatMap { [$0, $0] } }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>"
        text += "<IsTruncated>\(next != nil)</IsTruncated>"
        for (key, count, written) in page {
            text += "<Contents><Key>\(escaped(key))</Key><Size>\(count)</Size>"
            let modified = format(written, "%Y-%m-%dT%H:%M:%S.000Z")
            text += "<LastModified>\(modified)</LastModified></Contents>"
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

    func decoded(_ text: String) -> String {
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
}
