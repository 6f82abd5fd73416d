import Files
import Synchronization
import WireFormat

// Runs come and go here. The order keeps every reader right without a lock: a new run is durable
// and has its name before those it replaces are removed, and what is in two runs at once is
// harmless.

extension ChunkIndex {
    /// More runs than merging ever leaves; reached only where merges keep failing.
    private static let runsMax = 64

    /// Adds what the directories of `packs` say, in one new run, and with it that `objects` are
    /// covered. Runs at most four times as large as all that is newer become one with it.
    ///
    /// Takes 32 bytes a chunk and, for merging, a few hundred KiB: hand in a large rebuild in
    /// pieces of some 10^6 chunks. Where there is no room for the merged run but for the new one
    /// alone, merging is left to a later call.
    /// - Throws: where the run cannot be written: then nothing has changed.
    package func insert(_ packs: [IndexedPack], covering objects: [ObjectID]) throws(FileError) {
        if packs.isEmpty && objects.isEmpty { return }
        let new = NewEntries(packs)
        try writing.withLock { (_) throws(FileError) in try add(new, Set(objects)) }
    }

    /// Drops the runs that cover an index object which is not in `known`, because the repository
    /// has lost it. What else they covered is then not covered either and must be inserted again.
    /// - Throws: where a file cannot be removed: it is dropped all the same, until the index is
    ///   opened again.
    package func drop(objectsNotIn known: Set<ObjectID>) throws(FileError) {
        try writing.withLock { (_) throws(FileError) in
            try remove(current.filter { run in !run.objects.allSatisfy(known.contains) })
        }
    }

    /// Reads all runs and drops those that are not as they were written; returns whether there were
    /// any. For when a chunk that must be there is not found.
    /// - Throws: where a file cannot be removed: it is dropped all the same, until the index is
    ///   opened again.
    package func dropDamaged() throws(FileError) -> Bool {
        try writing.withLock { (_) throws(FileError) in
            let damaged = current.filter { !$0.isSound }
            try remove(damaged)
            return !damaged.isEmpty
        }
    }

    // MARK: Inside, under `writing`

    private func add(_ new: NewEntries, _ objects: Set<ObjectID>) throws(FileError) {
        var mayMerge = true
        while true {
            let runs = current
            let old = mayMerge ? Self.outgrown(runs, by: new, objects.count) : []
            do throws(FileError) {
                if let run = try join(
                    new, objects, old, sequence: (runs.first?.header.sequence ?? 0) &+ 1)
                {
                    list.withLock { $0 = [run] + runs.dropFirst(old.count) }
                    // One that stays is a duplicate, and merged again some time.
                    for run in old { try? removeFile(run) }
                    return
                }
                // A run was found damaged, and is dropped: this ends, as there is one less every
                // time.
            } catch {
                if old.isEmpty || runs.count >= Self.runsMax { throw error }
                mayMerge = false
            }
        }
    }

    /// The newest runs that are to be merged with `new`: up to the oldest that is at most four
    /// times as large as all that is newer. So every run is more than four times as large as what
    /// stands before it, and every entry is written again some log4 times.
    private static func outgrown(_ runs: [Run], by new: NewEntries, _ newObjects: Int)
        -> ArraySlice<Run>
    {
        var (entries, rows) = (new.entries.count, new.rows.count)
        var outlineBytes = RunHeader.outlineBytes(of: new.outlines)
        var objects = newObjects
        var count = 0
        for (number, run) in runs.enumerated() {
            let isOutgrown = run.header.entryCount <= 4 * entries
            entries += run.header.entryCount
            rows += run.header.packCount
            outlineBytes += run.header.outlineBytes
            objects += run.header.objectCount
            guard entries <= RunHeader.entriesMax, rows <= RunHeader.packsMax,
                outlineBytes <= RunHeader.outlineBytesMax, objects <= RunHeader.objectsMax
            else { break }
            if isOutgrown { count = number + 1 }
        }
        return runs[..<count]
    }

    /// Writes one run of all of these; nil where one of `old` was found damaged: then it has been
    /// dropped.
    private func join(
        _ new: NewEntries, _ objects: Set<ObjectID>, _ old: ArraySlice<Run>, sequence: UInt64
    ) throws(FileError) -> Run? {
        var merged = MergedEntries(new, old)
        let objects = old.reduce(into: objects) { $0.formUnion($1.objects) }.sorted()
        precondition(
            objects.count <= RunHeader.objectsMax, "more index objects than a run can cover")
        let entriesMax = old.reduce(new.entries.count) { $0 + $1.header.entryCount }

        let run = try make(objects, merged, entriesMax, sequence, without: old) {
            (sink) throws(FileError) in
            var writer = try RunWriter(
                to: sink, sequence: sequence, objects: objects, rows: merged.rows,
                outlines: merged.outlines, entriesMax: entriesMax)
            while let entry = merged.next() { try writer.append(entry) }
            guard merged.damaged.isEmpty else { return false }
            try writer.finish()
            return true
        }
        if run == nil { try? remove(merged.damaged) }
        return run
    }

    /// nil where `fill` returns false.
    private func make(
        _ objects: [ObjectID], _ merged: MergedEntries, _ entriesMax: Int, _ sequence: UInt64,
        without old: ArraySlice<Run>,
        _ fill: (any RunSink) throws(FileError) -> Bool
    ) throws(FileError) -> Run? {
        switch storage {
        case .directory(let directory, let mappedEntryBytesMax):
            let staying = current.dropFirst(old.count).reduce(0) { $0 + $1.mappedEntryBytes }
            return try directory.make(entryBytesMax: max(0, mappedEntryBytesMax - staying), fill)
        case .memory:
            let largest = RunHeader(
                sequence: sequence, entryCount: entriesMax, objectCount: objects.count,
                packCount: merged.rows.count,
                outlineBytes: RunHeader.outlineBytes(of: merged.outlines),
                lineCount: Line.count(forEntries: entriesMax))
            let image = RunImage(byteCountMax: largest.fileByteCount)
            guard try fill(image) else { return nil }
            guard let run = Run(image) else { preconditionFailure("a run just written is sound") }
            return run
        }
    }

    private func remove(_ lost: [Run]) throws(FileError) {
        if lost.isEmpty { return }
        let left = current.filter { run in !lost.contains { $0 === run } }
        list.withLock { $0 = left }
        var failure: FileError?
        for run in lost {
            do throws(FileError) { try removeFile(run) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func removeFile(_ run: Run) throws(FileError) {
        if case .directory(let directory, _) = storage { try directory.remove(run) }
    }
}
