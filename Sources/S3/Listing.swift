/// One page of a listing.
struct Listing {
    struct Entry: Equatable {
        var key = ""
        var byteCount = 0
        /// Milliseconds since 1970.
        var modified: Int64 = 0
    }

    private(set) var entries: [Entry] = []
    /// What the next page is asked for with; nil where this is the last.
    private(set) var next: String?

    private static let entriesMax = 10_000

    init(_ body: [UInt8], request: String) throws {
        func bad(_ why: String) -> BadAnswer { BadAnswer(request: request, why: why) }
        var reader = XMLReader(body)
        guard try reader.next() == .begin("ListBucketResult") else {
            throw bad("it is no listing")
        }
        var path: [String] = []
        var isTruncated = false
        var token: String?
        var text = ""
        while let event = try reader.next() {
            switch event {
            case .begin(let name):
                path.append(name)
                text = ""
                if path == ["Contents"] { entries.append(Entry()) }
                guard entries.count <= Self.entriesMax else { throw bad("a page is too long") }
            case .text(let part): text += part
            case .end:
                try take(path, text, &isTruncated, &token, bad)
                if !path.isEmpty { path.removeLast() }
                text = ""
            }
        }
        if isTruncated {
            guard let token, !token.isEmpty else { throw bad("it is cut and says not where") }
            next = token
        }
        guard entries.allSatisfy({ !$0.key.isEmpty }) else { throw bad("an object has no name") }
    }

    private mutating func take(
        _ path: [String], _ text: String, _ isTruncated: inout Bool, _ token: inout String?,
        _ bad: (String) -> BadAnswer
    ) throws {
        switch path {
        case ["IsTruncated"]: isTruncated = text.trimmed == "true"
        case ["NextContinuationToken"]: token = text
        case ["Contents", "Key"]: entries[entries.count - 1].key = text
        case ["Contents", "Size"]:
            guard let count = Int(text.trimmed), count >= 0 else { throw bad("a length is none") }
            entries[entries.count - 1].byteCount = count
        case ["Contents", "LastModified"]:
            guard let time = Timestamps.parse(iso: text.trimmed) else { throw bad("a time is none") }
            entries[entries.count - 1].modified = time
        default: break
        }
    }
}
