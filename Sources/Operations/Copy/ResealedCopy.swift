import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// Copies what one snapshot consists of to a repository of other keys: every frame is opened, its chunks
/// are verified and named anew, and it is sealed again as it was compressed. What deltas stand on comes
/// along.
final class ResealedCopy {
    private let reader: SnapshotReader
    private let store: ChunkStore
    private let target: CopyTarget
    private let before: CopiedBefore?
    private let progress: (Int) -> Void
    private let opener: Pipeline<FrameOpener>
    private var names = ChunkNames()
    /// Where the store here is far: what is fetched ahead.
    private var plan: FetchPlan?

    /// Entries of the list whose chunks are being moved, and the frames that hold those.
    private var entries: [ListEntry] = []
    private var frames: [FramePlace] = []
    private var seen: Set<FramePlace> = []
    private var last: FoundChunk?

    private static let entriesMax = 65_536
    private static let framesMax = 8192
    private static let decodedBytes = 32 << 20

    /// - Parameters:
    ///   - before: a snapshot of the series that was copied already.
    ///   - progress: told how many bytes of the stream are done.
    init(
        _ reader: SnapshotReader, _ store: ChunkStore, _ target: CopyTarget,
        _ before: CopiedBefore?, _ progress: @escaping (Int) -> Void
    ) throws {
        self.reader = reader
        self.store = store
        self.target = target
        self.before = before
        self.progress = progress
        let (source, finder, context) = (reader.context, reader.finder, target.context)
        let decoded = DecodedFrames(bytesMax: Self.decodedBytes)
        let workers = reader.surroundings.workers
        opener = Pipeline(workers: workers, inFlight: workers + 2) {
            try FrameOpener(source, finder, decoded, target: context)
        }
    }

    deinit { opener.stop() }

    /// The streams of the snapshot as the copy's manifest has them.
    func streams() throws -> [Manifest.Stream] {
        before?.teach(&names)
        return try reader.manifest.streams.map { stream in
            var copied = stream
            if case .content = stream.list { return copied }
            copied.list = try stream.contentClass == .data ? copyData(stream) : copyList(stream)
            return copied
        }
    }

    // MARK: data

    private func copyData(_ stream: Manifest.Stream) throws -> Manifest.List {
        let list = ListWriter(
            namer: try target.context.keys.namer(ofClass: ContentClass.list.rawValue), store)
        let parent = before?.list(stream.role)
        var walk = parent.map {
            RunGatherer($0, chunkBytesMax: Limits.chunkBytes) { [store] in store.frames(of: $0) }
        }
        var position = 0
        func flush() throws {
            try moveFrames()
            for entry in entries {
                switch entry {
                case .chunk(let id, let byteCount):
                    let name = try stored(id, byteCount)
                    walk?.known(name, byteCount: byteCount)
                    try list.append(.chunk(name, byteCount: byteCount)) {
                        walk?.nodes(for: $0) ?? []
                    }
                    position += byteCount
                case .zeros(let count):
                    walk?.zeros(count)
                    try list.append(.zeros(count)) { walk?.nodes(for: $0) ?? [] }
                    position += count
                case .again: preconditionFailure("repeats are taken apart")
                }
            }
            entries.removeAll(keepingCapacity: true)
            progress(position)
        }
        var source = try reader.list(stream)
        while let entry = try source.next() {
            try reader.checkStop()
            if case .chunk(let id, _) = entry { try need(id) }
            if case .again(let times) = entry {
                guard let chunk = entries.last, case .chunk = chunk else {
                    throw WireError.malformed(
                        "a list of snapshot \(reader.snapshot.id.short) is malformed: it repeats nothing"
                    )
                }
                for _ in 0..<times {
                    // One is left to be repeated.
                    if entries.count >= Self.entriesMax { try flush() }
                    entries.append(chunk)
                }
            } else {
                entries.append(entry)
            }
            // Not between a chunk and its repeats: those follow an entry that is still there.
            if entries.count >= 2 * Self.entriesMax || frames.count >= Self.framesMax {
                let keep = entries.removeLast()
                try flush()
                entries.append(keep)
            }
        }
        try flush()
        return try list.finish { walk?.nodes(for: $0) ?? [] }
    }

