import Files
import Vault
import WireFormat

/// What differs between the files of two snapshots, or the members of two archives.
///
/// The second's entries are walked in their order, the first's are looked up: both may have any
/// order. Memory is some 80 bytes an entry of the first, and a path for every file of the second
/// that has several names.
struct EntriesDiff {
    private let first: SnapshotReader
    private let second: SnapshotReader
    private let role: Manifest.Role
    private var outcome = DiffOutcome()

    /// - Parameter role: catalog or members, which both have.
    init(_ first: SnapshotReader, _ second: SnapshotReader, _ role: Manifest.Role) {
        self.first = first
        self.second = second
        self.role = role
    }

    consuming func run(_ body: (Difference) throws -> Void) throws -> DiffOutcome {
        var run = self
        try run.walk(body)
        return run.outcome
    }

    private mutating func walk(_ body: (Difference) throws -> Void) throws {
        let comparison = try ContentComparison(first, second)
        var known = try KnownEntries(first, role)
        var contents = try linkedContents()
        var catalog = try second.entries(role)
        let total = second.manifest.stream(.data)?.byteCount
        while let entry = try catalog.next() {
            if let signal = second.surroundings.stopRequested() {
                throw Interrupted(signal: signal)
            }
            let own = entry.content(at: catalog.contentStart, isMember: role == .members)
            if contents[entry.path] != nil { contents[entry.path] = own }
            let content = entry.hardLink.flatMap { contents[$0] } ?? own
            let found: Difference?
            if let (old, oldContent) = try known.take(entry.path) {
                found = try compare(old, oldContent, entry, content, comparison)
            } else {
                found = Difference(
                    subject: .path(entry.path), change: .added,
                    bytesAfter: Self.bytes(entry, content))
            }
            if let found {
                outcome.count(found.change)
                try body(found)
            } else {
                outcome.unchanged += 1
            }
            second.surroundings.progress(Progress(bytes: catalog.contentStart, bytesTotal: total))
        }
        try known.rest { entry, content in
            outcome.count(.removed)
            try body(
                Difference(
                    subject: .path(entry.path), change: .removed,
                    bytesBefore: Self.bytes(entry, content)))
        }
    }

    /// The files of the second that have several names, by the first; their content is filled in
    /// when the walk comes by.
    private func linkedContents() throws -> [[UInt8]: PlacedContent] {
        var contents: [[UInt8]: PlacedContent] = [:]
        var catalog = try second.entries(role)
        while let entry = try catalog.next() {
            if let first = entry.hardLink { contents[first] = .empty }
        }
        return contents
    }

    private func compare(
        _ old: CatalogEntry, _ oldContent: PlacedContent, _ new: CatalogEntry,
        _ newContent: PlacedContent, _ comparison: ContentComparison
    ) throws -> Difference? {
        let metadata = Self.aspects(old, new)
        var change: Difference.Change?
        if !metadata.isEmpty { change = .metadata }
        if try old.kind != new.kind || !comparison.areEqual(oldContent, newContent) {
            change = .content
        }
        return change.map {
            Difference(
                subject: .path(new.path), change: $0, bytesBefore: Self.bytes(old, oldContent),
                bytesAfter: Self.bytes(new, newContent), metadata: metadata)
        }
    }

    /// Only files have a length.
    private static func bytes(_ entry: CatalogEntry, _ content: PlacedContent) -> Int? {
        entry.kind == FileKind.file.rawValue ? content.byteCount : nil
    }

    /// What differs beside the content. When the kernel noted a change, and where a file lies on its
    /// disk, is nothing that a restore would bring back.
    private static func aspects(_ a: CatalogEntry, _ b: CatalogEntry) -> [Difference.Aspect] {
        let differ: [(Difference.Aspect, Bool)] = [
            (.kind, a.kind != b.kind), (.mode, a.mode != b.mode),
            (
                .owner,
                (a.user, a.group) != (b.user, b.group)
                    || (a.userName, a.groupName) != (b.userName, b.groupName)
            ),
            (.time, a.modified != b.modified), (.target, a.linkTarget != b.linkTarget),
            (.link, a.hardLink != b.hardLink),
            (
                .device,
                a.special?.major != b.special?.major || a.special?.minor != b.special?.minor
            ),
            (.attributes, a.attributes != b.attributes),
            (.reservation, a.reservation != b.reservation),
        ]
        return differ.filter { $0.1 }.map { $0.0 }
    }
}
