import Snapshots
import WireFormat

/// The entries of a catalog, or the members of an archive, by their paths, in whatever order they are
/// asked for.
///
/// Of each a hash of its path and two places are kept, some 80 bytes; the entry itself is read again
/// when it is asked for, which costs next to nothing where the order is the same.
struct KnownEntries {
    private struct Place {
        /// Of the entry, in its stream.
        let entry: Int
        /// Of its content, in the data stream; of members their entries tell.
        let data: Int
        var isTaken = false
    }

    private let reader: SnapshotReader
    private let role: Manifest.Role
    private let cursor: StreamCursor
    private var entries: EntryReader
    private var places: [PathName: Place] = [:]

    /// Reads the catalog or the members once.
    init(_ reader: SnapshotReader, _ role: Manifest.Role) throws {
        self.reader = reader
        self.role = role
        cursor = try StreamCursor(try reader.stream(role), reader)
        entries = Self.entries(at: 0, cursor, reader)
        var catalog = try reader.entries(role)
        var start = 0
        while let entry = try catalog.next() {
            places[PathName(entry.path)] = Place(entry: start, data: catalog.contentStart)
            start = catalog.position
        }
    }

    /// The entry of a path, and its content; each is given once.
    mutating func take(_ path: [UInt8]) throws -> (CatalogEntry, PlacedContent)? {
        let name = PathName(path)
        guard let place = places[name], !place.isTaken, let entry = try entry(place),
            entry.path == path
        else { return nil }
        places[name]?.isTaken = true
        guard let first = entry.hardLink else { return (entry, content(entry, place)) }
        // The content stands with the first name.
        guard let other = places[PathName(first)], let holder = try self.entry(other) else {
            return (entry, .empty)
        }
        return (entry, content(holder, other))
    }

    /// Calls `body` with what was not asked for, in order.
    func rest(_ body: (CatalogEntry, PlacedContent) throws -> Void) throws {
        var catalog = try reader.entries(role)
        while let entry = try catalog.next() {
            guard let place = places[PathName(entry.path)], !place.isTaken else { continue }
            try body(entry, content(entry, place))
        }
    }

    private func content(_ entry: CatalogEntry, _ place: Place) -> PlacedContent {
        entry.content(at: place.data, isMember: role == .members)
    }

    private mutating func entry(_ place: Place) throws -> CatalogEntry? {
        if entries.position != place.entry {
            entries = Self.entries(at: place.entry, cursor, reader)
        }
        return try entries.next().map {
            try CatalogEntry($0, what: Self.what(reader), isMember: role == .members)
        }
    }

    private static func entries(
        at position: Int, _ cursor: StreamCursor, _ reader: SnapshotReader
    ) -> EntryReader {
        cursor.move(to: position)
        return EntryReader(at: position, what: what(reader)) { try cursor.part() }
    }

    private static func what(_ reader: SnapshotReader) -> String {
        "the files of snapshot \(reader.snapshot.id.short)"
    }
}

extension CatalogEntry {
    /// Where its content stands in the data stream.
    /// - Parameter position: of a file of a catalog: the end of the one before.
    func content(at position: Int, isMember: Bool) -> PlacedContent {
        isMember
            ? PlacedContent(byteCount: byteCount, pieces: pieces)
            : PlacedContent(byteCount > 0 ? [position..<(position + byteCount)] : [])
    }
}
