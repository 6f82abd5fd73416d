import Faults

/// Takes apart the small documents that stores answer with: elements and their texts, in order.
/// Attributes and what else XML has are passed over. Nothing is nested deeper than a few levels.
struct XMLReader {
    enum Event: Equatable {
        case begin(String)
        case text(String)
        case end(String)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var open: [String] = []
    /// The end of an element that was opened and closed in one.
    private var ending: String?
    private static let depthMax = 32

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next event; nil where the document ends whole.
    mutating func next() throws(XMLError) -> Event? {
        if let name = ending {
            ending = nil
            open.removeLast()
            return .end(name)
        }
        while at < bytes.count {
            if bytes[at] != UInt8(ascii: "<") {
                let start = at
                at = bytes[at...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
                if open.isEmpty { continue }
                return .text(try unescaped(bytes[start..<at]))
            }
            guard let close = bytes[at...].firstIndex(of: UInt8(ascii: ">")) else {
                throw XMLError.cut
            }
            let tag = bytes[(at + 1)..<close]
            at = close + 1
            switch tag.first {
            case UInt8(ascii: "?"), UInt8(ascii: "!"): continue
            case UInt8(ascii: "/"):
                let name = Self.name(tag.dropFirst())
                guard open.last == name else { throw XMLError.crossed }
                open.removeLast()
                return .end(name)
            default:
                let name = Self.name(tag)
                guard open.count < Self.depthMax, !name.isEmpty else { throw XMLError.crossed }
                open.append(name)
                if tag.last == UInt8(ascii: "/") { ending = name }
                return .begin(name)
            }
        }
        guard open.isEmpty else { throw XMLError.cut }
        return nil
    }

    /// Without a prefix, attributes, and a slash at the end.
    private static func name(_ tag: ArraySlice<UInt8>) -> String {
        let word = tag.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }
        let local = word.lastIndex(of: UInt8(ascii: ":")).map { word[($0 + 1)...] } ?? word
        return String(decoding: local, as: UTF8.self)
    }

    private func unescaped(_ text: ArraySlice<UInt8>) throws(XMLError) -> String {
        guard text.contains(UInt8(ascii: "&")) else { return String(decoding: text, as: UTF8.self) }
        var result = ""
        var rest = text
        while let mark = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<mark], as: UTF8.self)
            guard let end = rest[mark...].firstIndex(of: UInt8(ascii: ";")) else {
                throw XMLError.crossed
            }
            let name = String(decoding: rest[(mark + 1)..<end], as: UTF8.self)
            switch name {
            case "amp": result += "&"
            case "lt": result += "<"
            case "gt": result += ">"
            case "quot": result += "\""
            case "apos": result += "'"
            default:
                let number =
                    name.hasPrefix("#x")
                    ? UInt32(name.dropFirst(2), radix: 16)
                    : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
                guard let scalar = number.flatMap({ Unicode.Scalar($0) }) else {
                    throw XMLError.crossed
                }
                result.unicodeScalars.append(scalar)
            }
            rest = rest[(end + 1)...]
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    /// The first text of each of some elements, wherever they stand.
    static func texts(of names: Set<String>, in bytes: [UInt8]) throws(XMLError) -> [String: String]
    {
        var reader = XMLReader(bytes)
        var found: [String: String] = [:]
        var current: String?
        while let event = try reader.next() {
            switch event {
            case .begin(let name): current = names.contains(name) ? name : nil
            case .text(let text):
                if let current, found[current] == nil { found[current] = text }
            case .end: current = nil
            }
        }
        return found
    }
}

/// A document that is none.
enum XMLError: Explained, Equatable {
    case cut, crossed

    var message: String {
        switch self {
        case .cut: "the answer was cut off"
        case .crossed: "the answer is not well formed"
        }
    }
}
