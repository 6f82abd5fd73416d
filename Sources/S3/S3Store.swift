import Faults
import ObjectStorage
import Sealing
import Synchronization
import WireFormat

/// Objects in a bucket of an object store that speaks Amazon's S3, by five verbs: PUT, GET, HEAD, DELETE
/// and ListObjectsV2.
///
/// A class: what it finds out about the store holds for all requests.
package final class S3Store: ObjectStore {
    private let client: S3Client
    private let prefix: String
    package let location: String
    package var isNear: Bool { false }
    package var isEventual: Bool { client.isOpenStack }
    /// The class of storage for packs of data; nil for the store's usual.
    private let storageClass: String?
    private let lock: ObjectLock?
    /// Whether the store was seen to keep what it was asked to keep.
    private let isLockProven = Mutex(false)
    /// Whether the store refuses to put an object over another when asked to.
    private let isConditional = Mutex(true)

    init(_ location: S3Location, _ client: S3Client, storageClass: String?, lock: ObjectLock?) {
        self.client = client
        prefix = location.prefix
        self.location = location.description
        self.storageClass = storageClass
        self.lock = lock
    }

    private func call(
        _ method: String, _ name: ObjectName, accepts: Set<Int> = [200, 204, 206]
    ) -> S3Client.Call {
        S3Client.Call(method: method, key: prefix + name.description, accepts: accepts, name: "\(name)")
    }

    // MARK: writing

    package func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        let asks = isConditional.withLock { $0 }
        // Random names are taken by nobody; of the others it is asked first.
        if !asks, !name.isRandom, try byteCount(of: name) != nil {
            throw StorageError.exists(name)
        }
        var call = call("PUT", name, accepts: asks ? [200, 201, 204, 412, 501] : [200, 201, 204])
        call.bodyHash = hexadecimal(SHA256.hash(bytes))
        call.headers = [
            ("content-md5", base64(MD5.hash(bytes)))
        ]
        if asks { call.headers.append(("if-none-match", "*")) }
        if let storageClass, name.isPackOfData(bytes) {
            call.headers.append(("x-amz-storage-class", storageClass))
        }
        call.lock = name.isToBeLocked ? lock : nil
        let response =
            call.lock == nil
            ? try client.send(call, Transfer(body: bytes))
            : try sendLock(call, Transfer(body: bytes))
        switch response.status {
        case 501 where asks:
            isConditional.withLock { $0 = false }
            return try put(name, bytes)
        case 412 where asks:
            // An earlier try may have been taken, and its answer lost.
            guard response.isOfRepeat, try isStored(name, bytes) else {
                throw StorageError.exists(name)
            }
        default: break
        }
        if let lock = call.lock { try prove(lock, of: name) }
    }

    /// Whether an object has the very bytes.
    private func isStored(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws -> Bool {
        do {
            return try get(name, limit: bytes.count).elementsEqual(bytes)
        } catch StorageError.tooLong {
            return false
        }
    }

    private func sendLock(_ call: S3Client.Call, _ transfer: Transfer) throws -> HTTPResponse {
        do {
            return try client.send(call, transfer)
        } catch let error as S3Error where error.status == 501 || error.code == "InvalidRequest" {
            throw LockError.refused(error)
        }
    }

    /// Looks once whether a lock was taken: stores that do not know it mostly do not say so.
    private func prove(_ lock: ObjectLock, of name: ObjectName) throws {
        try isLockProven.withLock { isProven in
            guard !isProven else { return }
            guard try isLocked(name, lock) else {
                // What fails leaves nothing behind.
                try? remove(name)
                throw LockError.ignored("\(name)")
            }
            isProven = true
        }
    }

    private func isLocked(_ name: ObjectName, _ lock: ObjectLock) throws -> Bool {
        guard case .until(let retention) = try kept(name) else { return false }
        return lock.isMet(by: retention, now: client.now)
    }

    private enum Kept {
        case isMissing
        case until(ObjectLock.Retention?)
    }

    /// How long an object is kept.
    private func kept(_ name: ObjectName) throws -> Kept {
        let head = try client.send(call("HEAD", name, accepts: [200, 403, 404]))
        if head.status == 404 { return .isMissing }
        if let retention = ObjectLock.Retention(
            mode: head[header: "x-amz-object-lock-mode"],
            until: head[header: "x-amz-object-lock-retain-until-date"])
        {
            return .until(retention)
        }
        // Amazon shows the headers to those only who may ask for the retention.
        var retention = call("GET", name, accepts: [200, 400, 403, 404, 500, 501])
        retention.query = [("retention", "")]
        let answer = try client.send(retention, Transfer(collectedMax: Limits.objectBytes))
        if answer.status == 403 { throw LockError.unseen("\(name)") }
        let fields = try? XMLReader.texts(of: ["Mode", "RetainUntilDate"], in: answer.body)
        return .until(
            ObjectLock.Retention(mode: fields?["Mode"], until: fields?["RetainUntilDate"]))
    }

    package var locks: Bool { lock != nil }

    package func keepLonger(_ name: ObjectName) throws -> LockChange {
        guard let lock, name.isToBeLocked, case .until(let retention) = try kept(name) else {
            return .none
        }
        let isProven = isLockProven.withLock { isProven in
            isProven = isProven || retention != nil
            return isProven
        }
        guard isProven else { return .unproven }
        guard !lock.isMostlyMet(by: retention, now: client.now) else { return .none }
        let wanted = lock.asStrict(as: retention)
        let body = wanted.body(now: client.now)
        var call = call("PUT", name, accepts: [200, 204, 404])
        call.query = [("retention", "")]
        call.bodyHash = hexadecimal(SHA256.hash(body))
        let answer = try body.withUnsafeBytes { body in
            call.headers = [("content-md5", base64(MD5.hash(body)))]
            return try sendLock(call, Transfer(body: body))
        }
        guard answer.status != 404 else { return .none }
        guard try isLocked(name, wanted) else { throw LockError.ignored("\(name)") }
        return .longer
    }

    package func remove(_ name: ObjectName) throws {
        _ = try client.send(call("DELETE", name, accepts: [200, 204, 404]))
    }

    // MARK: reading

    package func now() throws -> Int64 {
        // Not by HEAD: a refusal without a body does not say that a token has run out, or a clock is wrong.
        let response = try client.send(
            call("GET", .config, accepts: [200, 404]), Transfer(collectedMax: Limits.objectBytes))
        guard let date = response[header: "date"].flatMap({ Timestamps.parse(http: $0) }) else {
            throw BadAnswer(request: "GET config", why: "it does not say what time it is")
        }
        return date
    }

    package func byteCount(of name: ObjectName) throws -> Int? {
        let response: HTTPResponse
        do {
            response = try client.send(call("HEAD", name, accepts: [200, 404]))
        } catch let error as S3Error where error.code.isEmpty {
            // A refusal without a body does not say what could be put right.
            return try byteCountByReading(name)
        }
        guard response.status == 200 else { return nil }
        guard let count = response[header: "content-length"].flatMap({ Int($0) }), count >= 0 else {
            throw BadAnswer(request: "HEAD \(name)", why: "it gives no length")
        }
        return count
    }

    private func byteCountByReading(_ name: ObjectName) throws -> Int? {
        var call = call("GET", name, accepts: [200, 206, 404, 416])
        call.headers = [("range", "bytes=0-0")]
        let response = try client.send(call, Transfer(collectedMax: Limits.objectBytes))
        switch response.status {
        case 404: return nil
        case 200: return response.bodyBytes
        case 416: return 0
        default:
            guard let range = ContentRange(response[header: "content-range"] ?? "") else {
                throw BadAnswer(request: "GET \(name)", why: "it gives no range")
            }
            return range.total
        }
    }

    package func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        let response: HTTPResponse
        do {
            response = try client.send(
                call("GET", name, accepts: [200, 404]), Transfer(collectedMax: limit))
        } catch HTTPError.tooLong {
            throw StorageError.tooLong(
                name, byteCount: try byteCount(of: name) ?? 0, limit: limit)
        }
        if response.status == 404 { throw StorageError.missing(name) }
        try checkLength(response, name)
        return response.body
    }

    package func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard buffer.count > 0 else {
            guard try byteCount(of: name) != nil else { throw StorageError.missing(name) }
            return 0
        }
        var call = call("GET", name, accepts: [200, 206, 404, 416])
        call.headers = [("range", "bytes=\(offset)-\(offset + buffer.count - 1)")]
        let response = try client.send(
            call, Transfer(sink: BodySink(room: buffer, offset: offset)))
        switch response.status {
        case 404: throw StorageError.missing(name)
        case 416: return 0
        case 200:
            try checkLength(response, name)
            return max(0, min(buffer.count, response.bodyBytes - offset))
        default:
            try checkLength(response, name)
            guard let range = ContentRange(response[header: "content-range"] ?? ""),
                range.bytes.lowerBound == offset, range.bytes.count == response.bodyBytes,
                range.bytes.count == min(buffer.count, range.total - offset)
            else { throw BadAnswer(request: "GET \(name)", why: "it gives another range") }
            return range.bytes.count
        }
    }

    private func checkLength(_ response: HTTPResponse, _ name: ObjectName) throws {
        guard let length = response[header: "content-length"].flatMap({ Int($0) }) else { return }
        guard length == response.bodyBytes else {
            throw BadAnswer(
                request: "GET \(name)", why: "it has \(response.bodyBytes) bytes of \(length)")
        }
    }

    // MARK: listing

    package func list(_ folder: Folder) throws -> [StoredObject] {
        var found: [StoredObject] = []
        var token: String?
        var pages = 0
        repeat {
            var call = S3Client.Call(method: "GET", key: "", name: "a listing of \(folder.path)")
            call.query = [("list-type", "2"), ("prefix", prefix + folder.path + "/")]
            if let token { call.query.append(("continuation-token", token)) }
            call.accepts = [200]
            let response = try client.send(call, Transfer(collectedMax: 16 << 20))
            let page = try Listing(response.body, request: call.name)
            for entry in page.entries where entry.key.hasPrefix(prefix) {
                guard let name = ObjectName(String(entry.key.dropFirst(prefix.count))) else { continue }
                found.append(
                    StoredObject(
                        name: name, byteCount: entry.byteCount, modified: entry.modified))
            }
            guard page.next == nil || (page.next != token && !page.entries.isEmpty) else {
                throw BadAnswer(request: call.name, why: "its pages lead nowhere")
            }
            token = page.next
            pages += 1
            guard pages <= Self.pagesMax else {
                throw BadAnswer(request: call.name, why: "it does not end")
            }
        } while token != nil
        return found.sortedByName()
    }

    /// A hundred million objects.
    private static let pagesMax = 100_000
}

