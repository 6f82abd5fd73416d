/// What means one series or many: `shop`, `shop/*`, `*` (docs/format.md, section 13).
package struct SeriesPattern: Hashable, Sendable {
    package let text: String
    private let bytes: [UInt8]

    package init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    private static let any = UInt8(ascii: "*")
    private static let one = UInt8(ascii: "?")

    /// Whether it means one series by its very name.
    package var isName: Bool { !bytes.contains { $0 == Self.any || $0 == Self.one } }

    /// `*` stands for any characters, slashes too; `?` for one.
    /// - Complexity: the lengths of both multiplied, at most.
    package func matches(_ series: String) -> Bool {
        // By scalars, so that `?` is a character and not a byte of one.
        let (pattern, name) = (Array(text.unicodeScalars), Array(series.unicodeScalars))
        var (p, n) = (0, 0)
        // Where the last star stands, and how far it reaches so far.
        var star: (p: Int, n: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = star {
                star = (last.p, last.n + 1)
                (p, n) = (last.p + 1, last.n + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }

    /// Whether it says more than the other of the series that both mean.
    package func isMoreSpecific(than other: SeriesPattern) -> Bool {
        if isName != other.isName { return isName }
        if prefixCount != other.prefixCount { return prefixCount > other.prefixCount }
        if literalCount != other.literalCount { return literalCount > other.literalCount }
        return bytes.lexicographicallyPrecedes(other.bytes)
    }

    private var prefixCount: Int {
        text.unicodeScalars.prefix { $0 != "*" && $0 != "?" }.count
    }

    private var literalCount: Int {
        text.unicodeScalars.reduce(0) { $0 + ($1 == "*" || $1 == "?" ? 0 : 1) }
    }
}
