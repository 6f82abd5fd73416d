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
    private let earlier: EarlierSnapshot?
    private let progress: (Int) -> Void
    private let opener: Pipeline<FrameOpener>
    private var names = ChunkNames()
    /// Where the store here is far: what is fetched ahead.
    private var plan: FetchPlan?

    /// Pieces of the stream that are being moved, and the frames that hold their chunks.
    private var pieces: [ListPiece] = []
    private var frames: [FramePlace] = []
    private var seen: Set<FramePlace> = []
    /// Whether some of these frames stand on others of them.
    private var standOnOthers = false
    private var last: FoundChunk?

    private static let piecesMax = 65_536
    private static let framesMax = 8192
    private static let decodedBytes = 32 << 20

    /// - Parameters:
    ///   - earlier: a copy there whose lists the new ones are made against.
    ///   - progress: told how many bytes of the stream are done.
    init(
        _ reader: SnapshotReader, _ store: ChunkStore, _ target: CopyTarget,
        _ earlier: EarlierSnapshot?, _ progress: @escaping (Int) -> Void
    ) throws {
        self.reader = reader
        self.store = store
        self.target = target
        self.earlier = earlier
        self.progress = progress
        let (source, finder, context) = (reader.context, reader.finder, target.context)
        let decoded = DecodedFrames(bytesMax: Self.decodedBytes)
        let workers = reader.surroundings.workers
        opener = Pipeline(workers: workers, inFlight: workers + 2) {
            try FrameOpener(source, finder, decoded, target: context)
        }
    }

    deinit { opener.stop() }

    /// Learns the names that chunks have there from the lists of the earlier copy and of what it is a copy
    /// of. What cannot be read is found out by reading the data.
    func learn(from source: SnapshotReader) {
        guard let there = earlier?.list(.data, store), let stream = source.manifest.stream(.data),
            let here = try? source.list(stream)
        else { return }
        try? names.learn(here, there)
    }

    /// The streams of the snapshot as the copy's manifest has them.
    func streams() throws -> [Manifest.Stream] {
        try reader.manifest.streams.map { stream in
            var copied = stream
            if case .content = stream.list { return copied }
            copied.list = try stream.contentClass == .data ? copyData(stream) : copyList(stream)
            return copied
        }
    }

    /// Goes through a stream, repeats taken apart.
    private func forEachPiece(
        of stream: Manifest.Stream, _ body: (ListPiece) throws -> Void
    ) throws {
        var cursor = ListCursor(try reader.list(stream))
        var position = 0
        while let piece = try cursor.piece(at: position) {
            try reader.checkStop()
            try body(piece)
            position = piece.range.upperBound
        }
    }

    private func newList() throws -> ListWriter {
        ListWriter(
            namer: try target.context.keys.namer(ofClass: ContentClass.list.rawValue), store)
    }

    // MARK: data

    private func copyData(_ stream: Manifest.Stream) throws -> Manifest.List {
        let list = try newList()
        var walk = earlier?.list(stream.role, store).map {
            RunGatherer($0, chunkBytesMax: Limits.chunkBytes) { [store] in store.frames(of: $0) }
        }
        func flush() throws {
            try moveFrames()
            for piece in pieces {
                let count = piece.range.count
                let entry: ListEntry
                if let id = piece.id {
                    let name = try stored(id, count)
                    walk?.known(name, byteCount: count)
                    entry = .chunk(name, byteCount: count)
                } else {
                    walk?.zeros(count)
                    entry = .zeros(count)
                }
                try list.append(entry) { walk?.nodes(for: $0) ?? [] }
            }
            progress(pieces.last?.range.upperBound ?? 0)
            pieces.removeAll(keepingCapacity: true)
        }
        try forEachPiece(of: stream) { piece in
            if let id = piece.id { try need(id) }
            pieces.append(piece)
            if pieces.count >= Self.piecesMax || frames.count >= Self.framesMax { try flush() }
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
        let bases = try place.bases(reader.finder)
        if !bases.allSatisfy({ $0.chunks.allSatisfy(isThere) }) {
            for (base, _) in bases { try need(base) }
            standOnOthers = true
        }
        frames.append(place)
    }

    private func moveFrames() throws {
        // In the order of the stream neighbors stand on the same, which is decoded once. What others
        // of them stand on has to be stored before those: then level by level, not one by one.
        let ordered =
            standOnOthers
            ? frames.enumerated().sorted {
                ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset)
            }.map { $0.element } : frames
        standOnOthers = false
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
        let rest = places[next...].reduce(0) {
            $0 + Int($1.directory.frames[$1.frame].rawBytes)
        }
        plan?.tell(rest: rest)
        return next
    }

    private func takeFrame() throws {
        try reader.checkStop()
        guard let opened = try opener.take() else { return }
        plan?.stretchDone()
        names.learn(opened.place.chunkIDs, opened.chunks.map { $0.id })
        let base = try opened.place.bases(reader.finder).flatMap { $0.chunks }.map { names[$0] }
        try store.move(opened, base: base.contains(nil) ? [] : base.compactMap { $0 })
    }

    // MARK: lists

    /// Copies a stream of class list, cut as it is.
    private func copyList(_ stream: Manifest.Stream) throws -> Manifest.List {
        let list = try newList()
        let namer = try target.context.keys.namer(ofClass: ContentClass.list.rawValue)
        try forEachPiece(of: stream) { piece in
            let count = piece.range.count
            guard let id = piece.id else { return try list.append(.zeros(count)) { _ in [] } }
            let bytes = try reader.lists.chunk(id)
            let name = bytes.withBytes { namer.id(of: $0) }
            if try store.claim(name, byteCount: count, .list) {
                try store.add(name, bytes.alone, .list)
            }
            try list.append(.chunk(name, byteCount: count)) { _ in [] }
        }
        return try list.finish { _ in [] }
    }
}
