import PackStore
import Snapshots
import Vault
import WireFormat
import Workers

/// Everything a snapshot's manifest says.
package func readManifest(of snapshot: Snapshot, in vault: Vault) throws -> Manifest {
    try SnapshotStore(vault.requiredContext(snapshot.domain)).manifest(
        snapshot.id, expecting: snapshot.head)
}

/// The tables of a dump with their ranges of bytes; empty where none are known.
package func readTables(of snapshot: Snapshot, in vault: Vault) throws -> [TableEntry] {
    try SnapshotReader(snapshot, vault).tables()
}

/// The files of a snapshot, in the order of its catalog.
package func readCatalog(
    of snapshot: Snapshot, in vault: Vault, _ body: (CatalogEntry) throws -> Void
) throws {
    let reader = try SnapshotReader(snapshot, vault)
    guard reader.manifest.stream(.catalog) != nil else { return }
    var catalog = try reader.catalog()
    while let entry = try catalog.next() { try body(entry) }
}

/// The members of the archive that a snapshot's stream is, in the order of their appearance.
package func readMembers(
    of snapshot: Snapshot, in vault: Vault, _ body: (CatalogEntry) throws -> Void
) throws {
    var members = try SnapshotReader(snapshot, vault).members()
    while let member = try members.next() { try body(member) }
}

extension SnapshotReader {
    /// The tables of a dump; empty where none are known.
    func tables() throws -> [TableEntry] {
        guard let stream = manifest.stream(.tables) else { return [] }
        let what = "the tables of snapshot \(snapshot.id.short)"
        var entries = EntryReader(try read(stream), what: what)
        var tables: [TableEntry] = []
        while let bytes = try entries.next() { tables.append(try TableEntry(bytes, what: what)) }
        return tables
    }

    /// The entries of a catalog, or the members of an archive.
    func entries(_ role: Manifest.Role) throws -> CatalogReader {
        role == .members ? try members() : try catalog()
    }

    func catalog() throws -> CatalogReader {
        let stream = try stream(.catalog)
        return CatalogReader(
            try read(stream), snapshot: snapshot, byteCount: stream.byteCount, losses: losses)
    }

    func members() throws -> CatalogReader {
        guard let stream = manifest.stream(.members) else {
            throw OperationError.notAStream(
                snapshot.id.short, what: "one stream, of which no members are known")
        }
        return CatalogReader(
            try read(stream), snapshot: snapshot, byteCount: stream.byteCount, areMembers: true,
            losses: losses)
    }
}

/// Takes a catalog apart while it is read, and holds its entries against each other.
struct CatalogReader {
    private var entries: EntryReader
    private var rules: CatalogRules
    private let what: String
    private let areMembers: Bool
    private let byteCount: Int
    private let losses: Losses?

    /// - Parameters:
    ///   - areMembers: of an archive.
    ///   - losses: collects what cannot be read, where that is no error: an entry tells where the next one
    ///     begins, so nothing is known of those behind it.
    init(
        _ stream: StreamReader, snapshot: Snapshot, byteCount: Int, areMembers: Bool = false,
        losses: Losses? = nil
    ) {
        self.areMembers = areMembers
        self.byteCount = byteCount
        self.losses = losses
        what = "the \(areMembers ? "members" : "catalog") of snapshot \(snapshot.id.short)"
        entries = EntryReader(stream, what: what)
        rules = CatalogRules(what: what)
    }

    /// Where in its stream the next entry begins.
    var position: Int { entries.position }
    /// Where in the data stream the content of the last entry begins; of members their own ranges
    /// tell.
    private(set) var contentStart = 0
    private var contentEnd = 0

    mutating func next() throws -> CatalogEntry? {
        guard let losses else { return try read() }
        let start = entries.position
        let role = areMembers ? Manifest.Role.members : .catalog
        do {
            let entry = try read()
            // What zeros stand in may look like an entry.
            if losses.lost(role, in: start..<entries.position).isEmpty { return entry }
        } catch  where isDamage(error) {}
        losses.add(role, start..<byteCount)
        return nil
    }

    private mutating func read() throws -> CatalogEntry? {
        guard let bytes = try entries.next() else { return nil }
        let entry = try CatalogEntry(bytes, what: what, isMember: areMembers)
        try rules.add(entry)
        contentStart = contentEnd
        let (end, overflow) = contentStart.addingReportingOverflow(entry.byteCount)
        guard !overflow else {
            throw WireError.malformed("\(what) is malformed: its files are too long")
        }
        contentEnd = end
        return entry
    }
}

/// Entries that stand one after the other in a stream, each a length and so many bytes.
struct EntryReader {
    /// Gives the next part of the stream; nil at its end.
    private let part: () throws -> StreamPart?
    private let what: String
    private var bytes: [UInt8] = []
    private var offset = 0
    /// Where in the stream `bytes` begin.
    private var start: Int
    private var isAtEnd = false

    /// Where in the stream the next entry begins.
    var position: Int { start + offset }

    init(_ stream: StreamReader, what: String) {
        self.init(what: what) { try stream.part() }
    }

    /// - Parameter position: where in the stream the first part begins, which is an entry's beginning.
    init(at position: Int = 0, what: String, part: @escaping () throws -> StreamPart?) {
        self.part = part
        start = position
        self.what = what
    }

    /// The bytes of the next entry, without its length.
    mutating func next() throws -> [UInt8]? {
        try fill(10)
        guard offset < bytes.count else { return nil }
        var reader = ByteReader(bytes, in: offset..<bytes.count, what: what)
        let count = try reader.count(atMost: Limits.catalogEntryBytes)
        let start = reader.offset
        offset = start
        try fill(count)
        guard offset + count <= bytes.count else {
            throw reader.malformed("it ends within an entry")
        }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    /// Sees to it that so many bytes are at hand, if there are.
    private mutating func fill(_ count: Int) throws {
        while bytes.count - offset < count && !isAtEnd {
            guard let part = try part() else {
                isAtEnd = true
                return
            }
            bytes.removeFirst(offset)
            start += offset
            offset = 0
            switch part {
            case .bytes(let slice): slice.withBytes { bytes.append(contentsOf: $0) }
            case .zeros(let count):
                guard count <= Limits.catalogEntryBytes else {
                    throw WireError.malformed("\(what) is malformed: it holds a run of zeros")
                }
                bytes.append(contentsOf: repeatElement(0, count: count))
            }
        }
    }
}
