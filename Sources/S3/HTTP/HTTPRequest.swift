/// One request, as it goes out. Host and path are encoded already.
struct HTTPRequest {
    var method: String
    /// `https://s3.eu-central-1.amazonaws.com`, without a slash at its end.
    var origin: String
    /// From the first slash on, encoded.
    var path: String
    /// Sorted and encoded, without the question mark; empty for none.
    var query = ""
    /// Names in lower case.
    var headers: [(name: String, value: String)] = []

    init(method: String, origin: String, path: String, query: String = "") {
        self.method = method
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// Whether it goes to the machine's own neighborhood, where no proxy leads and nobody is waited for.
    var isDirect = false

    /// What is asked at a URL; nil where that is none.
    init?(_ method: String, at url: String) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty,
            !parts[2].isEmpty, !parts[2].contains("@")
        else { return nil }
        let rest = parts.count > 3 ? parts[3] : ""
        let query = rest.firstIndex(of: "?")
        self.init(
            method: method, origin: "\(parts[0])//\(parts[2])",
            path: "/" + rest[..<(query ?? rest.endIndex)],
            query: query.map { String(rest[rest.index(after: $0)...]) } ?? "")
    }

    /// As the request line and the signature have it.
    var url: String { origin + path + (query.isEmpty ? "" : "?" + query) }

    /// `s3.example.org:9000` of `https://s3.example.org:9000`; the usual port is left out.
    var host: String {
        var host = origin[...]
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")]
        where host.hasPrefix(scheme) {
            host = host.dropFirst(scheme.count)
            if host.hasSuffix(port) { host = host.dropLast(port.count) }
        }
        return String(host)
    }

    subscript(header name: String) -> String? { headers.first { $0.name == name }?.value }

    mutating func set(_ name: String, _ value: String) {
        headers.removeAll { $0.name == name }
        headers.append((name, value))
    }
}

/// What came back, but for the body of a read, which went where it was wanted.
struct HTTPResponse {
    var status: Int
    /// Names in lower case.
    var headers: [String: String] = [:]
    /// The body, or its beginning.
    var body: [UInt8] = []
    /// How many bytes the body had in all.
    var bodyBytes = 0
    /// Whether the request was sent before, and may have been carried out then.
    var isOfRepeat = false

    subscript(header name: String) -> String? { headers[name] }

    /// Takes in a line before the body, whatever it is.
    mutating func takeHeader(_ line: String) {
        // An answer before the answer: 100, or a proxy's.
        if line.hasPrefix("HTTP/") { headers = [:] }
        guard let colon = line.firstIndex(of: ":") else { return }
        headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...]).trimmed
    }
}

/// Percent-encoding as signatures want it: all but letters, digits and `-._~`.
/// - Parameter keepsSlashes: in a path they stand between what is encoded.
func percentEncoded(_ text: some Sequence<UInt8>, keepsSlashes: Bool = false) -> String {
    var encoded: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            encoded.append(byte)
        case UInt8(ascii: "/") where keepsSlashes: encoded.append(byte)
        default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
