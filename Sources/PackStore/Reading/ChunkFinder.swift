import ChunkIndex
import ObjectStorage
import Sealing
import Synchronization
import WireFormat

/// Where a chunk's bytes are to be found.
package struct FoundChunk: Sendable {
    package let directory: OpenDirectory
    /// Its frame and its own row, as the directory numbers them.
    package let frame: Int
    package let chunk: Int

    package init(directory: OpenDirectory, frame: Int, chunk: Int) {
        self.directory = directory
        self.frame = frame
        self.chunk = chunk
    }

    package var id: ChunkID { directory.chunks[chunk].id }
    package var byteCount: Int { Int(directory.chunks[chunk].byteCount) }
    /// Its place in the plaintext of its frame.
    package var range: Range<Int> {
        let start = Int(directory.chunks[chunk].start)
        return start..<(start + byteCount)
    }
}

/// Finds chunks and segments: in what a manifest carries itself, then in packs.
///
/// A class: readers on several threads share what one of them opened.
package final class ChunkFinder: Sendable {
    private let context: DomainContext
    private let index: ChunkIndex
    private let inline: OpenDirectory?
    private let directories: PackDirectories
    /// Whether the local index was already read through for damage of its own.
    private let isIndexProven: Mutex<Bool>
    /// Packs by the envelopes they hold messages of; asked for when a delta first needs it.
    private let holders = Mutex<[ObjectID: [ObjectID]]?>(nil)

    /// - Parameters:
    ///   - inline: what a manifest carries itself.
    ///   - known: directories of packs that need not be read again.
    ///   - doubtsIndex: whether what is not found makes the local index be read through for damage.
    package init(
        _ context: DomainContext, _ index: ChunkIndex, inline: OpenDirectory? = nil,
        known: [ObjectID: OpenDirectory] = [:], doubtsIndex: Bool = true
    ) {
        isIndexProven = Mutex(!doubtsIndex)
        self.context = context
        self.index = index
        self.inline = inline
        directories = PackDirectories(context, known: known)
    }

    /// One that looks into another manifest as well, and shares the directories that were read.
    package init(sharing other: ChunkFinder, inline: OpenDirectory?) {
        isIndexProven = Mutex(true)
        context = other.context
        index = other.index
        directories = other.directories
        self.inline = inline
    }

    /// Keeps a directory that was read elsewhere.
    package func keep(_ pack: ObjectID, _ directory: PackDirectory) {
        _ = directories.keep(pack, directory)
    }

    /// Where the chunk lies; throws where that is nowhere.
    /// - Parameters:
    ///   - before: the chunk before it in the stream: often it lies beside that.
    ///   - bad: packs that are known not to give it.
    package func find(
        _ id: ChunkID, after before: FoundChunk? = nil, notIn bad: Set<ObjectName> = []
    ) throws -> FoundChunk {
        if let before, let found = Self.next(before, id) { return found }
        if let inline, !bad.contains(inline.source.name), let found = Self.search(inline, for: id) {
            return found
        }
        if let found = try look(id, notIn: bad) { return found }
        // What the local index does not know may only be lost to a damaged file of its own.
        guard try proveIndex(), let found = try look(id, notIn: bad) else {
            throw LostChunk(id: id)
        }
        return found
    }

    /// Reads the local index through, once, and takes in anew what was damaged. False where nothing
    /// was.
    private func proveIndex() throws -> Bool {
        try isIndexProven.withLock { isProven in
            guard !isProven else { return false }
            isProven = true
            guard try index.dropDamaged() else { return false }
            _ = try IndexKeeper(context, index).refresh { _, _ in }
            holders.withLock { $0 = nil }
            return true
        }
    }

    private func look(_ id: ChunkID, notIn bad: Set<ObjectName>) throws -> FoundChunk? {
        var failure: (any Error)?
        for place in index.places(of: id) where !bad.contains(.pack(context.domain, place.pack)) {
            do {
                let directory = try directories.directory(of: place.pack)
                if place.frame < directory.frames.count,
                    let chunk = directory.find(id, inFrame: place.frame)
                {
                    return FoundChunk(directory: directory, frame: place.frame, chunk: chunk)
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// The chunk right behind another, if it is the one that is sought.
    private static func next(_ before: FoundChunk, _ id: ChunkID) -> FoundChunk? {
        let directory = before.directory
        let chunk = before.chunk + 1
        guard chunk < directory.chunks.count, directory.chunks[chunk].id == id else { return nil }
        let isSameFrame = chunk < directory.frames[before.frame].chunks.upperBound
        return FoundChunk(
            directory: directory, frame: isSameFrame ? before.frame : before.frame + 1, chunk: chunk
        )
    }

    private static func search(_ directory: OpenDirectory, for id: ChunkID) -> FoundChunk? {
        for frame in directory.frames.indices {
            if let chunk = directory.find(id, inFrame: frame) {
                return FoundChunk(directory: directory, frame: frame, chunk: chunk)
            }
        }
        return nil
    }

    /// Finds a segment by the name that deltas know it under.
    package func locate(_ name: PackDirectory.SegmentName) throws -> (
        directory: OpenDirectory, segment: Int
    ) {
        var failure: (any Error)?
        for pack in packs(holding: name.envelope) {
            do {
                let opened = try directories.directory(of: pack)
                if let segment = opened.segment(named: name) { return (opened, segment) }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        throw LostSegment(name: name)
    }

    /// Tells that the index knows packs that it did not know.
    func indexHasGrown() { holders.withLock { $0 = nil } }

    private func packs(holding envelope: ObjectID) -> [ObjectID] {
        holders.withLock { known in
            let table = known ?? index.outlines.holders
            known = table
            return table[envelope] ?? []
        }
    }
}
