import CLinux

/// A shell pattern that chooses files: `*.sql`, `var/log`, `**/cache`.
struct PathPattern: Sendable {
    private let text: String

    init(_ text: String) {
        var text = text[...]
        while text.hasSuffix("/") && text.count > 1 { text = text.dropLast() }
        self.text = String(text)
    }

    /// Whether the pattern means this path: as a whole, by its last component where the pattern has
    /// no slash, or through a directory it lies in.
    func matches(_ path: [UInt8]) -> Bool {
        let components = path.split(separator: UInt8(ascii: "/"))
        for count in stride(from: components.count, to: 0, by: -1) {
            let prefix = Array(components.prefix(count).joined(separator: [UInt8(ascii: "/")]))
            if fits(prefix) { return true }
            if !text.contains("/"), fits(Array(components[count - 1])) { return true }
        }
        return false
    }

    private func fits(_ bytes: [UInt8]) -> Bool {
        let anchored = text.hasPrefix("/") ? String(text.dropFirst()) : text
        return fnmatch(anchored, String(decoding: bytes, as: UTF8.self), 0) == 0
    }
}

extension [PathPattern] {
    /// Whether a path is among those that are wanted: all, where no pattern says which.
    func choose(_ path: [UInt8]) -> Bool { isEmpty || contains { $0.matches(path) } }
}
