import CLinux
import Chunking
import Faults
import Files
import PackStore
import Snapshots
import Vault
import WireFormat

extension AddRun {
    /// Saves files and directories: their content one after the other as the data stream, the rest
    /// in the catalog.
    func saveFiles(_ selection: FileSelection) throws -> AddOutcome {
        guard !selection.paths.isEmpty else { throw OperationError.nothingToAdd }
        let began = ContinuousClock.now
        let workers = vault.surroundings.workers
        let data = try StreamWriter(
            .data, .data, rule: .general(vault.config.generalCutting, number: 3), context, store,
            workers: workers, parent: parentList(.data))
        let catalog = try MetadataWriter(.catalog, rule: rule(isText: false), context, store)
        defer {
            data.stop()
            catalog.stop()
        }
        var saver = FileSaver(
            data, catalog, vault.surroundings, bytesNew: { [store] in store.bytesNew })
        var problems: [String] = []
        try FileWalk(selection, vault.surroundings).run({ try saver.save($0) }) { _, error in
            problems.append(explanation(of: error))
        }
        problems = saver.problems + problems
        let count = saver.count
        guard count > 0 else { throw OperationError.nothingToAdd }

        var head = try draftHead(
            completeness: saver.isComplete && problems.count == saver.changed
                ? .complete : .incomplete, evidence: .none)
        head.bytesRead = data.byteCount
        head.format = "files"
        if let shrunk = try markShrunk(&head) { problems.append(shrunk) }
        var streams: [Manifest.Stream] = []
        let content = try data.finish()
        if content.byteCount > 0 { streams.append(content) }
        streams.append(try catalog.finish())
        let facts = Manifest.Facts(notes: ["\(count) files and directories"] + problems.prefix(100))
        let (snapshot, published) = try publish(
            Manifest(head: head, facts: facts, streams: streams))
        return AddOutcome(
            snapshot: snapshot, manifest: published, chunks: data.chunkCount,
            chunksNew: store.chunksNew,
            deltas: store.deltas, seconds: began.elapsedSeconds,
            notes: problems,
            reservations: problems + damageNotes, exitStatusKnown: true)
    }
}

/// Saves what a walk finds, file by file.
private struct FileSaver {
    private let data: StreamWriter
    private let catalog: MetadataWriter
    private let surroundings: Surroundings
    private let bytesNew: () -> Int
    private var attributes: FileAttributes
    private(set) var problems: [String] = []
    /// Files that changed while they were read: saved, with that note.
    private(set) var changed = 0
    private(set) var isComplete = true
    private(set) var count = 0

    /// Smaller files share chunks: one each would cost more in names than in content.
    private static let ownChunkBytesMin = 8 << 10

    init(
        _ data: StreamWriter, _ catalog: MetadataWriter, _ surroundings: Surroundings,
        bytesNew: @escaping () -> Int
    ) {
        self.data = data
        self.catalog = catalog
        self.surroundings = surroundings
        self.bytesNew = bytesNew
        attributes = FileAttributes(surroundings)
    }

    mutating func save(_ found: FoundFile) throws {
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
        var entry = try attributes.entry(found)
        if found.status.kind == .file && entry.hardLink == nil { try saveContent(&entry, found) }
        try catalog.write(entry.bytes)
        count += 1
        surroundings.progress(Progress(bytes: data.byteCount, bytesNew: bytesNew()))
    }

    private mutating func saveContent(_ entry: inout CatalogEntry, _ found: FoundFile) throws {
        let file: Descriptor
        do {
            file = try Descriptor(
                found.path, flags: repo_read_once_flags(), mode: 0, calls: surroundings.systemCalls,
                action: "read")
        } catch {
            unreadable(&entry, error)
            return
        }
        let isLarge = found.status.st_size >= Self.ownChunkBytesMin
        if isLarge { try data.cutHere() }
        let before = data.byteCount
        do {
            let status = try file.status()
            guard status.kind == .file else { throw FileError("read", found.path, code: EINVAL) }
            try copy(file, Int(status.st_size), &entry)
            let after = try file.status()
            if after.st_size != status.st_size || after.st_mtim.tv_sec != status.st_mtim.tv_sec
                || after.st_mtim.tv_nsec != status.st_mtim.tv_nsec
                || data.byteCount - before != Int(status.st_size)
            {
                entry.reservation = .changedWhileRead
                problems.append("\(found.path) changed while it was read")
                changed += 1
            }
        } catch let error as FileError {
            // What was read of it stays in the stream and is its content as far as it goes.
            unreadable(&entry, error)
        }
        entry.byteCount = data.byteCount - before
        if isLarge { try data.cutHere() }
    }

    private mutating func unreadable(_ entry: inout CatalogEntry, _ error: FileError) {
        entry.reservation = .unreadable
        isComplete = false
        problems.append(error.message)
    }

    /// Reads a file from its first byte to its end; holes are not read but known to be zeros.
    private func copy(_ file: borrowing Descriptor, _ size: Int, _ entry: inout CatalogEntry) throws
    {
        var position = 0
        while true {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            let hole = try position < size ? holeAt(position, file, size) : nil
            if let hole {
                entry.holes.append(hole)
                try data.writeZeros(hole.count)
                position = hole.upperBound
                continue
            }
            let end = try position < size ? nextHole(from: position, file, size) : Int.max
            let room = try data.room()
            let wanted = min(room.count, end - position)
            let count = try file.read(
                at: position, into: UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
            if count == 0 { return }
            data.took(count)
            position += count
            surroundings.progress(Progress(bytes: data.byteCount, bytesNew: bytesNew()))
        }
    }

    /// The hole that begins at `position`, if one does.
    private func holeAt(_ position: Int, _ file: borrowing Descriptor, _ size: Int) throws -> Range<
        Int
    >? {
        guard let next = try? file.seek(repo_seek_data(), from: position) ?? size else {
            return nil
        }
        return next > position ? position..<min(next, size) : nil
    }

    /// Where the data at `position` ends.
    private func nextHole(from position: Int, _ file: borrowing Descriptor, _ size: Int) throws
        -> Int
    {
        guard let next = try? file.seek(repo_seek_hole(), from: position) else { return Int.max }
        // At the size itself there is always a hole; a file that grows is read to its end.
        return next >= size ? Int.max : max(next, position + 1)
    }
}
