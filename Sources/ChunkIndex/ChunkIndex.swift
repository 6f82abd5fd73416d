import Files
import Synchronization
import WireFormat

/// Where every chunk of one domain of one repository lies: a local cache, rebuilt at will from the
/// repository's index objects (docs/format.md, "Index objects"). It is never trusted for safety:
/// what it says may be out of date, and that it does not know a chunk is no proof that the chunk is
/// not there.
///
/// Inside are immutable sorted **runs**, newest first, each a file of the directory handed in. An
/// insertion writes one more and merges the small ones, so that there are few. A lookup of a chunk
/// that is not there touches one cache line a run, one that finds a chunk some two more.
///
/// A class: whoever adds, looks up and drops must see the same runs. Lookups may be made from any
/// thread while another inserts; they see the runs of before or after. Insertions and drops wait
/// for one another. Any number of processes may use one directory; each sees what was there when it
/// opened, and what it adds itself.
package final class ChunkIndex: Sendable {
    /// How many bytes of entries are mapped: those of a million chunks. The kernel makes a mapped
    /// file resident in large pieces, all of it after a few thousand lookups; so the entries of
    /// larger runs are read when needed, which costs 0.6 us more for a chunk that is found, and
    /// memory does not grow with the repository.
    package static let mappedEntryBytesMax = 32 << 20

    let storage: RunStorage
    /// Newest first.
    let list: Mutex<[Run]>
    /// Held while runs are written or removed: never while anything is looked up.
    let writing = Mutex<Void>(())

    /// Opens the index in `directory`, which is made where it is missing, `0700`. Files in it that
    /// are damaged or are no runs of this version are not used: what they held is not covered.
    /// Constant time a run.
    /// - Parameter randomBytes: returns as many random bytes as asked for, to name files with.
    /// - Parameter mappedEntryBytesMax: how many bytes of entries may be mapped rather than read.
    /// - Throws: where the directory cannot be made or listed.
    package init(
        directory: Path, calls: SystemCalls, randomBytes: @escaping @Sendable (Int) -> [UInt8],
        mappedEntryBytesMax: Int = ChunkIndex.mappedEntryBytesMax
    ) throws(FileError) {
        let directory = try RunDirectory(directory, calls: calls, randomBytes: randomBytes)
        list = Mutex(try directory.open(entryBytesMax: mappedEntryBytesMax))
        storage = .directory(directory, mappedEntryBytesMax: mappedEntryBytesMax)
    }

    /// An empty index that lives in memory only.
    package init(inMemory: ()) {
        list = Mutex([])
        storage = .memory
    }

    /// The runs of this moment; they stay readable when they are merged away.
    var current: [Run] { list.withLock { $0 } }
}

/// Where runs are kept.
enum RunStorage: Sendable {
    case directory(RunDirectory, mappedEntryBytesMax: Int)
    case memory
}

// MARK: Lookup

extension ChunkIndex {
    /// Where a copy of the chunk lies, looking into the newest run first.
    package func place(of id: ChunkID) -> ChunkPlace? {
        place(of: id) { _ in true }
    }

    /// Where a copy of the chunk lies that will do: not in a pack that is condemned or missing, say.
    package func place(of id: ChunkID, where usable: (ChunkPlace) -> Bool) -> ChunkPlace? {
        for run in current {
            var found: ChunkPlace?
            run.forEachPlace(of: id) { place in
                guard usable(place) else { return true }
                found = place
                return false
            }
            if let found { return found }
        }
        return nil
    }

    /// Every copy of the chunk, each once, those of the newest run first.
    package func places(of id: ChunkID) -> [ChunkPlace] {
        var places: [ChunkPlace] = []
        for run in current {
            run.forEachPlace(of: id) { place in
                if !places.contains(place) { places.append(place) }
                return true
            }
        }
        return places
    }
}

// MARK: As a whole

extension ChunkIndex {
    /// The index objects whose content is in the index. It may become smaller by any call that
    /// inserts or drops, where a run is found damaged.
    package var covered: Set<ObjectID> {
        current.reduce(into: []) { $0.formUnion($1.objects) }
    }

    /// The packs that the index has read of, with chunks or without.
    package var packs: [ObjectID: (contentClass: ContentClass, byteCount: Int)] {
        var packs: [ObjectID: (contentClass: ContentClass, byteCount: Int)] = [:]
        for run in current.reversed() {
            for row in run.packRows {
                guard let contentClass = ContentClass(rawValue: row.rawClass) else { continue }
                packs[row.id] = (contentClass, Int(row.packByteCount))
            }
        }
        return packs
    }

    /// The number of entries: copies of chunks, those that several runs know counted several times.
    package var entryCount: Int { current.reduce(0) { $0 + $1.header.entryCount } }

    /// Calls `body` with every copy of every chunk, each once, sorted by chunk id. Reads every run
    /// from end to end through small buffers; what is damaged or cannot be read is left out.
    package func forEachChunk(_ body: (ChunkID, ChunkPlace) throws -> Void) rethrows {
        var merged = MergedEntries(nil, current)
        var last: Entry?
        while let entry = merged.next() {
            if entry == last { continue }
            last = entry
            if let place = merged.rows[entry.packNumber].place(entry.frame) {
                try body(entry.id, place)
            }
        }
    }
}