    /// The name under which a chunk is stored there by now.
    private func stored(_ id: ChunkID, _ byteCount: Int) throws -> ChunkID {
        guard let name = names[id], try !store.claim(name, byteCount: byteCount, .data) else {
            throw LostChunk(id: id)
        }
        return name
    }

    private func isThere(_ id: ChunkID) -> Bool {
        names[id].map { store.isStored($0, .data) } ?? false
    }

    /// Notes the frame that holds a chunk as one to be moved, unless the chunk is there.
    private func need(_ id: ChunkID) throws {
        guard !isThere(id) else { return }
        let found = try reader.finder.find(id, after: last)
        last = found
        try need(FramePlace(directory: found.directory, frame: found.frame))
    }

    /// What a frame stands on comes before it. The depth falls with every step.
    private func need(_ place: FramePlace) throws {
        guard seen.insert(place).inserted else { return }
        for base in try place.bases(reader.finder)
        where try !place.baseChunks(reader.finder).allSatisfy(isThere) {
            try need(base)
        }
        frames.append(place)
    }

    private func moveFrames() throws {
        // Those that others stand on first, the rest as they come.
        let ordered = frames.enumerated().sorted {
            ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset)
        }.map { $0.element }
        frames.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        plan = reader.fetching.map { FetchPlan($0, reader.finder) }
        defer {
            plan?.end()
            plan = nil
        }
        var told = 0
        for (number, place) in ordered.enumerated() {
            if number == told || plan?.wantsMore == true { told = tell(ordered, from: told) }
            while opener.isFull { try takeFrame() }
            opener.submit(place)
        }
        while opener.count > 0 { try takeFrame() }
    }

    /// Has the frames fetched that come next, where they are far.
    /// - Returns: the number of the first that was not told.
    private func tell(_ places: [FramePlace], from first: Int) -> Int {
        guard plan != nil else { return places.count }
        var next = first
        while next < places.count, plan?.isFull == false {
            let (directory, frame) = (places[next].directory, places[next].frame)
            plan?.gather([(directory, frame)], byteCount: Int(directory.frames[frame].rawBytes))
            next += 1
        }
        plan?.tell(goesOn: next < places.count)
        return next
    }

    private func takeFrame() throws {
        try reader.checkStop()
        guard let opened = try opener.take() else { return }
        plan?.stretchDone()
        names.learn(opened.place.chunkIDs, opened.chunks.map { $0.id })
        let base = try opened.place.baseChunks(reader.finder).map { names[$0] }
        try store.move(opened, base: base.contains(nil) ? [] : base.compactMap { $0 })
    }

    // MARK: lists

    /// Copies a stream of class list, cut as it is.
    private func copyList(_ stream: Manifest.Stream) throws -> Manifest.List {
        let namer = try target.context.keys.namer(ofClass: ContentClass.list.rawValue)
        let list = ListWriter(
            namer: try target.context.keys.namer(ofClass: ContentClass.list.rawValue), store)
        var source = try reader.list(stream)
        var chunk: ListEntry?
        while let entry = try source.next() {
            switch entry {
            case .chunk(let id, let byteCount):
                let bytes = try reader.lists.chunk(id)
                let name = bytes.withBytes { namer.id(of: $0) }
                if try store.claim(name, byteCount: byteCount, .list) {
                    try store.add(name, bytes.alone, .list)
                }
                chunk = .chunk(name, byteCount: byteCount)
                try list.append(.chunk(name, byteCount: byteCount)) { _ in [] }
            case .zeros: try list.append(entry) { _ in [] }
            case .again(let times):
                guard let chunk else { continue }
                for _ in 0..<times { try list.append(chunk) { _ in [] } }
            }
        }
        return try list.finish { _ in [] }
    }
}
