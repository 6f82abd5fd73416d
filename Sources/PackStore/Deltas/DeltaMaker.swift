import Compression
import Faults
import ObjectStorage
import WireFormat
import Workers

/// Compresses runs of new chunks against what stood in their place before. One a thread.
final class DeltaMaker {
    private let choice: BaseChoice
    private let decoder: FrameDecoder
    private var decompressor = Decompressor()
    private let compressed: Buffer
    private let check: Buffer
    /// The base of the run at hand, where it has several parts.
    private let joined = Buffer(capacity: Limits.baseRawBytes)

    private static let level = 3
    /// A delta so many times smaller than its content is taken unseen: nothing else comes near.
    private static let surely = 32
    /// One that is not so many times smaller is made again, thoroughly: rows that were changed may
    /// stand elsewhere than before, a few here and a few there, as PostgreSQL writes them.
    private static let poorly = 8
    private static let thoroughLevel = 6
    /// A base has enough in common with the run if that is such a part of it.
    private static let enoughPart = 2
    /// One that has less than such a part does not tell where the run stood.
    private static let littlePart = 16

    /// - Parameter rooms: two blocks of `Limits.frameRawBytes` to work in.
    init(_ bases: Bases, rooms: (Buffer, Buffer)) throws {
        choice = BaseChoice(finder: bases.finder, limits: bases.limits, reliance: bases.reliance)
        decoder = try FrameDecoder(bases.context, bases.finder, bases.decoded)
        (compressed, check) = rooms
    }

    /// Adds the delta of a run to what was made, or the run itself where there is no base or where
    /// plain compression gives less; and where the run is found in the parent, if it asks for that.
    func make(
        _ run: DeltaRun, with compressor: inout Compressor, into made: inout MadeFrames
    ) throws {
        var base: Chosen?
        do {
            base = try self.base(of: run, alignments: &made.alignments)
        } catch {
            // A base is worth having, not worth failing for. One that is gone was moved by a prune since
            // packs were listed, or is in no copy that this machine has.
            if case StorageError.missing = error {
            } else if isDamage(error), made.damage == nil {
                made.damage = explanation(of: error)
            }
        }
        if let base, let frame = try compress(run, base, with: &compressor) {
            made.frames.append(frame)
        } else {
            made.declined.append(run.alone)
        }
    }

    private func compress(
        _ run: DeltaRun, _ base: Chosen, with compressor: inout Compressor
    ) throws -> MadeFrame? {
        try run.bytes.withBytes { source in
            try join(base.pieces).withBytes { prefix in
                guard
                    var count = try compressor.compress(
                        source, level: Self.level, base: prefix,
                        into: compressed.room(0..<source.count), limit: source.count)
                else { return nil }
                var best = compressed
                var other = check
                if count * Self.poorly > source.count,
                    let less = try compressor.compress(
                        source, level: Self.thoroughLevel, base: prefix,
                        into: other.room(0..<count), limit: count)
                {
                    count = less
                    swap(&best, &other)
                }
                if count * Self.surely > source.count,
                    try compressor.compress(
                        source, level: Self.level, into: other.room(0..<count), limit: count) != nil
                {
                    return nil
                }
                // Most are a few hundred bytes: they get a block of their size.
                let result = Buffer(capacity: count)
                result.room(0..<count).copyMemory(from: best.bytes(0..<count))
                let stored = Slice(result, 0..<count)
                try decompressor.prove(stored, base: prefix, gives: source, in: check)
                return MadeFrame(
                    frame: PackDirectory.Frame(
                        codec: .delta, storedBytes: count, chunks: run.chunks),
                    stored: stored, base: base.made)
            }
        }
    }

    /// What a run can stand on.
    private struct Chosen {
        let pieces: [BasePiece]
        let made: MadeBase
        /// How many of the run's samples were found in it, roughly.
        let common: Int
    }

    /// What stood in the place of a run; and where the run is found in the parent, if its place was
    /// only reckoned.
    private func base(of run: DeltaRun, alignments: inout [RunAlignment]) throws -> Chosen? {
        let samples = run.bytes.withBytes { Samples(of: $0) }
        let near = try base(run.base, samples)
        guard let place = run.reckoned else { return near }
        let found = try align(run, near, among: run.base, from: place.base, samples)
        if let found { alignments.append(found) }
        if let near, near.common * Self.enoughPart > samples.count { return near }
        let around = try base(place.around.ids, samples)
        if found == nil,
            let found = try align(
                run, around, among: place.around.ids, from: place.around.start, samples)
        {
            alignments.append(found)
        }
        return around
    }

