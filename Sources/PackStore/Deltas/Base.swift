import ChunkIndex
import WireFormat

/// Some consecutive chunks of a frame that a delta may stand on.
struct BasePiece {
    let directory: OpenDirectory
    let frame: Int
    /// Rows of the directory.
    var chunks: Range<Int>

    var depth: Int { Int(directory.frames[frame].depth) }

    /// Where they lie in the plaintext of the frame.
    var range: Range<Int> {
        let (first, last) = (
            directory.chunks[chunks.lowerBound], directory.chunks[chunks.upperBound - 1]
        )
        return Int(first.start)..<Int(last.start + last.byteCount)
    }

    /// The pack it is in; nil in a manifest.
    var place: ChunkPlace? { directory.place(ofFrame: frame) }

    /// As a directory says it, but for the number of the base segment.
    var name: (segment: PackDirectory.SegmentName, frame: Int, firstChunk: Int, chunkCount: Int) {
        let row = directory.frames[frame]
        let segment = Int(row.segment)
        return (
            directory.name(ofSegment: segment),
            frame - Int(directory.segments[segment].frames.lowerBound),
            chunks.lowerBound - Int(row.chunks.lowerBound), chunks.count
        )
    }
}

/// What must be decoded before a frame can be: all frames that its base stands on.
struct Closure {
    private(set) var frames: Set<DecodedFrames.Name> = []
    private(set) var byteCount = 0
    /// 1 + the greatest depth among the frames it was made for.
    private(set) var depth = 0

    /// The closure of a base; nil where it goes beyond the limits.
    init?(of pieces: [BasePiece], within limits: DeltaLimits, _ finder: ChunkFinder) throws {
        for piece in pieces { depth = max(depth, piece.depth + 1) }
        guard depth <= limits.depth else { return nil }
        var ahead = pieces.map { ($0.directory, $0.frame) }
        while let (directory, number) = ahead.popLast() {
            guard frames.insert(DecodedFrames.Name(directory, number)).inserted else { continue }
            let frame = directory.frames[number]
            byteCount += Int(frame.rawBytes)
            guard frames.count <= limits.closureFrames, byteCount <= limits.closureBytes else {
                return nil
            }
            for piece in try directory.basePieces(ofFrame: number, finder) {
                ahead.append((piece.directory, piece.frame))
            }
        }
    }
}

extension OpenDirectory {
    /// Where a frame is; nil in a manifest.
    func place(ofFrame number: Int) -> ChunkPlace? {
        guard case .pack(_, let pack) = source.name else { return nil }
        return ChunkPlace(pack: pack, frame: number)
    }

    /// What a frame stands on itself.
    func basePieces(ofFrame number: Int, _ finder: ChunkFinder) throws -> [BasePiece] {
        let frame = frames[number]
        return try pieces[Int(frame.pieces.lowerBound)..<Int(frame.pieces.upperBound)].map {
            piece in
            let (base, segment) = try finder.locate(baseSegments[piece.segment])
            let number = Int(base.segments[segment].frames.lowerBound) + piece.frame
            guard number < base.segments[segment].frames.upperBound,
                base.range(of: piece, inFrame: number) != nil,
                // The depth falls with every step, so there is no cycle, whatever directories say.
                base.frames[number].depth < frame.depth,
                base.contentClass(ofSegment: segment) == contentClass(ofSegment: Int(frame.segment))
            else {
                throw WireError.malformed(
                    "\(what(segment: Int(frame.segment))) is malformed: its base is no part of an older segment"
                )
            }
            let first = Int(base.frames[number].chunks.lowerBound) + piece.firstChunk
            return BasePiece(
                directory: base, frame: number, chunks: first..<(first + piece.chunkCount))
        }
    }
}
