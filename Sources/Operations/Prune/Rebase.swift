import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat
import Workers

/// Makes deltas anew that stand on what only dropped snapshots had, where that weighs more than they save. It
/// writes packs, as an add would, and deletes nothing: prune finds what they replace dead.
///
/// A class: it is one run over one domain.
final class Rebase {
    private let context: DomainContext
    private let index: ChunkIndex
    private let surroundings: Surroundings
    private let usable: Set<ObjectID>
    /// Where frames are read.
    private let reading: DomainContext
    private let finder: ChunkFinder
    private let decoded = DecodedFrames(bytesMax: 64 << 20)
    let plan: RebasePlan
    /// Frames that wait for others, to be made in one go.
    private var runs: [ContentClass: [DeltaRun]] = [:]
    /// Chunks that were made anew, and whether they have a place already.
    private var anew: [ChunkID: Bool] = [:]
    private(set) var bytesWritten = 0
    private(set) var damaged = 0

    /// - Parameter leftOut: snapshots that are taken to be gone.
    init(
        _ vault: Vault, _ domain: DomainID, _ options: PruneOptions,
        leavingOut leftOut: Set<ObjectID>
    ) throws {
        context = try vault.requiredContext(domain)
        index = try vault.openIndex(domain)
        surroundings = vault.surroundings
        reading = vault.cachedContext(context)
        let condemned = Set(try vault.condemnedPacks(of: domain).keys)
        let live = try LiveData(vault, context, index, condemned: condemned)
        try live.readManifests(leavingOut: leftOut)
        usable = live.existing.subtracting(condemned)
        finder = ChunkFinder(reading, index)
        finder.follow(live.existing)
        let propped = live.table.propped
        let estimate = RebasePlan(
            propped, sizes: try Self.estimate(propped, finder), unusedMax: options.unusedMax,
            writtenMax: options.repackMax)
        let measured = try Self.measure(estimate.frames, finder, workers: surroundings.workers) { [reading, finder, decoded] in try RebaseMeasure(reading, finder, decoded) }
        plan = RebasePlan(
            propped, sizes: measured, among: estimate.freed, unusedMax: options.unusedMax,
            writtenMax: options.repackMax)
    }

    /// How long frames will be, about: alone as others are that stand alone, and on what is further down as it
    /// and the deltas between together. Directories are read pack by pack.
    private static func estimate(
        _ propped: Propped, _ finder: ChunkFinder
    ) throws -> [ChunkPlace: Int] {
        var sizes: [ChunkPlace: (stored: Int, raw: Int, named: Int)] = [:]
        var (stored, raw) = (1, 1)
        let places = Set(propped.frames.flatMap { [$0.place] + $0.between })
        for (pack, places) in Dictionary(grouping: places, by: { $0.pack }) {
            guard let directory = try found({ try finder.directory(of: pack) }) else { continue }
            for place in places where place.frame < directory.frames.count {
                let frame = directory.frames[place.frame]
                sizes[place] = (
                    Int(frame.storedBytes), Int(frame.rawBytes), namedBytes(place.frame, directory)
                )
            }
            for frame in directory.frames where frame.codec != .delta {
                stored += Int(frame.storedBytes)
                raw += Int(frame.rawBytes)
            }
        }
        var estimate: [ChunkPlace: Int] = [:]
        for frame in propped.frames {
            guard let own = sizes[frame.place] else { continue }
            let alone = Int(Double(own.raw) * Double(stored) / Double(raw))
            let delta = frame.between.reduce(own.stored) { $0 + (sizes[$1]?.stored ?? 0) }
            estimate[frame.place] = own.named + (frame.isGrounded ? min(alone, delta) : alone)
        }
        return estimate
    }

    /// What the directory of a pack, and an index object, say of a frame and its chunks, about.
    private static func namedBytes(_ frame: Int, _ directory: OpenDirectory) -> Int {
        2 * (48 + 28 * directory.frames[frame].chunks.count)
    }

