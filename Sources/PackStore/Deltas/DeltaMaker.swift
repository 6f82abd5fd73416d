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
            let (pieces, alignment) = try located(run)
            if let alignment { made.alignments.append(alignment) }
            base = try self.base(pieces, run.bytes.withBytes { Samples(of: $0) })
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
    }

    /// What stood in the place of a run, and where the run is found in the parent, if it asks.
    private func located(_ run: DeltaRun) throws -> (
        pieces: [BasePiece], alignment: RunAlignment?
    ) {
        let (pieces, isWhole) = choice.locate(run.base)
        guard let place = run.place else { return (pieces, nil) }
        let found = isWhole ? try align(run, pieces) : nil
        return (pieces, RunAlignment(run: place.own, place: found))
    }

    /// The plaintext of a base, every chunk of it verified, and how it is named; nil where there is
    /// none.
    private func base(_ located: [BasePiece], _ samples: Samples) throws -> Chosen? {
        var pieces = located
        for depth in choice.depths {
            pieces = try useful(choice.lower(pieces, to: depth), samples)
            guard !pieces.isEmpty else { return nil }
            guard let closure = try Closure(of: pieces, within: choice.limits, choice.finder) else {
                continue
            }
            let made = MadeBase(
                depth: closure.depth, closureFrames: closure.frames.count,
                closureBytes: closure.byteCount, pieces: pieces.map { $0.name },
                packs: closure.packs)
            return Chosen(bytes: try join(pieces), made: made)
        }
        return nil
    }

    /// The chunks of pieces that have something in common with the run. Every chunk that is kept
    /// may bring a frame, and all that it stands on, into what must be decoded later.
    private func useful(_ pieces: [BasePiece], _ samples: Samples) throws -> [BasePiece] {
        var kept: [BasePiece] = []
        for piece in pieces {
            let frame = try decoder.frame(piece.frame, of: piece.directory)
            for chunk in piece.chunks {
                let found = FoundChunk(directory: piece.directory, frame: piece.frame, chunk: chunk)
                try frame.withBytes { frame in
                    let bytes = UnsafeRawBufferPointer(rebasing: frame[found.range])
                    let picked = Samples.picked(bytes)
                    guard samples.found(in: picked) * Self.commonPart > picked.count else { return }
                    try decoder.verify(bytes, found)
                    BaseChoice.append(
                        BasePiece(
                            directory: piece.directory, frame: piece.frame,
                            chunks: chunk..<(chunk + 1)), to: &kept)
                }
            }
        }
        // Joined pieces may have come apart: a directory names no more than this.
        return Array(kept.prefix(Limits.piecesPerBase))
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

    private func align(_ run: DeltaRun, _ pieces: [BasePiece]) throws -> (own: Int, parent: Int)? {
        guard let place = run.place, !pieces.isEmpty else { return nil }
        let base = try join(pieces)
        return run.bytes.withBytes { source in
            base.withBytes { base in
                Alignment.find(source, in: base).map {
                    (place.own + $0.source, place.parent + $0.base)
                }
            }
        }
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
