import CLinux
import Files
import PackStore
import Sealing
import Vault
import WireFormat
import Workers

/// Saves what a walk finds, file by file.
struct FileSaver: ~Copyable {
    private let data: StreamWriter
    private let catalog: MetadataWriter
    private var parent: ParentFiles?
    private let surroundings: Surroundings
    private let bytesNew: () -> Int
    private var attributes: FileAttributes
    private(set) var problems: [String] = []
    /// Files that changed while they were read: saved, with that note.
    private(set) var changed = 0
    private(set) var isComplete = true
    private(set) var count = 0
    /// Files that were taken over from the parent.
    private(set) var unchanged = 0

    /// Entries on their way into the catalog, oldest first: the checksum of a file comes later.
    private var pending: [Pending] = []
    private var sums: StreamChecksum
    private var checksums: [[UInt8]] = []

    private struct Pending {
        var entry: CatalogEntry
        let waits: Bool
    }

    /// Smaller files share chunks: one each would cost more in names than in content.
    private static let ownChunkBytesMin = 8 << 10
    /// Longer files of which the parent's chunks cannot be relied on are read from the disk.
    private static let copiedBytesMax = 1 << 20

    var hasParent: Bool { parent != nil }

    /// - Parameters:
    ///   - parent: whose files need not be read again; nil to read everything.
    ///   - key: of the checksums.
    init(
        _ data: StreamWriter, _ catalog: MetadataWriter, _ parent: ParentFiles?, key: [UInt8],
        _ surroundings: Surroundings, bytesNew: @escaping () -> Int
    ) {
        self.data = data
        self.catalog = catalog
        self.parent = parent
        sums = StreamChecksum(key: key)
        self.surroundings = surroundings
        self.bytesNew = bytesNew
        attributes = FileAttributes(surroundings)
    }

    mutating func save(_ found: FoundFile) throws {
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
        var entry = try attributes.entry(found)
        if found.status.kind == .file && entry.hardLink == nil, try !takeOver(&entry, found.status) {
            try saveContent(&entry, found)
        }
        let waits = entry.byteCount > 0 && entry.checksum == nil
        pending.append(Pending(entry: entry, waits: waits))
        try writePending()
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
        if entry.byteCount > 0 { try data.endFile() }
        if isLarge { try data.cutHere() }
    }

    /// Takes a file that did not change over from the parent.
    private mutating func takeOver(_ entry: inout CatalogEntry, _ status: stat) throws -> Bool {
        guard let (known, content) = parent?.unchanged(entry, status) else { return false }
        let isLarge = known.byteCount >= Self.ownChunkBytesMin
        if isLarge, try takeOverList(content) {
            entry.checksum = known.checksum
        } else {
            guard try copy(content, isLarge: isLarge) else { return false }
        }
        entry.byteCount = known.byteCount
        entry.holes = known.holes
        unchanged += 1
        return true
    }

    /// Takes over what the parent's list says of a file.
    private mutating func takeOverList(_ content: Range<Int>) throws -> Bool {
        // First whether all of it is there: what is in the stream cannot be taken back.
        guard try parent?.entries(of: content, { data.canTakeOver($0) }) == true else {
            return false
        }
        try data.cutHere()
        let isWhole = try parent?.entries(of: content) {
            try data.takeOver($0)
            return true
        }
        guard isWhole == true else {
            throw WireError.malformed("the list of the parent changed while it was read")
        }
        return true
    }

    /// Copies a file's bytes from the parent: small ones share chunks with their neighbors, and must be
    /// cut anew.
    private mutating func copy(_ content: Range<Int>, isLarge: Bool) throws -> Bool {
        guard !content.isEmpty else { return true }
        guard content.count <= Self.copiedBytesMax,
            let pieces = parent?.bytes(of: content)
        else { return false }
        if isLarge { try data.cutHere() }
        for piece in pieces {
            switch piece {
            case .bytes(let slice): try slice.withBytes { try data.write($0) }
            case .zeros(let count): try data.writeZeros(count)
            }
        }
        try data.endFile()
        if isLarge { try data.cutHere() }
        return true
    }

    /// Hands on the entries of which all is known.
    private mutating func writePending() throws {
        checksums += data.takeFileChecksums()
        var done = 0
        var used = 0
        while done < pending.count {
            if pending[done].waits {
                guard used < checksums.count else { break }
                pending[done].entry.checksum = checksums[used]
                used += 1
            }
            let entry = pending[done].entry
            if entry.byteCount > 0, let checksum = entry.checksum {
                checksum.withUnsafeBytes { sums.update($0) }
            }
            try catalog.write(entry.bytes)
            done += 1
        }
        pending.removeFirst(done)
        checksums.removeFirst(used)
    }

    /// All was found: the stream of the files' content. The saver is used up.
    mutating func finish(_ key: [UInt8]) throws -> Manifest.Stream {
        var stream = try data.finish()
        try writePending()
        stream.sumsFiles = true
        var used = StreamChecksum(key: key)
        swap(&used, &sums)
        stream.checksum = used.finish()
        return stream
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
