import Testing

@testable import S3

/// Key, bucket, time and region of the examples in Amazon's documentation.
private func example() -> Signature {
    var secret = Array("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".utf8)
    let credentials = Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: &secret)
    return Signature(credentials, region: "us-east-1", time: 1_369_353_600_000)
}

private func signature(_ query: String) -> String? {
    var request = HTTPRequest(
        method: "GET", origin: "https://examplebucket.s3.amazonaws.com", path: "/", query: query)
    example().sign(&request, bodyHash: S3Client.emptyHash)
    return request[header: "authorization"]?.split(separator: "=").last.map { String($0) }
}

@Test func `signatures are those of the published examples`() {
    #expect(example().stamp == "20130524T000000Z")
    #expect(
        signature("lifecycle=")
            == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    #expect(
        signature("max-keys=2&prefix=J")
            == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
}

@Test func `what is signed is written as the rules say`() {
    var request = HTTPRequest(
        method: "PUT", origin: "https://h:9000", path: "/b/k", query: "a=1&b=%20")
    request.set("host", request.host)
    request.set("x-amz-meta-x", "  two   spaces ")
    #expect(
        example().canonicalRequest(request, ["host", "x-amz-meta-x"], bodyHash: "00")
            == "PUT\n/b/k\na=1&b=%20\nhost:h:9000\nx-amz-meta-x:two spaces\n\nhost;x-amz-meta-x\n00")
}

@Test func `every odd character of a key is encoded, and a slash stands`() {
    let odd = " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~-._ü"
    #expect(
        percentEncoded(odd.utf8, keepsSlashes: true)
            == "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C/%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D~-._%C3%BC"
    )
    #expect(percentEncoded("/".utf8) == "%2F")
}

@Test func `a secret of any length signs`() {
    // A longer key stands for its hash: the signature must differ with every byte of it.
    var seen: Set<String> = []
    for count in [1, 40, 60, 61, 100, 500] {
        var secret = [UInt8](repeating: 65, count: count)
        var request = HTTPRequest(method: "GET", origin: "https://h", path: "/")
        Signature(Credentials(accessKey: "a", secretKey: &secret), region: "r", time: 0)
            .sign(&request, bodyHash: S3Client.emptyHash)
        seen.insert(request[header: "authorization"] ?? "")
        #expect(secret.isEmpty)
    }
    #expect(seen.count == 6)
}

@Test func `times are read as stores write them`() {
    #expect(Timestamps.parse(iso: "2013-05-24T00:00:00.000Z") == 1_369_353_600_000)
    #expect(Timestamps.parse(iso: "2013-05-24T00:00:00Z") == 1_369_353_600_000)
    #expect(Timestamps.parse(http: "Fri, 24 May 2013 00:00:00 GMT") == 1_369_353_600_000)
    #expect(Timestamps.parse(http: "Thu, 29 Feb 2024 23:59:59 GMT") == 1_709_251_199_000)
    for text in ["", "yesterday", "2013-13-24T00:00:00Z", "2013-05-24T00:00:00"] {
        #expect(Timestamps.parse(iso: text) == nil)
    }
}

@Test func `bytes are written in base 64`() {
    for (text, wanted) in [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ] {
        #expect(base64(Array(text.utf8)) == wanted)
    }
}