    /// What a run has something in common with among chunks of the parent, and how it is named; nil
    /// where there is nothing. Names of its chunks are not recomputed: their seals hold, so a reader
    /// will decode the same bytes, and recompute the names of what it gives out.
    private func base(_ ids: [ChunkID], _ samples: Samples) throws -> Chosen? {
        var pieces = choice.locate(ids).pieces
        for depth in choice.depths {
            let common: Int
            (pieces, common) = try useful(choice.lower(pieces, to: depth), samples)
            guard !pieces.isEmpty else { return nil }
            guard let closure = try Closure(of: pieces, within: choice.limits, choice.finder) else {
                continue
            }
            let made = MadeBase(
                depth: closure.depth, closureFrames: closure.frames.count,
                closureBytes: closure.byteCount, pieces: pieces.map { $0.name },
                places: pieces.compactMap { $0.place })
            return Chosen(pieces: pieces, made: made, common: common)
        }
        return nil
    }

    /// The chunks of pieces that have something in common with the run, and how many samples that
    /// is. Every chunk that is kept may bring a frame, and all that it stands on, into what must be
    /// decoded later.
    private func useful(
        _ pieces: [BasePiece], _ samples: Samples
    ) throws -> (pieces: [BasePiece], common: Int) {
        var kept: [BasePiece] = []
        var common = 0
        for piece in pieces {
            let frame = try decoder.frame(piece.frame, of: piece.directory)
            for chunk in piece.chunks {
                let row = FoundChunk(directory: piece.directory, frame: piece.frame, chunk: chunk)
                frame.withBytes { frame in
                    let bytes = UnsafeRawBufferPointer(rebasing: frame[row.range])
                    guard let found = samples.common(with: bytes) else { return }
                    common += found
                    BaseChoice.append(
                        BasePiece(
                            directory: piece.directory, frame: piece.frame,
                            chunks: chunk..<(chunk + 1)), to: &kept)
                }
            }
        }
        // Joined pieces may have come apart: a directory names no more than this.
        return (Array(kept.prefix(Limits.piecesPerBase)), common)
    }

    /// The bytes of pieces, one after the other; good until the next call.
    private func join(_ pieces: [BasePiece]) throws -> Slice {
        var end = 0
        for piece in pieces {
            // Not all frames at once: each may be a mebibyte.
            let frame = try decoder.frame(piece.frame, of: piece.directory)
            let start = frame.range.lowerBound
            let part = Slice(
                frame.buffer, (start + piece.range.lowerBound)..<(start + piece.range.upperBound))
            if pieces.count == 1 { return part }
            part.withBytes { joined.room(end..<(end + $0.count)).copyMemory(from: $0) }
            end += part.count
        }
        return Slice(joined, 0..<end)
    }

    /// Where a run is found among chunks that lie side by side in the parent from `start` on. Not
    /// looked for where it has next to nothing in common with them.
    private func align(
        _ run: DeltaRun, _ base: Chosen?, among ids: [ChunkID], from start: Int, _ samples: Samples
    ) throws -> RunAlignment? {
        guard let place = run.reckoned, let base, base.common * Self.littlePart > samples.count
        else { return nil }
        let (pieces, isWhole) = choice.locate(ids)
        guard isWhole else { return nil }
        let parent = try join(pieces)
        let found = run.bytes.withBytes { source in
            parent.withBytes { Alignment.find(source, in: $0) }
        }
        return found.map { RunAlignment(own: place.own + $0.source, parent: start + $0.base) }
    }
}

/// What the makers of deltas share.
package struct Bases: Sendable {
    /// Where they are read.
    let context: DomainContext
    let finder: ChunkFinder
    let decoded: DecodedFrames
    let limits: DeltaLimits
    /// Which frames may be relied on.
    let reliance: FrameTable

    package init(
        context: DomainContext, finder: ChunkFinder, decoded: DecodedFrames, limits: DeltaLimits,
        reliance: FrameTable
    ) {
        self.context = context
        self.finder = finder
        self.decoded = decoded
        self.limits = limits
        self.reliance = reliance
    }
}
