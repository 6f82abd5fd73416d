import ObjectStorage
import WireFormat
import Workers

/// Turns new chunks of one class into packs: frames made by a pool of workers, sealed in order, put
/// in the background.
///
/// A class: it owns threads. Used by one thread.
package final class PackWriter {
    package let contentClass: ContentClass
    private let context: DomainContext
    private let makers: Pipeline<FrameMaker>
    private let putters: Pipeline<PackPutter>
    private let packBuffers: BufferPool
    private var builder: PackBuilder?
    private var open = PlainFrame()
    /// What was put and not yet taken by `takePacks`.
    private var finished: [StoredPack] = []
    /// zstd's level for frames; nil where trials choose it.
    private let level: Int?
    private var trial = LevelTrial()
    private let makesDeltas: Bool
    /// Whether what comes is rows of a dump.
    package var holdsRows = false
    /// Bytes that went to plain frames.
    private var plainBytes = 0

    private static let levelOfLittle = 6
    private static let littleBytes = 32 << 20
    /// Deltas made so far: how many, of how many bytes, in how many.
    package private(set) var deltas = (frames: 0, rawBytes: 0, storedBytes: 0)
    private var alignments: [RunAlignment] = []
    /// What is wrong with the first base that was found damaged: what stood on it is stored anew.
    package private(set) var damagedBase: String?
    /// Told what deltas of this writer stand on.
    private let reliance: FrameTable?

    package private(set) var bytesPut = 0
    package private(set) var packsPut = 0
    /// Chunks handed in since the last `takePacks`.
    package private(set) var chunkCount = 0

    private static let frameBytesTarget = 1 << 20
    private static let frameBytesMin = 768 << 10

    /// - Parameters:
    ///   - level: zstd's level; nil tries.
    ///   - workers: threads that compress.
    ///   - bases: for deltas; nil where none are made.
    ///   - reliance: told what deltas stand on; nil where nobody asks.
    package init(
        _ contentClass: ContentClass, _ context: DomainContext, level: Int?, workers: Int,
        putsAtOnce: Int, bases: Bases? = nil, reliance: FrameTable? = nil
    ) {
        self.reliance = reliance
        self.contentClass = contentClass
        self.context = context
        self.level = level
        makesDeltas = bases != nil
        let stored = BufferPool(capacity: Limits.frameRawBytes)
        // Plain frames are made far ahead, so that no thread waits while a pack is closed. Jobs of
        // deltas hold more memory each.
        let ahead = bases == nil ? 2 * workers + 2 : workers + 2
        makers = Pipeline(workers: workers, inFlight: ahead) {
            try FrameMaker(pool: stored, bases: bases)
        }
        packBuffers = BufferPool(capacity: PackBuilder.bufferBytes)
        let store = context.store
        // A pack that is put leaves little behind, so one that takes long holds up no other.
        putters = Pipeline(workers: workers == 0 ? 0 : putsAtOnce, inFlight: 4 * putsAtOnce) {
            PackPutter(store: store)
        }
    }

    /// Takes in a chunk that is nowhere else.
    package func add(_ id: ChunkID, _ slice: Slice) throws {
        chunkCount += 1
        try gather(id, slice)
    }

    /// Takes in runs of chunks that are nowhere else and may become deltas.
    package func add(_ runs: [DeltaRun]) throws {
        for run in runs { chunkCount += run.chunks.count }
        try submit(.deltas(runs))
    }

    /// Tells that the buffer of the chunks before will not be continued: a frame that is nearly
    /// full ends here, so that its bytes need not be gathered from two buffers.
    package func endOfBuffer() throws {
        if open.rawBytes >= Self.frameBytesMin { try endFrame() }
    }

    private func gather(_ id: ChunkID, _ slice: Slice) throws {
        // Ending a frame may bring declined runs back, which fill the next one.
        while open.rawBytes + slice.count > Self.frameBytesTarget { try endFrame() }
        open.slices.append(slice)
        open.ids.append(id)
        open.rawBytes += slice.count
    }

    private func endFrame() throws {
        guard open.rawBytes > 0 else { return }
        // Taken out first: what comes back while room is made may begin the next frame.
        var frame = open
        open = PlainFrame()
        frame.level = level ?? usualLevel(rawBytes: frame.rawBytes)
        frame.isRows = holdsRows
        try submit(.plain(frame))
    }

    /// Where deltas are made little is left for plain frames, and that is worth some time; unless it
    /// is not little.
    private func usualLevel(rawBytes: Int) -> Int? {
        plainBytes += rawBytes
        let isLittle = plainBytes <= Self.littleBytes + deltas.rawBytes / 8
        return makesDeltas && isLittle
            ? Self.levelOfLittle : trial.levelOfNext(rawBytes: rawBytes)
    }

    private func submit(_ job: FrameJob) throws {
        while makers.isFull { try takeFrames() }
        makers.submit(job)
        while let made = try makers.takeIfReady() { try append(made) }
    }

    private func takeFrames() throws {
        if let made = try makers.take() { try append(made) }
    }

    private func append(_ made: MadeFrames) throws {
        if let (fast, thorough) = made.trial { trial.learn(fast: fast, thorough: thorough) }
        alignments += made.alignments
        damagedBase = damagedBase ?? made.damage
        for frame in made.frames {
            try append(frame)
        }
        for run in made.declined {
            for (chunk, slice) in zip(run.chunks, run.slices) { try gather(chunk.id, slice) }
        }
    }

    private func append(_ frame: MadeFrame) throws {
        let open = openBuilder()
        try open.add(frame)
        if let base = frame.base {
            deltas.frames += 1
            deltas.rawBytes += frame.frame.rawBytes
            deltas.storedBytes += frame.stored.count
            for place in base.places { reliance?.need(place) }
        }
        if open.isFull { try put() }
    }

    private func openBuilder() -> PackBuilder {
        let open = builder ?? PackBuilder(contentClass, context, buffer: packBuffers.take())
        builder = open
        return open
    }

    /// Takes in a frame that was compressed elsewhere.
    /// - Parameter new: how many of its chunks are nowhere else.
    func add(_ frame: MadeFrame, new: Int) throws {
        chunkCount += new
        try append(frame)
    }

    /// Takes in a segment that was sealed elsewhere.
    /// - Parameter new: how many of its chunks are nowhere else.
    package func add(_ segment: SealedSegment, new: Int) throws {
        chunkCount += new
        let open = openBuilder()
        try open.add(segment)
        if open.isFull { try put() }
    }

    /// What became of runs whose place was only reckoned, once.
    package func takeAlignments() -> [RunAlignment] {
        defer { alignments.removeAll(keepingCapacity: true) }
        return alignments
    }

    private func put() throws {
        guard let pack = try builder?.finish() else { return }
        builder = nil
        while let pack = try putters.takeIfReady() { note(pack) }
        while putters.isFull { try takePut() }
        putters.waitForThread()
        putters.submit(pack)
    }

    private func takePut() throws {
        if let pack = try putters.take() { note(pack) }
    }

    private func note(_ pack: StoredPack) {
        finished.append(pack)
        bytesPut += pack.indexed.fileBytes
        packsPut += 1
    }

    /// Makes every chunk taken in so far durable.
    package func flush() throws {
        try drain()
        if builder?.isEmpty == false { try put() }
        while putters.count > 0 { try takePut() }
    }

    /// Ends the frame being filled and seals all that were.
    private func drain() throws {
        repeat {
            try endFrame()
            while makers.count > 0 { try takeFrames() }
        } while open.rawBytes > 0
    }

    /// If everything taken in is small and nothing was put, the segments for the manifest to carry.
    package func takeInline() throws -> Manifest.InlineSegments? {
        guard packsPut == 0, finished.isEmpty, putters.count == 0 else { return nil }
        guard open.rawBytes <= 2 * Limits.frameRawBytes, chunkCount <= Limits.inlineListEntries
        else { return nil }
        try drain()
        // The seal of what is gathered still comes: 16 bytes each.
        guard let builder, putters.count == 0, builder.sealedBytes + 64 <= Limits.inlineSegmentBytes
        else {
            return nil
        }
        self.builder = nil
        return try builder.finishInline()
    }

    /// The packs that are durable, once; their chunks leave the count.
    package func takePacks() -> [StoredPack] {
        defer {
            finished = []
            chunkCount = 0
        }
        return finished
    }

    package func stop() {
        makers.stop()
        putters.stop()
    }
}

/// Puts packs, one at a time a thread.
package final class PackPutter: PipelineWorker {
    private let store: any ObjectStore
    init(store: any ObjectStore) { self.store = store }

    package func run(_ pack: FinishedPack) throws -> StoredPack {
        pack.writeHash()
        try pack.bytes.withBytes { try store.put(.pack(pack.domain, pack.stored.indexed.id), $0) }
        return pack.stored
    }
}
