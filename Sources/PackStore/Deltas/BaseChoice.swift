import WireFormat

/// Chooses what a delta stands on, given what stood in its place in the parent.
///
/// Last night's chunks are the nearest base and give the smallest delta. But they are deltas
/// themselves, and each night adds a step to decode. Where the parent's chunks would pass the
/// limits, what they stand on themselves takes their place: older content of the same place. The
/// delta is larger by what has changed since, and the chain begins anew from there.
struct BaseChoice {
    let finder: ChunkFinder
    let limits: DeltaLimits
    /// Which frames may be relied on.
    let reliance: FrameTable

    /// The chunks as pieces of frames; what is not there is left out. Where one lies only in what must
    /// not be relied on, a manifest or a pack that will go, what it stands on itself takes its place.
    func locate(_ ids: [ChunkID]) -> (pieces: [BasePiece], isWhole: Bool) {
        var pieces: [BasePiece] = []
        var isWhole = true
        var last: FoundChunk?
        var byteCount = 0
        var replaced: Set<DecodedFrames.Name> = []
        for id in ids {
            guard var found = try? finder.find(id, after: last) else {
                isWhole = false
                continue
            }
            if !isUsable(found.directory, found.frame) {
                found = finder.find(id) { reliance.isWhole($0) } ?? found
            }
            last = found
            var own = [
                BasePiece(
                    directory: found.directory, frame: found.frame,
                    chunks: found.chunk..<(found.chunk + 1))
            ]
            if !isUsable(found.directory, found.frame) {
                isWhole = false
                // Several chunks of one frame stand on the same.
                let name = DecodedFrames.Name(found.directory, found.frame)
                guard replaced.insert(name).inserted else { continue }
                own = (try? found.directory.basePieces(ofFrame: found.frame, finder)) ?? []
                own.removeAll { !isUsable($0.directory, $0.frame) }
            }
            byteCount += own.reduce(0) { $0 + $1.range.count }
            guard byteCount <= Limits.baseRawBytes else {
                isWhole = false
                break
            }
            for piece in own { Self.append(piece, to: &pieces) }
        }
        return (pieces, isWhole)
    }

    /// Where a chunk lies in a frame that may be relied on.
    func find(_ id: ChunkID, after last: FoundChunk?) -> FoundChunk? {
        guard let found = try? finder.find(id, after: last) else { return nil }
        return isUsable(found.directory, found.frame)
            ? found : finder.find(id) { reliance.isWhole($0) }
    }

    private func isUsable(_ directory: OpenDirectory, _ frame: Int) -> Bool {
        directory.place(ofFrame: frame).map { reliance.isWhole($0) } ?? false
    }

    /// Puts what pieces stand on in their place until none is deeper than `depthMax`.
    func lower(_ pieces: [BasePiece], to depthMax: Int) throws -> [BasePiece] {
        var lowered: [BasePiece] = []
        var seen: Set<DecodedFrames.Name> = []
        var byteCount = 0
        var ahead = Array(pieces.reversed())
        while let piece = ahead.popLast() {
            if piece.depth > depthMax {
                // Several pieces of one frame stand on the same.
                guard seen.insert(DecodedFrames.Name(piece.directory, piece.frame)).inserted else {
                    continue
                }
                ahead += try piece.directory.basePieces(ofFrame: piece.frame, finder).reversed()
                continue
            }
            guard !lowered.contains(where: { $0.covers(piece) }) else { continue }
            byteCount += piece.range.count
            guard byteCount <= Limits.baseRawBytes, lowered.count < Limits.piecesPerBase else {
                break
            }
            Self.append(piece, to: &lowered)
        }
        return lowered
    }

    /// The depths to which pieces are lowered in turn, until the closure keeps to the limits.
    var depths: [Int] { [limits.depth - 1, limits.depth / 2, 0] }

    /// Adds a piece, joined with the last one where it goes on from there.
    static func append(_ piece: BasePiece, to pieces: inout [BasePiece]) {
        if let last = pieces.last, last.directory === piece.directory, last.frame == piece.frame,
            last.chunks.upperBound == piece.chunks.lowerBound
        {
            pieces[pieces.count - 1].chunks = last.chunks.lowerBound..<piece.chunks.upperBound
        } else {
            pieces.append(piece)
        }
    }
}

extension BasePiece {
    fileprivate func covers(_ other: BasePiece) -> Bool {
        directory === other.directory && frame == other.frame
            && chunks.lowerBound <= other.chunks.lowerBound
            && chunks.upperBound >= other.chunks.upperBound
    }
}
