import ObjectStorage
import Sealing
import WireFormat
import Workers

/// A segment as it was sealed, on its way from one pack to another. Its name stays: what stands on it
/// finds it there.
package struct SealedSegment: Sendable {
    package let envelope: StoredEnvelope
    let number: UInt64
    /// Frames without their bases, and the bases by names.
    let frames: [(frame: PackDirectory.Frame, base: MadeBase?)]
    let bytes: Slice

    package var name: PackDirectory.SegmentName {
        PackDirectory.SegmentName(envelope: envelope.header.id, number: number)
    }
    package var chunks: [PackDirectory.Chunk] { frames.flatMap { $0.frame.chunks } }
    var byteCount: Int { bytes.count }
}

/// A segment of a pack, by its number there.
package struct SegmentPlace: Sendable {
    package let directory: OpenDirectory
    package let segment: Int

    package init(directory: OpenDirectory, segment: Int) {
        self.directory = directory
        self.segment = segment
    }
}

/// Reads segments as they are sealed, and proves the seals of those that its key opens. One a thread.
package final class SegmentReader: PipelineWorker {
    private let pool: BufferPool
    private let opensData: Bool
    private let opened = Buffer(capacity: Limits.segmentPlaintextBytes + MessageCipher.tagBytes)

    /// - Parameter pool: blocks for sealed segments.
    package init(_ context: DomainContext, pool: BufferPool) {
        self.pool = pool
        opensData = context.keyring.opensData
    }

    package static func pool() -> BufferPool {
        BufferPool(capacity: Limits.segmentPlaintextBytes + MessageCipher.tagBytes)
    }

    package func run(_ place: SegmentPlace) throws -> SealedSegment {
        let (directory, segment) = (place.directory, place.segment)
        let count = directory.sealedRange(ofSegment: segment).count
        let bytes = pool.take()
        try directory.readSealed(segment, into: bytes.room(0..<count))
        if opensData || directory.contentClass(ofSegment: segment) == .list {
            let room = opened.room(0..<count)
            room.copyMemory(from: bytes.bytes(0..<count))
            try directory.open(segment, sealed: room)
        }
        return SealedSegment(
            envelope: directory.envelopes[Int(directory.segments[segment].envelope)],
            number: UInt64(directory.segments[segment].number),
            frames: directory.rows(ofSegment: segment), bytes: Slice(bytes, 0..<count))
    }
}

extension OpenDirectory {
    /// What the directory says of the frames of a segment, bases by names.
    func rows(ofSegment number: Int) -> [(frame: PackDirectory.Frame, base: MadeBase?)] {
        segments[number].frames.map { row($0) }
    }

    private func row(_ number: Int32) -> (frame: PackDirectory.Frame, base: MadeBase?) {
        let row = frames[Int(number)]
        let frame = PackDirectory.Frame(
            codec: row.codec, storedBytes: Int(row.storedBytes),
            chunks: chunks[Int(row.chunks.lowerBound)..<Int(row.chunks.upperBound)].map {
                PackDirectory.Chunk(id: $0.id, byteCount: Int($0.byteCount))
            })
        guard row.codec == .delta else { return (frame, nil) }
        let pieces = pieces[Int(row.pieces.lowerBound)..<Int(row.pieces.upperBound)].map {
            (
                segment: baseSegments[$0.segment], frame: $0.frame, firstChunk: $0.firstChunk,
                chunkCount: $0.chunkCount
            )
        }
        let base = MadeBase(
            depth: Int(row.depth), closureFrames: Int(row.closureFrames),
            closureBytes: Int(row.closureBytes), pieces: pieces, places: [])
        return (frame, base)
    }

    /// The frames of other segments that a frame stands on.
    package func bases(
        ofFrame number: Int
    ) -> [(segment: PackDirectory.SegmentName, frame: Int)] {
        let row = frames[number]
        return pieces[Int(row.pieces.lowerBound)..<Int(row.pieces.upperBound)].map {
            (baseSegments[$0.segment], $0.frame)
        }
    }
}
