import CLinux
import DumpFormats
import Files
import Snapshots
import Vault
import WireFormat

/// Writes a snapshot's stream, or one of its files, to a descriptor.
/// - Returns: how many bytes were written, each verified before.
package func writeStream(
    of snapshot: Snapshot, member: Path?, to descriptor: Int32, from vault: Vault
) throws -> Int {
    let reader = try SnapshotReader(snapshot, vault)
    let output = Output(descriptor, path: "standard output", isSparse: false, vault.surroundings)
    if let member {
        try copyMember(member, of: reader, to: output)
    } else {
        let stream = try reader.stream(.data)
        guard reader.manifest.stream(.catalog) == nil else {
            throw OperationError.notAStream(
                snapshot.id.short, what: "files: say which, or use repo restore")
        }
        try copyStream(stream, of: reader, to: output, vault.surroundings)
    }
    try output.finish()
    return output.byteCount
}

func copyStream(
    _ stream: Manifest.Stream, of reader: SnapshotReader, to output: Output,
    _ surroundings: Surroundings
) throws {
    let parts = try reader.read(stream)
    while let part = try parts.part() {
        try output.write(part)
        surroundings.progress(Progress(bytes: output.byteCount, bytesTotal: stream.byteCount))
    }
}

private func copyMember(_ path: Path, of reader: SnapshotReader, to output: Output) throws {
    if reader.manifest.stream(.members) != nil {
        return try copyArchiveMember(path, of: reader, to: output)
    }
    guard reader.manifest.stream(.catalog) != nil else {
        throw OperationError.noSuchMember(
            "\(path)", of: reader.snapshot.id.short, why: "it holds a stream, not files")
    }
    var catalog = try reader.catalog()
    var wanted = path.bytes
    while let entry = try catalog.next() {
        if entry.path == wanted, let link = entry.hardLink {
            // The content stands with the first name, which came before and is no link.
            wanted = link
            catalog = try reader.catalog()
            continue
        }
        if entry.path == wanted {
            guard entry.kind == FileKind.file.rawValue else {
                throw OperationError.notAStream("\(path)", what: "no bytes: it is no regular file")
            }
            if entry.byteCount > 0 {
                let start = catalog.contentStart
                let stream = try reader.stream(.data)
                var proof = FileProof(stream, snapshot: reader.snapshot.id.short)
                try StreamCursor(stream, reader).read(start..<(start + entry.byteCount)) {
                    proof?.take($0)
                    try output.write($0)
                }
                try proof?.end(entry)
            }
            return
        }
    }
    if let whole = try onlyPath(endingWith: path, of: reader) {
        return try copyMember(whole, of: reader, to: output)
    }
    throw OperationError.noSuchMember("\(path)", of: reader.snapshot.id.short, why: nil)
}

/// The one file whose path ends like this; nil where there is none, or more than one. The top of a
/// directory that was saved is known by its last names.
private func onlyPath(endingWith ending: Path, of reader: SnapshotReader) throws -> Path? {
    var catalog = try reader.catalog()
    let wanted = [UInt8(ascii: "/")] + ending.bytes
    var found: [[UInt8]] = []
    while let entry = try catalog.next(), found.count < 2 {
        if entry.path.count > wanted.count, entry.path.suffix(wanted.count).elementsEqual(wanted) {
            found.append(entry.path)
        }
    }
    return found.count == 1 ? Path(bytes: found[0]) : nil
}

private func copyArchiveMember(
    _ path: Path, of reader: SnapshotReader, to output: Output
) throws {
    var contents: [[UInt8]: CatalogEntry] = [:]
    var members = try reader.members()
    while let entry = try members.next() {
        guard entry.path == path.bytes else {
            if entry.kind == FileKind.file.rawValue { contents[entry.path] = entry }
            continue
        }
        guard let file = entry.hardLink.map({ contents[$0] }) ?? entry,
            file.kind == FileKind.file.rawValue
        else {
            throw OperationError.notAStream("\(path)", what: "no bytes: it is no regular file")
        }
        try copy(file, of: reader, to: output)
        return
    }
    throw OperationError.noSuchMember("\(path)", of: reader.snapshot.id.short, why: nil)
}

/// Copies the content of a member, its holes as zeros: of the stream only what is needed.
private func copy(_ file: CatalogEntry, of reader: SnapshotReader, to output: Output) throws {
    var written = 0
    func fill(to offset: Int) throws {
        if offset > written { try output.write(.zeros(offset - written)) }
        written = offset
    }
    if !file.pieces.isEmpty {
        let cursor = try StreamCursor(try reader.stream(.data), reader)
        for (stream, offset) in file.pieces {
            try fill(to: offset)
            try cursor.read(stream) { try output.write($0) }
            written += stream.count
        }
    }
    try fill(to: file.byteCount)
}

/// Restores a snapshot to a place.
package struct RestoreRequest: Sendable {
    package var snapshot: Snapshot
    package var target: Path
    package var include: [String]
    package var overwrite: Bool
    /// Whether what is there is compared, and only what differs is written.
    package var inPlace: Bool
    /// Whether, in place, what the snapshot does not have is removed.
    package var deletes: Bool
    /// Of files: the directory that becomes the target, what lies outside is left out; nil for all.
    package var top: [UInt8]?
    /// Whether what is damaged comes back as zeros, and is told.
    package var allowsDamage = false
    /// Whether a physical backup is made a data directory, with all that it needs.
    package var prepares = false
    /// The program that does it; nil to look for it.
    package var prepareWith: Path?

    package init(
        snapshot: Snapshot, target: Path, include: [String] = [], overwrite: Bool = false,
        inPlace: Bool = false, deletes: Bool = false
    ) {
        self.snapshot = snapshot
        self.target = target
        self.include = include
        self.overwrite = overwrite
        self.inPlace = inPlace
        self.deletes = deletes
    }
}