extension [StoredObject] {
    /// In the order of their names, each once.
    fileprivate func sortedByName() -> [StoredObject] {
        var keyed = map { (name: $0.name.description, object: $0) }
        keyed.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var last: String?
        return keyed.compactMap { entry in
            defer { last = entry.name }
            return entry.name == last ? nil : entry.object
        }
    }
}

extension ObjectName {
    /// Whether nobody else can have chosen it.
    fileprivate var isRandom: Bool {
        switch self {
        case .config, .tombstone, .setAside: false
        default: true
        }
    }

    /// All that a snapshot needs, and what tells that it was dropped. Tombstones are there to go.
    fileprivate var isToBeLocked: Bool {
        switch self {
        case .tombstone, .setAside: false
        default: true
        }
    }

    /// Packs say their class in their header (docs/format.md, section 7).
    fileprivate func isPackOfData(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard case .pack = self, bytes.count > 8 else { return false }
        return bytes[8] == 0
    }
}

/// `bytes 100-199/1000`
struct ContentRange: Equatable {
    let bytes: Range<Int>
    let total: Int

    init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "-" || $0 == "/" }
        guard words.count == 4, words[0] == "bytes", let first = Int(words[1]),
            let last = Int(words[2]), let total = Int(words[3]), first >= 0, first <= last,
            last < total
        else { return nil }
        bytes = first..<(last + 1)
        self.total = total
    }
}

/// An answer that cannot be right.
struct BadAnswer: Explained {
    let request: String
    let why: String

    var message: String { "\(request): the answer of the store makes no sense: \(why)" }
    var exitCode: ExitCode { .failed }
}

func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let part = bytes[start..<Swift.min(start + 3, bytes.count)]
        let word = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
        for digit in 0..<4 {
            text.append(
                digit <= part.count ? digits[word >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
