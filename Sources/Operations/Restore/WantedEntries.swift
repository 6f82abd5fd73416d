import Files
import WireFormat

/// Which files of a catalog, or members of an archive, come back, and under which names.
struct WantedEntries {
    private let patterns: [PathPattern]
    /// What becomes the target, with a slash at its end.
    private let top: [UInt8]?
    /// Of files that are not wanted under their first name, with which their content stands, but under
    /// another: the first that is.
    private var heirs: [[UInt8]: [UInt8]] = [:]

    /// - Parameter entries: of the snapshot, from the beginning.
    init(_ request: RestoreRequest, _ entries: () throws -> CatalogReader) throws {
        patterns = request.include.map { PathPattern($0) }
        top = request.top.map { $0 + [UInt8(ascii: "/")] }
        guard !patterns.isEmpty else { return }
        var catalog = try entries()
        while let entry = try catalog.next() {
            guard let first = entry.hardLink, !patterns.choose(first), patterns.choose(entry.path),
                heirs[first] == nil
            else { continue }
            heirs[first] = entry.path
        }
    }

    /// Whether all come back.
    var areAll: Bool { patterns.isEmpty && top == nil }

    /// An entry as it comes back; nil where it does not, or does with another.
    func entry(_ found: CatalogEntry) -> CatalogEntry? {
        guard var entry = below(found) else { return nil }
        if let heir = heirs[entry.path] {
            entry.path = heir
        } else if !patterns.choose(entry.path)
            // An heir came with the content.
            || entry.hardLink.flatMap({ heirs[$0] }) == entry.path
        {
            return nil
        }
        entry.hardLink = entry.hardLink.map { heirs[$0] ?? $0 }
        return entry
    }

    /// An entry as it is seen from the top; nil where it lies elsewhere.
    private func below(_ entry: CatalogEntry) -> CatalogEntry? {
        guard let top else { return entry }
        guard entry.path.starts(with: top), entry.hardLink?.starts(with: top) ?? true else {
            return nil
        }
        var moved = entry
        moved.path.removeFirst(top.count)
        moved.hardLink?.removeFirst(top.count)
        return moved
    }
}
