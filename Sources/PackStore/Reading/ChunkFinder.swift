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
    private let view: View

    /// What is known of the packs. A prune may move what is in them while they are read.
    ///
    /// A class: finders of several snapshots share it.
    private final class View: Sendable {
        struct State {
            /// The packs that were there when they were listed last; nil where nobody listed them.
            var existing: Set<ObjectID>?
            /// Packs by the envelopes they hold messages of; asked for when a delta first needs it.
            var holders: [ObjectID: [ObjectID]]?
            /// How often they were looked at anew.
            var generation = 0
            /// Whether the local index was already read through for damage of its own.
            var isIndexProven: Bool
            /// Whether what is missing is looked for anew.
            var follows = false
        }
        let state: Mutex<State>

        init(existing: Set<ObjectID>?, isIndexProven: Bool) {
            state = Mutex(State(existing: existing, isIndexProven: isIndexProven))
        }
    }

    /// - Parameters:
    ///   - inline: what a manifest carries itself.
    ///   - known: directories of packs that need not be read again.
    ///   - existing: the packs that are there; nil where that was not looked at.
    ///   - doubtsIndex: whether what is not found makes the local index be read through for damage.
    package init(
        _ context: DomainContext, _ index: ChunkIndex, inline: OpenDirectory? = nil,
        known: [ObjectID: OpenDirectory] = [:], existing: Set<ObjectID>? = nil,
        doubtsIndex: Bool = true
    ) {
        view = View(existing: existing, isIndexProven: !doubtsIndex)
        self.context = context
        self.index = index
        self.inline = inline
        directories = PackDirectories(context, known: known)
    }

    /// One that looks into another manifest as well, and shares the directories that were read.
    package init(sharing other: ChunkFinder, inline: OpenDirectory?) {
        view = other.view
        context = other.context
        index = other.index
        directories = other.directories
        self.inline = inline
    }

    /// Keeps a directory that was read elsewhere.
    package func keep(_ pack: ObjectID, _ directory: PackDirectory) {
        _ = directories.keep(pack, directory)
    }

    /// The directory of a pack.
    package func directory(of pack: ObjectID) throws -> OpenDirectory {
        try directories.directory(of: pack)
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
        while true {
            let seen = generation
            var failure: any Error = LostChunk(id: id)
            do {
                if let found = try look(id, notIn: bad) { return found }
            } catch {
                failure = error
            }
            // It may have been moved since, or be lost to a damaged file of the local index only.
            guard try reload(after: seen) else { throw failure }
        }
    }

    /// Counts how often what is stored was looked at anew.
    var generation: Int { view.state.withLock { $0.generation } }

    /// Looks anew at what is stored: where something is missing that was there, a prune has moved it.
    /// - Parameter seen: the generation that lacks something.
    /// - Returns: whether there is something to be seen now that was not there then.
    func reload(after seen: Int) throws -> Bool {
        try view.state.withLock { state in
            // Another thread has just done it.
            guard state.generation == seen else { return true }
            guard state.follows || !state.isIndexProven else { return false }
            guard state.generation < Self.reloadsMax else { return false }
            let wasDamaged = state.isIndexProven ? false : try index.dropDamaged()
            state.isIndexProven = true
            let existing = try IndexKeeper(context, index).refresh { _, _ in }
            let isOther = state.existing.map { $0 != existing } ?? false
            if state.follows { state.existing = existing }
            state.holders = nil
            guard isOther || wasDamaged else { return false }
            state.generation += 1
            return true
        }
    }

    /// Prunes that move what is being read come rarely: this many, and something is wrong.
    private static let reloadsMax = 1000

    /// Where the chunk lies in a frame that will do, if there is one.
    func find(_ id: ChunkID, where isUsable: (ChunkPlace) -> Bool) -> FoundChunk? {
        for place in index.places(of: id) where isThere(place.pack) && isUsable(place) {
            if let found = try? open(place, id) { return found }
        }
        return nil
    }

    private func look(_ id: ChunkID, notIn bad: Set<ObjectName>) throws -> FoundChunk? {
        var failure: (any Error)?
        for place in index.places(of: id)
        where !bad.contains(.pack(context.domain, place.pack)) && isThere(place.pack) {
            do {
                if let found = try open(place, id) { return found }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }

    private func open(_ place: ChunkPlace, _ id: ChunkID) throws -> FoundChunk? {
        let directory = try directories.directory(of: place.pack)
        guard place.frame < directory.frames.count,
            let chunk = directory.find(id, inFrame: place.frame)
        else { return nil }
        return FoundChunk(directory: directory, frame: place.frame, chunk: chunk)
    }

    private func isThere(_ pack: ObjectID) -> Bool {
        view.state.withLock { $0.existing?.contains(pack) ?? true }
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
    func indexHasGrown(by packs: [ObjectID]) {
        view.state.withLock { state in
            state.holders = nil
            state.existing?.formUnion(packs)
        }
    }

    /// From now on what is missing is looked for anew, because a prune may have moved it.
    /// - Parameter existing: the packs that are there.
    package func follow(_ existing: Set<ObjectID>) {
        view.state.withLock { state in
            state.existing = existing
            state.follows = true
        }
    }

    private func packs(holding envelope: ObjectID) -> [ObjectID] {
        view.state.withLock { state in
            let table = state.holders ?? index.outlines.holders
            state.holders = table
            let packs = table[envelope] ?? []
            return state.existing.map { existing in packs.filter { existing.contains($0) } } ?? packs
        }
    }
}
