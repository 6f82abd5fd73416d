import Faults

/// Where a repository lies in an object store, and how its requests are addressed.
package struct S3Location: Sendable, Equatable {
    package enum Addressing: String, Sendable, CaseIterable {
        /// By the endpoint.
        case auto
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`.
        case virtual
    }

    package let bucket: String
    /// What all names begin with, with a slash at its end; empty for none.
    package let prefix: String
    /// `https://host[:port]`; nil for Amazon's of the region.
    package var endpoint: String?
    package var region: String
    package var addressing: Addressing

    /// - Parameters:
    ///   - text: `s3://bucket/prefix`.
    ///   - endpoint: a URL, or a host.
    ///   - isInsecure: whether plain http may go anywhere.
    package init(
        _ text: String, endpoint: String? = nil, region: String? = nil,
        addressing: Addressing = .auto, isInsecure: Bool = false
    ) throws {
        func bad(_ why: String) -> BadS3Location { BadS3Location(location: text, why: why) }
        guard text.hasPrefix("s3://") else { throw bad("it does not begin with s3://") }
        let rest = text.dropFirst("s3://".count)
        let bucket = String(rest.prefix { $0 != "/" })
        guard (3...255).contains(bucket.utf8.count),
            bucket.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !bucket.contains("@")
        else { throw bad("\(bucket) is no name of a bucket") }
        var prefix = String(rest.dropFirst(bucket.count).drop { $0 == "/" })
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard prefix.utf8.count <= 512, !prefix.utf8.contains(where: { $0 < 0x20 }) else {
            throw bad("its prefix is too long, or has control characters")
        }
        self.bucket = bucket
        self.prefix = prefix.isEmpty ? "" : prefix + "/"
        self.endpoint = try endpoint.map { try Self.origin($0, isInsecure: isInsecure) }
        self.region = region ?? "us-east-1"
        self.addressing = addressing
    }

    /// For messages.
    package var description: String { "s3://\(bucket)/\(prefix.dropLast())" }

    /// `https://host:port` of what a person wrote.
    private static func origin(_ text: String, isInsecure: Bool) throws -> String {
        var text = text.contains("://") ? text : "https://\(text)"
        while text.hasSuffix("/") { text.removeLast() }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        let rest = text.dropFirst(scheme.count + "://".count)
        guard scheme == "https" || scheme == "http", !rest.isEmpty,
            !rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "@" })
        else {
            throw BadS3Location(
                location: text, why: "an endpoint is https://HOST or https://HOST:PORT")
        }
        let host = rest.hasPrefix("[") ? rest.prefix { $0 != "]" } + "]" : rest.prefix { $0 != ":" }
        let isLoopback =
            host == "localhost" || host == "[::1]"
            || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
        guard scheme == "https" || isLoopback || isInsecure else {
            throw BadS3Location(
                location: text,
                why: "plain http shows names and times to everybody on the way: use https, or say"
                    + " --insecure-http")
        }
        return "\(scheme)://\(rest)"
    }

    /// Where requests go, and the path of a key there.
    func address(_ key: String) -> (origin: String, path: String) {
        let origin = endpoint ?? "https://s3.\(region).amazonaws.com"
        let encoded = percentEncoded(key.utf8, keepsSlashes: true)
        if isVirtual(origin) {
            let parts = origin.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            return ("\(parts[0])//\(bucket).\(parts[2])", "/" + encoded)
        }
        return (origin, "/" + percentEncoded(bucket.utf8) + (key.isEmpty ? "" : "/" + encoded))
    }

    private func isVirtual(_ origin: String) -> Bool {
        switch addressing {
        case .path: false
        case .virtual: true
        // A name with a dot is in no certificate.
        case .auto:
            !bucket.contains(".")
                && (origin.hasSuffix(".amazonaws.com") || origin.hasSuffix(".aliyuncs.com"))
        }
    }
}

/// A location in an object store that is none.
struct BadS3Location: Explained {
    let location: String
    let why: String

    var message: String { "\(location): \(why)" }
    var hint: String? { "for example: -r s3://bucket/backup --endpoint https://s3.example.org" }
    var exitCode: ExitCode { .usage }
}