    /// How long frames will be. One that cannot be read is left out.
    private static func measure(
        _ frames: [Propped.Frame], _ finder: ChunkFinder, workers: Int,
        _ measurer: @escaping @Sendable () throws -> RebaseMeasure
    ) throws -> [ChunkPlace: Int] {
        var sizes: [ChunkPlace: Int] = [:]
        let pipeline = Pipeline(workers: workers, inFlight: 2 * workers + 2, make: measurer)
        defer { pipeline.stop() }
        var ahead = frames[...]
        var under: [(place: ChunkPlace, namedBytes: Int)] = []
        func fill() throws {
            while !pipeline.isFull, let frame = ahead.popFirst() {
                let place = frame.place
                guard let directory = try found({ try finder.directory(of: place.pack) }) else {
                    continue
                }
                under.append((place, namedBytes(place.frame, directory)))
                let at = FramePlace(directory: directory, frame: place.frame)
                pipeline.submit(RebaseMeasure.Job(at, without: frame.between))
            }
        }
        try fill()
        while let byteCount = try pipeline.take() {
            let (place, namedBytes) = under.removeFirst()
            sizes[place] = byteCount.map { $0 + namedBytes }
            try fill()
        }
        return sizes
    }

    /// Nil for what is gone: another prune has moved it.
    private static func found<Result>(_ read: () throws -> Result) throws -> Result? {
        do { return try read() } catch StorageError.missing { return nil }
    }

    func run() throws {
        guard !plan.frames.isEmpty else { return }
        let table = FrameTable(index.outlines, usable: usable, shunning: plan.freed)
        let mover = PackMover(
            context, index, surroundings,
            bases: Bases(
                context: reading, finder: finder, decoded: decoded, limits: .usual, reliance: table))
        defer { mover.stop() }
        let decoder = try FrameDecoder(reading, finder, decoded)
        for (done, frame) in plan.frames.enumerated() {
            surroundings.progress(Progress(done, of: plan.frames.count, "deltas made anew"))
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            guard let (run, contentClass) = try self.run(frame, decoder, table) else { continue }
            // What it stands on is named by its place, which it has once it is stored.
            if run.base.contains(where: { anew[$0] == false }) { try settle(mover, table) }
            for chunk in run.chunks { anew[chunk.id] = false }
            runs[contentClass, default: []].append(run)
            // As many as keep a thread busy for a while.
            if runs[contentClass, default: []].reduce(0, { $0 + $1.bytes.count }) >= Self.jobBytes {
                try mover.add(runs.removeValue(forKey: contentClass) ?? [], contentClass)
            }
        }
        try settle(mover, table)
        bytesWritten = mover.bytesWritten
    }

    private func settle(_ mover: PackMover, _ table: FrameTable) throws {
        for (contentClass, runs) in runs { try mover.add(runs, contentClass) }
        runs = [:]
        try mover.settle()
        for id in anew.keys { anew[id] = true }
        table.extend(index.outlines, by: mover.packs.sorted())
        finder.follow(usable.union(mover.packs))
    }

    private static let jobBytes = 1 << 20

    /// A frame to be made anew, decoded and verified; nil where it cannot be, and stays.
    private func run(
        _ frame: Propped.Frame, _ decoder: FrameDecoder, _ table: FrameTable
    ) throws -> (run: DeltaRun, ContentClass)? {
        do {
            let directory = try finder.directory(of: frame.place.pack)
            let place = FramePlace(directory: directory, frame: frame.place.frame)
            let plaintext = try decoder.opened(place.frame, of: directory).plaintext
            let row = directory.frames[place.frame]
            let chunks = row.chunks.map { number in
                let chunk = directory.chunks[Int(number)]
                return PackDirectory.Chunk(id: chunk.id, byteCount: Int(chunk.byteCount))
            }
            return (
                DeltaRun(chunks: chunks, bytes: plaintext, base: try base(of: place, table)),
                directory.contentClass(ofSegment: Int(row.segment))
            )
        } catch StorageError.missing {
            // Another prune has moved it meanwhile.
            return nil
        } catch  where isDamage(error) {
            surroundings.warn("not made anew: \(explanation(of: error))")
            damaged += 1
            return nil
        }
    }

    /// The chunks under a frame that it can stand on when segments are freed, those next to it first.
    private func base(of place: FramePlace, _ table: FrameTable) throws -> [ChunkID] {
        var chunks: [ChunkID] = []
        var seen: Set<FramePlace> = []
        var ahead = Array(try place.bases(finder).reversed())
        while let piece = ahead.popLast() {
            let stays = piece.place.chunkPlace.map { table.isWhole($0) } ?? false
            if stays || piece.chunks.allSatisfy({ anew[$0] != nil }) {
                chunks += piece.chunks
            } else if seen.insert(piece.place).inserted {
                ahead += try piece.place.bases(finder).reversed()
            }
        }
        return chunks
    }
}
