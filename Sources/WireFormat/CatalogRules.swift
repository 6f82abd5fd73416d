/// Holds the entries of a catalog against each other (docs/format.md, section 11): a path appears
/// once, nothing lies below what is no directory, and a hard link is another name of an earlier
/// entry that is itself none. Whoever restores may then follow a link without walking in a circle
/// or out of its target.
///
/// A directory that comes behind what lies in it is let pass: it restores just as well.
///
/// Of a path only its `PathName` is kept, some 40 bytes: a catalog may have millions.
package struct CatalogRules {
    /// What is known of a path.
    private enum Place: Equatable {
        case entry(kind: UInt8)
        case link
        /// Something lies below it.
        case parent
    }

    private var places: [PathName: Place] = [:]
    private let what: String

    /// - Parameter what: the catalog's name for errors.
    package init(what: String) { self.what = what }

    /// Takes the next entry in, or refuses it.
    package mutating func add(_ entry: CatalogEntry) throws(WireError) {
        let path = entry.path[...]
        for end in path.indices where path[end] == UInt8(ascii: "/") {
            let parent = PathName(path[..<end])
            switch places[parent] {
            case nil: places[parent] = .parent
            case .parent, .entry(kind: Self.directory): continue
            default: throw malformed("an entry lies below what is no directory")
            }
        }
        if let link = entry.hardLink {
            guard entry.kind != Self.directory,
                places[PathName(link[...])] == .entry(kind: entry.kind)
            else { throw malformed("a hard link names no earlier file") }
        }
        let own = PathName(path)
        let place = places[own]
        guard place == nil || (place == .parent && entry.kind == Self.directory) else {
            throw malformed("a path appears twice")
        }
        places[own] = entry.hardLink == nil ? .entry(kind: entry.kind) : .link
    }

    private static let directory: UInt8 = 2

    private func malformed(_ rule: String) -> WireError {
        .malformed("\(what) is malformed: \(rule)")
    }
}
