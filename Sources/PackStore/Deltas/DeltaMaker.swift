import Compression
import Faults
import WireFormat
import Workers

/// Compresses runs of new chunks against what stood in their place before. One a thread.
final class DeltaMaker {
    private let choice: BaseChoice
    private let decoder: FrameDecoder
    private var compressor = Compressor(level: DeltaMaker.level)
    private var decompressor = Decompressor()
    private let compressed = Buffer(capacity: Limits.frameRawBytes)
    private let check = Buffer(capacity: Limits.frameRawBytes)
    /// The base of the run at hand, where it has several parts.
    private let joined = Buffer(capacity: Limits.baseRawBytes)

    private static let level = 3
    /// A delta so many times smaller than its content is taken unseen: nothing else comes near.
    private static let surely = 12
    /// A chunk is of use if so small a part of it stands in the run.
    private static let commonPart = 8

    init(_ bases: Bases) throws {
        choice = BaseChoice(finder: bases.finder, limits: bases.limits, isUsable: bases.isUsable)
        decoder = try FrameDecoder(bases.context, bases.finder, bases.decoded)
    }

    /// The delta of a run; nil where there is no base or where plain compression gives less.
    /// - Parameter alignments: receives where the run is found in the parent, if it asks for that.
    func make(_ run: DeltaRun, alignments: inout [RunAlignment]) throws -> MadeFrame? {
        guard let base = try? base(of: run) else { return nil }
        if let alignment = base.alignment { alignments.append(alignment) }
        guard base.bytes.count > 0 else { return nil }
        return try run.bytes.withBytes { source in
            try base.bytes.withBytes { prefix in
                guard
                    let count = try compressor.compress(
                        source, base: prefix, into: compressed.room(0..<source.count),
                        limit: source.count)
                else { return nil }
                if count * Self.surely > source.count {
                    let plain = try compressor.compress(
                        source, into: check.room(0..<count), limit: count)
                    if plain != nil { return nil }
                }
                // Most are a few hundred bytes: they get a block of their size.
                let result = Buffer(capacity: count)
                result.room(0..<count).copyMemory(from: compressed.bytes(0..<count))
                let stored = Slice(result, 0..<count)
                try prove(stored, prefix, source)
                return MadeFrame(
                    frame: PackDirectory.Frame(
                        codec: .delta, storedBytes: count, chunks: run.chunks),
                    stored: stored, base: base.made)
            }
        }
    }

    private func prove(
        _ stored: Slice, _ base: UnsafeRawBufferPointer, _ source: UnsafeRawBufferPointer
    ) throws {
        let room = check.room(0..<source.count)
        try stored.withBytes { (frame) throws(CompressionError) in
            try decompressor.decompress(frame, base: base, into: room)
        }
        guard memoryEquals(check.bytes(0..<source.count), source) else {
            throw CompressionError.library("a compressed frame does not give back what went in")
        }
    }

    /// What a run can stand on.
    private struct Chosen {
        let bytes: Slice
        let made: MadeBase
        /// Where the run is found in the parent, if it asks for that.
        let alignment: RunAlignment?
    }

    /// The plaintext of a base, every chunk of it verified, and how it is named; nil where there is
    /// none.
    private func base(of run: DeltaRun) throws -> Chosen? {
        let samples = run.bytes.withBytes { Samples(of: $0) }
        let (located, isWhole) = try choice.locate(run.base)
        var alignment: RunAlignment?
        if let place = run.place {
            alignment = RunAlignment(run: place.own, place: isWhole ? try align(run, located) : nil)
        }
        var pieces = located
        for depth in choice.depths {
            pieces = try useful(choice.lower(pieces, to: depth), samples)
            guard !pieces.isEmpty else { break }
            guard let closure = try Closure(of: pieces, within: choice.limits, choice.finder) else {
                continue
            }
            let made = MadeBase(
                depth: closure.depth, closureFrames: closure.frames.count,
                closureBytes: closure.byteCount, pieces: pieces.map { $0.name },
                packs: closure.packs)
            return Chosen(bytes: try join(pieces), made: made, alignment: alignment)
        }
        return alignment.map { Chosen(bytes: Slice(copying: []), made: .none, alignment: $0) }
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
                    let (picked, common) = samples.found(in: bytes)
                    guard common * Self.commonPart > picked else { return }
                    try decoder.verify(bytes, found)
                    BaseChoice.append(
                        BasePiece(
                            directory: piece.directory, frame: piece.frame,
                            chunks: chunk..<(chunk + 1)), to: &kept)
                }
            }
        }
        return kept
    }

    private func join(_ pieces: [BasePiece]) throws -> Slice {
        let parts = try pieces.map { piece in
            let frame = try decoder.frame(piece.frame, of: piece.directory)
            let start = frame.range.lowerBound
            return Slice(
                frame.buffer, (start + piece.range.lowerBound)..<(start + piece.range.upperBound))
        }
        return Slice(joining: parts, in: joined)
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
