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
