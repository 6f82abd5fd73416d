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
    private var job = FrameJob()
    /// What was put and not yet taken by `takePacks`.
    private var finished: [StoredPack] = []
    /// zstd's level for frames; nil where trials choose it.
    private let level: Int?
    private var trial = LevelTrial()

    package private(set) var bytesPut = 0
    package private(set) var packsPut = 0
    /// Chunks handed in since the last `takePacks`.
    package private(set) var chunkCount = 0

    private static let frameBytesTarget = 1 << 20
    private static let frameBytesMin = 768 << 10

    /// - Parameters:
    ///   - level: zstd's level; nil tries.
    ///   - workers: threads that compress.
    package init(
        _ contentClass: ContentClass, _ context: DomainContext, level: Int?, workers: Int,
        putsAtOnce: Int
    ) {
        self.contentClass = contentClass
        self.context = context
        self.level = level
        let stored = BufferPool(capacity: Limits.frameRawBytes)
        makers = Pipeline(workers: workers, inFlight: workers + 2) { FrameMaker(pool: stored) }
        packBuffers = BufferPool(capacity: PackBuilder.bufferBytes)
        let store = context.store
        putters = Pipeline(workers: workers == 0 ? 0 : putsAtOnce, inFlight: putsAtOnce) {
            PackPutter(store: store)
        }
    }

    /// Takes in a chunk that is nowhere else.
    package func add(_ id: ChunkID, _ slice: Slice) throws {
        if job.rawBytes + slice.count > Self.frameBytesTarget { try endFrame() }
        job.slices.append(slice)
        job.ids.append(id)
        job.rawBytes += slice.count
        chunkCount += 1
    }

    /// Tells that the buffer of the chunks before will not be continued: a frame that is nearly
    /// full ends here, so that its bytes need not be gathered from two buffers.
    package func endOfBuffer() throws {
        if job.rawBytes >= Self.frameBytesMin { try endFrame() }
    }

    private func endFrame() throws {
        guard job.rawBytes > 0 else { return }
        job.level = level ?? trial.levelOfNext(rawBytes: job.rawBytes)
        while makers.isFull { try takeFrame() }
        makers.submit(job)
        job = FrameJob()
        while let made = try makers.takeIfReady() { try append(made) }
    }

    private func takeFrame() throws {
        if let made = try makers.take() { try append(made) }
    }

    private func append(_ made: MadeFrame) throws {
        if let (fast, thorough) = made.trial { trial.learn(fast: fast, thorough: thorough) }
        let open = try builder ?? PackBuilder(contentClass, context, buffer: packBuffers.take())
        builder = open
        open.add(made)
        if open.isFull { try put() }
    }

    private func put() throws {
        guard let pack = try builder?.finish() else { return }
        builder = nil
        while putters.isFull { try takePut() }
        putters.submit(pack)
    }

    private func takePut() throws {
        if let pack = try putters.take() {
            finished.append(pack)
            bytesPut += pack.indexed.fileBytes
            packsPut += 1
        }
    }

    /// Makes every chunk taken in so far durable.
    package func flush() throws {
        try drain()
        if builder?.isEmpty == false { try put() }
        while putters.count > 0 { try takePut() }
    }

    /// Ends the frame being filled and seals all that were.
    private func drain() throws {
        try endFrame()
        while makers.count > 0 { try takeFrame() }
    }

    /// If everything taken in is small and nothing was put, the segments for the manifest to carry.
    package func takeInline() throws -> Manifest.InlineSegments? {
        guard packsPut == 0, finished.isEmpty, putters.count == 0 else { return nil }
        guard job.rawBytes <= 2 * Limits.frameRawBytes, chunkCount <= Limits.inlineListEntries
        else { return nil }
        try drain()
        // The seal of what is gathered still comes: 16 bytes each.
        guard let builder, putters.count == 0, builder.sealedBytes + 64 <= Limits.inlineSegmentBytes
        else {
            return nil
        }
        self.builder = nil
        return builder.finishInline()
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
        try pack.bytes.withBytes { try store.put(.pack(pack.domain, pack.stored.indexed.id), $0) }
        return pack.stored
    }
}
