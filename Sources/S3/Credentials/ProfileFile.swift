/// The files in which profiles are kept: sections in brackets, lines `name = value`.
enum ProfileFile {
    /// A setting of a section; nil where there is none. Nested settings, which are indented, are passed
    /// over.
    static func value(_ name: String, section: String, in text: String) -> String? {
        var current = ""
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                current = line.dropFirst().prefix { $0 != "]" }.split(separator: " ")
                    .joined(separator: " ")
                continue
            }
            guard current == section, !first.isWhitespace, let equals = line.firstIndex(of: "=")
            else { continue }
            if String(line[..<equals]).trimmed.lowercased() == name {
                return String(line[line.index(after: equals)...]).trimmed
            }
        }
        return nil
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        var rest = self[...].drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}

/// One object of texts, as metadata services answer: no more of JSON is needed.
enum FlatJSON {
    static func texts(in bytes: [UInt8]) -> [String: String] {
        var found: [String: String] = [:]
        var words: [String] = []
        var at = 0
        while at < bytes.count, words.count < 256 {
            guard bytes[at] == UInt8(ascii: "\"") else {
                at += 1
                continue
            }
            var word: [UInt8] = []
            at += 1
            while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
                if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count { at += 1 }
                word.append(bytes[at])
                at += 1
            }
            at += 1
            words.append(String(decoding: word, as: UTF8.self))
            let next = bytes[min(at, bytes.count)...].first { $0 != UInt8(ascii: " ") }
            if next != UInt8(ascii: ":"), words.count >= 2 {
                found[words[words.count - 2]] = words[words.count - 1]
                words = []
            }
        }
        return found
    }
}
