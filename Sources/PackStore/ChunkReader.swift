import ChunkIndex
import ObjectStorage
import Sealing
import Synchronization
import WireFormat
import Workers

/// Where a chunk's bytes are to be found.
package struct FoundChunk: Sendable {
    package let id: ChunkID
    package let directory: OpenDirectory
    package let segment: Int
    package let frame: Int
    /// Its place in the frame.
    package let chunk: Int
    package let byteCount: Int
}

/// Finds chunks: in what a manifest carries itself, then in packs.
///
/// A class: readers on several threads share what one of them opened.
package final class ChunkFinder: SegmentLocating {
    private let context: DomainContext
    private let index: ChunkIndex
    private let inline: OpenDirectory?
    private let directories: PackDirectories
    /// Whether the local index was already read through for damage of its own.
    private let isIndexProven = Mutex(false)
    /// Packs by the envelopes they hold messages of; made when a delta first asks.
    private let envelopes = Mutex<[ObjectID: [ObjectID]]?>(nil)

    package init(_ context: DomainContext, _ index: ChunkIndex, inline: OpenDirectory? = nil) {
        self.context = context
        self.index = index
        self.inline = inline
        directories = PackDirectories(context)
    }

    /// Where the chunk lies; throws where that is nowhere.
    /// - Parameter bad: packs that are known not to give it.
    package func find(_ id: ChunkID, notIn bad: Set<ObjectName> = []) throws -> FoundChunk {
        if let inline, let found = Self.search(inline, for: id) { return found }
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
            return true
        }
    }

    private func look(_ id: ChunkID, notIn bad: Set<ObjectName>) throws -> FoundChunk? {
        var failure: (any Error)?
        for place in index.places(of: id) where !bad.contains(.pack(context.domain, place.pack)) {
            do {
                let directory = try directories.directory(of: place.pack)
                if place.segment < directory.directory.segments.count,
                    let found = Self.search(directory, segment: place.segment, for: id)
                {
                    return found
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }

    private static func search(_ directory: OpenDirectory, for id: ChunkID) -> FoundChunk? {
        for segment in directory.directory.segments.indices {
            if let found = search(directory, segment: segment, for: id) { return found }
        }
        return nil
    }

    private static func search(_ directory: OpenDirectory, segment: Int, for id: ChunkID)
        -> FoundChunk?
    {
        for (index, frame) in directory.directory.segments[segment].frames.enumerated() {
            for (position, chunk) in frame.chunks.enumerated() where chunk.id == id {
                return FoundChunk(
                    id: id, directory: directory, segment: segment, frame: index, chunk: position,
                    byteCount: chunk.byteCount)
            }
        }
        return nil
    }

    package func locate(_ name: PackDirectory.SegmentName) throws -> (
        directory: OpenDirectory, segment: Int
    ) {
        let table = envelopes.withLock { known in
            if let known { return known }
            var table: [ObjectID: [ObjectID]] = [:]
            for pack in index.packs.keys.sorted() {
                guard let directory = try? directories.directory(of: pack) else { continue }
                for envelope in directory.directory.envelopes {
                    table[envelope.header.id, default: []].append(pack)
                }
            }
            known = table
            return table
        }
        for pack in table[name.envelope] ?? [] {
            let opened = try directories.directory(of: pack)
            for (index, segment) in opened.directory.segments.enumerated()
            where segment.number == name.number
                && opened.directory.envelopes[segment.envelope].header.id == name.envelope
            { return (opened, index) }
        }
        throw LostSegment(name: name)
    }
}
