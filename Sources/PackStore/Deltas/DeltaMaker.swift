import Compression
import Faults
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
    /// A chunk is of use if so small a part of it stands in the run.
    private static let commonPart = 8

    /// - Parameter rooms: two blocks of `Limits.frameRawBytes` to work in.
    init(_ bases: Bases, rooms: (Buffer, Buffer)) throws {
        choice = BaseChoice(finder: bases.finder, limits: bases.limits, isUsable: bases.isUsable)
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
            // A base is worth having, not worth failing for.
            if isDamage(error), made.damage == nil { made.damage = explanation(of: error) }
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
            try base.bytes.withBytes { prefix in
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
        let bytes: Slice
        let made: MadeBase
        /// How many of the run's samples were found in it, roughly.
        let common: Int
    }

    /// What stood in the place of a run; and where the run is found in the parent, if its place was
    /// only reckoned.
    private func base(of run: DeltaRun, alignments: inout [RunAlignment]) throws -> Chosen? {
        let samples = run.bytes.withBytes { Samples(of: $0) }
        let near = choice.locate(run.base)
        guard let place = run.reckoned else { return try base(near.pieces, samples) }
        let isNear = try near.isWhole && align(run, near.pieces, at: place.base, &alignments)
        if let base = try base(near.pieces, samples),
            base.common * Self.enoughPart > samples.count
        {
            return base
        }
        let around = choice.locate(place.around.ids)
        if around.isWhole, !isNear {
            _ = try align(run, around.pieces, at: place.around.start, &alignments)
        }
        return try base(around.pieces, samples)
    }

    /// The plaintext of a base, every chunk of it verified, and how it is named; nil where there is
    /// none.
    private func base(_ located: [BasePiece], _ samples: Samples) throws -> Chosen? {
        var pieces = located
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
                packs: closure.packs)
            return Chosen(bytes: try join(pieces), made: made, common: common)
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
                try frame.withBytes { frame in
                    let bytes = UnsafeRawBufferPointer(rebasing: frame[row.range])
                    let picked = Samples.picked(bytes)
                    let found = samples.found(in: picked)
                    guard found * Self.commonPart > picked.count else { return }
                    common += found * Samples.pickedPart
                    try decoder.verify(bytes, row)
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

    /// Looks for the run in pieces that lie side by side in the parent from `start` on.
    private func align(
        _ run: DeltaRun, _ pieces: [BasePiece], at start: Int, _ alignments: inout [RunAlignment]
    ) throws -> Bool {
        guard let place = run.reckoned, !pieces.isEmpty else { return false }
        let base = try join(pieces)
        let found = run.bytes.withBytes { source in
            base.withBytes { Alignment.find(source, in: $0) }
        }
        guard let found else { return false }
        alignments.append(RunAlignment(own: place.own + found.source, parent: start + found.base))
        return true
    }
}

/// What the makers of deltas share.
package struct Bases: Sendable {
    /// Where they are read.
    let context: DomainContext
    let finder: ChunkFinder
    let decoded: DecodedFrames
    let limits: DeltaLimits
    let isUsable: @Sendable (ObjectID) -> Bool

    package init(
        context: DomainContext, finder: ChunkFinder, decoded: DecodedFrames, limits: DeltaLimits,
        isUsable: @escaping @Sendable (ObjectID) -> Bool
    ) {
        self.context = context
        self.finder = finder
        self.decoded = decoded
        self.limits = limits
        self.isUsable = isUsable
    }
}
