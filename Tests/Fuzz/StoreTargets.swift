import Faults
import WireFormat

@testable import S3

/// What an object store answers, and what says how it is reached.
func storeTargets() -> [FuzzTarget] {
    [listing, storeError, headers, profiles, locations, storeWords]
}

private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

private let listing = FuzzTarget(
    name: "s3-listing", share: 50,
    seeds: bytes(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated>
        <Contents><Key>a/b&amp;&#x41;</Key><LastModified>2026-11-28T03:15:00.000Z</LastModified><Size>5</Size>
        </Contents><a:Contents/><NextContinuationToken>t</NextContinuationToken></ListBucketResult>
        """)
) { bytes in
    guard let listing = reading({ try Listing(bytes, request: "LIST") }) else { return }
    for entry in listing.entries {
        mustHold(entry.byteCount >= 0 && !entry.key.isEmpty, "an object has a name and a length")
        _ = ObjectName(entry.key)
    }
    mustHold(listing.next != "", "the next page is asked for with something")
}

private let storeError = FuzzTarget(
    name: "s3-error",
    seeds: bytes(
        "<Error><Code>AccessDenied</Code><Message>No &lt;way&gt;</Message><Region>x</Region></Error>"
    )
) { bytes in
    var response = HTTPResponse(status: 403)
    response.body = bytes
    let error = S3Error(response, request: "GET x")
    mustHold(error.message.utf8.count <= 4 * 400, "a message is short")
    _ = (error.hint, error.exitCode)
}

/// Lines of headers, as libcurl hands them on.
private let headers = FuzzTarget(
    name: "http-headers",
    seeds: bytes(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 03:15:00 GMT\r\nx-amz-object-lock-mode: COMPLIANCE\r\nContent-Range: bytes 0-9/10\r\n"
    )
) { bytes in
    var response = HTTPResponse(status: 200)
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
        response.takeHeader(String(decoding: line, as: UTF8.self))
    }
    for (name, value) in response.headers {
        mustHold(name == name.lowercased(), "names are in lower case")
        readWord(value)
    }
}

private let profiles = FuzzTarget(
    name: "s3-profiles",
    seeds: bytes(
        "# x\n[default]\naws_access_key_id = A\naws_secret_access_key=b=c\ns3 =\n  x = y\n[ profile work ]\nregion=eu\n",
        #"{"AccessKeyId": "A", "SecretAccessKey": "b", "Token": "t", "Expiration": "2026-11-28T03:15:00Z"}"#
    )
) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    for (name, section) in [("aws_access_key_id", "default"), ("region", "profile work"), ("", "")]
    {
        if let value = ProfileFile.value(name, section: section, in: text) {
            mustHold(value == value.trimmed, "a setting has no space around it")
        }
    }
    let fields = FlatJSON(bytes)
    if let expires = fields["Expiration"] { readWord(expires) }
}

private let locations = FuzzTarget(
    name: "s3-location", inputBytesMax: 1024,
    seeds: bytes(
        "s3://bucket/some/prefix//", "https://s3.example.org:9000/", "[::1]:80", "s3://a.b.c")
) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    for (location, endpoint) in [(text, nil), ("s3://bucket/x", text)] as [(String, String?)] {
        for addressing in S3Location.Addressing.allCases {
            guard
                let found = reading({
                    try S3Location(location, endpoint: endpoint, addressing: addressing)
                })
            else { continue }
            let (origin, path) = found.address("packs/0/a")
            mustHold(path.hasPrefix("/") && origin.contains("://"), "requests go somewhere")
            mustHold(
                found.prefix.isEmpty || found.prefix.hasSuffix("/"), "a prefix ends with a slash")
        }
    }
    if let request = HTTPRequest("GET", at: text) {
        mustHold(request.path.hasPrefix("/"), "a path begins with a slash")
        _ = request.host
    }
}

/// The words in headers and documents: times, ranges, locks.
private let storeWords = FuzzTarget(
    name: "s3-words", inputBytesMax: 128,
    seeds: bytes(
        "2026-11-28T03:15:00.000Z", "Sat, 28 Nov 2026 03:15:00 GMT", "bytes 100-199/1000",
        "30:governance")
) { readWord(String(decoding: $0, as: UTF8.self)) }

private func readWord(_ text: String) {
    if let time = Timestamps.parse(iso: text) {
        mustHold(Timestamps.parse(iso: Timestamps.iso(time)) == time, "a time has a spelling")
    }
    _ = Timestamps.parse(http: text).map { Timestamps.compact($0) }
    if let range = ContentRange(text) {
        mustHold(range.bytes.upperBound <= range.total, "a range lies inside")
    }
    if let lock = ObjectLock(text) {
        mustHold(lock.milliseconds > 0, "a lock lasts")
        let body = lock.body(now: 0)
        mustHold(
            reading { try XMLReader.texts(of: ["Mode"], in: body) } != nil, "it is well formed")
    }
    _ = ObjectLock.Retention(mode: "GOVERNANCE", until: text)
    mustHold(
        percentEncoded(text.utf8).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "encoding is plain")
}
