/// The names and values in a piece of JSON: texts and numbers, whatever they are nested in; of names that
/// come again the last value. No more of JSON is needed here.
package struct FlatJSON {
    private var values: [String: String] = [:]

    package subscript(name: String) -> String? { values[name] }

    package init(_ bytes: [UInt8]) {
        var at = 0
        var name: String?
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\"") {
                let word = Self.text(bytes, &at)
                if let known = name {
                    values[known] = word
                    name = nil
                } else if Self.isName(bytes, at) {
                    name = word
                }
            } else if let known = name, Self.isNumber(bytes[at]) {
                let start = at
                while at < bytes.count, Self.isNumber(bytes[at]) { at += 1 }
                values[known] = String(decoding: bytes[start..<at], as: UTF8.self)
                name = nil
            } else {
                at += 1
            }
        }
    }

    private static func isNumber(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    private static func isName(_ bytes: [UInt8], _ at: Int) -> Bool {
        bytes[at...].first { $0 != UInt8(ascii: " ") } == UInt8(ascii: ":")
    }

    /// The text in quotes that begins here.
    private static func text(_ bytes: [UInt8], _ at: inout Int) -> String {
        var word: [UInt8] = []
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count {
                at += 1
                switch bytes[at] {
                case UInt8(ascii: "n"): word.append(10)
                case UInt8(ascii: "t"): word.append(9)
                case UInt8(ascii: "u"):
                    let digits = bytes[min(at + 1, bytes.count)..<min(at + 5, bytes.count)]
                    let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
                    let scalar = number.flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
                    word += Array(String(Character(scalar)).utf8)
                    at = min(at + 4, bytes.count - 1)
                default: word.append(bytes[at])
                }
            } else {
                word.append(bytes[at])
            }
            at += 1
        }
        at = min(at + 1, bytes.count)
        return String(decoding: word, as: UTF8.self)
    }
}
