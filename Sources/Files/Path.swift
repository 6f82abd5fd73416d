/// A path as the kernel sees it: bytes without NUL, not necessarily UTF-8.
package struct Path: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral,
    Comparable
{
    package let bytes: [UInt8]

    package init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
    package init(_ text: some StringProtocol) { bytes = Array(text.utf8) }
    package init(stringLiteral text: String) { self.init(text) }

    /// For people: bytes that are no UTF-8 are shown as U+FFFD.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (a: Path, b: Path) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

    /// Appends one or more components, with exactly one slash between.
    package static func / (parent: Path, child: Path) -> Path {
        if parent.bytes.isEmpty { return child }
        return Path(bytes: parent.bytes + (parent.bytes.last == slash ? [] : [slash]) + child.bytes)
    }

    package static func / (parent: Path, child: some StringProtocol) -> Path {
        parent / Path(child)
    }

    /// Everything before the last component; `.` for a bare name, `/` for the root.
    package var parent: Path {
        let trimmed = withoutTrailingSlashes
        guard let last = trimmed.lastIndex(of: Self.slash) else { return "." }
        return last == 0 ? "/" : Path(bytes: trimmed[..<last])
    }

    /// The last component; empty for the root.
    package var name: Path {
        let trimmed = withoutTrailingSlashes
        guard let last = trimmed.lastIndex(of: Self.slash) else { return Path(bytes: trimmed) }
        return Path(bytes: trimmed[(last + 1)...])
    }

    private var withoutTrailingSlashes: ArraySlice<UInt8> {
        var rest = bytes[...]
        while rest.count > 1, rest.last == Self.slash { rest.removeLast() }
        return rest
    }

    /// Calls `body` with the NUL-terminated bytes.
    package func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        (bytes + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }

    private static let slash = UInt8(ascii: "/")
}