package struct RestoreOutcome: Sendable {
    package let path: Path
    package let bytes: Int
    package let files: Int
    package let notes: [String]
    package let seconds: Double
    /// In place: how many bytes were compared, and how many of them written.
    package var inPlace: (compared: Int, written: Int)?
    /// What is damaged and came back as zeros, and what of that is in which file, member or table. Of a damaged
    /// catalog, or list of members, what it did not tell did not come back.
    package var losses: [Loss] = []
    package var damagedParts: [DamagedPart] = []
}

package func restore(_ request: RestoreRequest, from vault: Vault) throws -> RestoreOutcome {
    let began = ContinuousClock.now
    if request.prepares {
        let prepared = try PreparedRestore(request, vault).run()
        return RestoreOutcome(
            path: request.target, bytes: prepared.bytes, files: prepared.count,
            notes: prepared.notes, seconds: began.elapsedSeconds)
    }
    let losses = request.allowsDamage ? Losses() : nil
    let reader = try SnapshotReader(request.snapshot, vault, losses: losses)
    func outcome(_ path: Path, bytes: Int, files: Int, notes: [String]) throws -> RestoreOutcome {
        var outcome = RestoreOutcome(
            path: path, bytes: bytes, files: files, notes: notes, seconds: began.elapsedSeconds)
        if let losses, !losses.isEmpty {
            let wanted = try WantedEntries(request) { try reader.entries(role) }
            outcome.damagedParts = try reader.parts(hitBy: losses, wanted: wanted)
            outcome.losses = losses.all
        }
        return outcome
    }
    let role = reader.manifest.stream(.catalog) != nil ? Manifest.Role.catalog : .members
    let holdsFiles =
        reader.manifest.stream(.catalog) != nil || reader.manifest.stream(.members) != nil
    if request.inPlace, holdsFiles {
        let files = try InPlaceRestore(request, reader, vault.surroundings).run()
        var result = try outcome(
            request.target, bytes: files.bytesWritten, files: files.count, notes: files.notes)
        result.inPlace = (files.bytesCompared, files.bytesWritten)
        return result
    }
    if reader.manifest.stream(.catalog) != nil {
        let files = try FilesRestore(request, reader, vault.surroundings).run()
        return try outcome(request.target, bytes: files.bytes, files: files.count, notes: files.notes)
    }
    if reader.manifest.stream(.members) != nil {
        let files = try MembersRestore(request, reader, vault.surroundings).run()
        return try outcome(request.target, bytes: files.bytes, files: files.count, notes: files.notes)
    }
    guard request.include.isEmpty else {
        throw OperationError.notAStream(
            request.snapshot.id.short, what: "one stream, of which no members are known")
    }
    if request.inPlace {
        let path = try filePath(request, reader, vault.surroundings)
        let counts = try restoreFileInPlace(path, reader, vault.surroundings)
        var result = try outcome(path, bytes: counts.written, files: 1, notes: [])
        result.inPlace = counts
        return result
    }
    let (path, bytes) = try restoreFile(request, reader, vault.surroundings)
    return try outcome(path, bytes: bytes, files: 1, notes: [])
}

/// A stream becomes one file: written beside its place under a name of its own, flushed, and only
/// then renamed, so that a file of that name is a whole one.
private func restoreFile(
    _ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings
) throws -> (Path, Int) {
    let directories = Directories(surroundings.systemCalls)
    let path = try filePath(request, reader, surroundings)
    if try directories.status(path) != nil && !request.overwrite {
        throw OperationError.alreadyThere("\(path)")
    }
    let temporary = Path("\(path).\(hexadecimal(try surroundings.randomBytes(6))).part")
    do {
        var file = try Descriptor(creating: temporary, calls: surroundings.systemCalls)
        let output = Output(file.number, path: path, isSparse: true, surroundings)
        try copyStream(try reader.stream(.data), of: reader, to: output, surroundings)
        try output.finish()
        try file.flush()
        try file.close()
        if request.overwrite {
            try directories.rename(temporary, to: path)
        } else {
            try directories.renameWithoutReplacing(temporary, to: path)
        }
        try directories.flush(path.parent)
        return (path, output.byteCount)
    } catch {
        try? directories.remove(temporary)
        throw error
    }
}

/// The file that a stream becomes: in a directory one of a fitting name.
private func filePath(
    _ request: RestoreRequest, _ reader: SnapshotReader, _ surroundings: Surroundings
) throws -> Path {
    let directories = Directories(surroundings.systemCalls)
    let isDirectory = try directories.statusFollowing(request.target)?.kind == .directory
    return isDirectory ? request.target / fileName(reader.manifest) : request.target
}

/// What a stream is called in a directory: `shop-logical-20261121-0416.sql`.
func fileName(_ manifest: Manifest) -> String {
    let head = manifest.head
    let series = head.series.replacing("/", with: "-")
    let format = head.format.flatMap { StreamFormat(rawValue: $0) } ?? .raw
    let inner = manifest.facts?.innerFormat.flatMap { StreamFormat(rawValue: $0) }
    let ending = [inner?.fileExtension, format.fileExtension].compactMap { $0 }.joined(
        separator: ".")
    return "\(series)-\(Times.compact(head.time)).\(ending)"
}
