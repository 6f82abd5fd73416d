import ObjectStorage
import Sealing
import Synchronization
import WireFormat
import Workers

/// The directory of one pack, or of what a manifest carries itself, with the keys of its envelopes
/// as they are needed.
///
/// Flat rows instead of arrays of arrays: a restore has the directories of many nights open at
/// once, some 40 bytes a chunk.
///
/// A class: readers on several threads share what one of them opened.
package final class OpenDirectory: Sendable {
    /// Where the sealed segments lie.
    package enum Source: Sendable {
        case pack(ObjectName)
        /// In a pack that is in memory, whole.
        case loaded(Slice, of: ObjectName)
        /// In a manifest.
        case inline([UInt8], of: ObjectName)

        package var name: ObjectName {
            switch self {
            case .pack(let name), .loaded(_, let name), .inline(_, let name): name
            }
        }
    }

    /// A segment. Its frames are numbered through the directory.
    package struct Segment: Sendable {
        package let envelope: Int32
        package let number: UInt32
        let offset: Int32
        package let frames: Range<Int32>
        package let storedBytes: Int32
    }

    package struct Frame: Sendable {
        package let codec: PackDirectory.Codec
        /// 0 where it has no base.
        package let depth: UInt8
        package let closureFrames: UInt8
        package let closureBytes: Int32
        package let segment: Int32
        /// Where its stored bytes begin in the segment's plaintext.
        package let storedOffset: Int32
        package let storedBytes: Int32
        package let rawBytes: Int32
        package let chunks: Range<Int32>
        package let pieces: Range<Int32>
    }

    package struct Chunk: Sendable {
        package let id: ChunkID
        package let byteCount: Int32
        /// Where it begins in its frame.
        package let start: Int32
    }

    package let source: Source
    package let envelopes: [StoredEnvelope]
    package let baseSegments: [PackDirectory.SegmentName]
    package let segments: [Segment]
    package let frames: [Frame]
    package let chunks: [Chunk]
    package let pieces: [PackDirectory.Piece]
    private let context: DomainContext
    private let keys: Mutex<[EnvelopeKey?]>

    package init(_ source: Source, _ directory: PackDirectory, _ context: DomainContext) {
        self.source = source
        self.context = context
        envelopes = directory.envelopes
        baseSegments = directory.baseSegments
        keys = Mutex(Array(repeating: nil, count: directory.envelopes.count))
        var (segments, frames, chunks, pieces) = (
            [Segment](), [Frame](), [Chunk](), [PackDirectory.Piece]()
        )
        segments.reserveCapacity(directory.segments.count)
        frames.reserveCapacity(directory.segments.reduce(0) { $0 + $1.frames.count })
        // All counts and lengths are within 32 bits: the directory's reader has held them against
        // the limits.
        for segment in directory.segments {
            let firstFrame = Int32(frames.count)
            var storedOffset = 0
            for frame in segment.frames {
                let (firstChunk, firstPiece) = (Int32(chunks.count), Int32(pieces.count))
                var start = 0
                for chunk in frame.chunks {
                    chunks.append(
                        Chunk(id: chunk.id, byteCount: Int32(chunk.byteCount), start: Int32(start)))
                    start += chunk.byteCount
                }
                pieces += frame.base?.pieces ?? []
                frames.append(
                    Frame(
                        codec: frame.codec, depth: UInt8(frame.base?.depth ?? 0),
                        closureFrames: UInt8(frame.base?.closureFrames ?? 0),
                        closureBytes: Int32(frame.base?.closureBytes ?? 0),
                        segment: Int32(segments.count), storedOffset: Int32(storedOffset),
                        storedBytes: Int32(frame.storedBytes), rawBytes: Int32(start),
                        chunks: firstChunk..<Int32(chunks.count),
                        pieces: firstPiece..<Int32(pieces.count)))
                storedOffset += frame.storedBytes
            }
            segments.append(
                Segment(
                    envelope: Int32(segment.envelope), number: UInt32(segment.number),
                    offset: Int32(segment.offset), frames: firstFrame..<Int32(frames.count),
                    storedBytes: Int32(storedOffset)))
        }
        self.segments = segments
        self.frames = frames
        self.chunks = chunks
        self.pieces = pieces
    }

    /// About how much memory it takes.
    var byteCount: Int {
        segments.count * MemoryLayout<Segment>.stride + frames.count * MemoryLayout<Frame>.stride
            + chunks.count * MemoryLayout<Chunk>.stride
            + pieces.count * MemoryLayout<PackDirectory.Piece>.stride
            + baseSegments.count * MemoryLayout<PackDirectory.SegmentName>.stride + 4096
    }

    /// The chunk of that id in a frame, as its place among the directory's chunks.
    func find(_ id: ChunkID, inFrame frame: Int) -> Int? {
        frames[frame].chunks.first { chunks[Int($0)].id == id }.map { Int($0) }
    }

    /// The segment of a name.
    package func segment(named name: PackDirectory.SegmentName) -> Int? {
        func matches(_ segment: Segment) -> Bool {
            UInt64(segment.number) == name.number
                && envelopes[Int(segment.envelope)].header.id == name.envelope
        }
        // Where nothing was moved, they are numbered as they stand.
        if let likely = Int(exactly: name.number), likely < segments.count,
            matches(segments[likely])
        {
            return likely
        }
        return segments.firstIndex(where: matches)
    }

    package func name(ofSegment segment: Int) -> PackDirectory.SegmentName {
        PackDirectory.SegmentName(
            envelope: envelopes[Int(segments[segment].envelope)].header.id,
            number: UInt64(segments[segment].number))
    }

    package func contentClass(ofSegment segment: Int) -> ContentClass {
        envelopes[Int(segments[segment].envelope)].header.contentClass
    }

    /// For messages, such as `packs/3f/3f9c..., segment 4`.
    func what(segment: Int) -> String { "\(source.name), segment \(segment)" }

    // MARK: sealed bytes

    /// Opens a segment.
    /// - Parameter room: for the sealed message, 16 bytes longer than the segment's stored bytes,
    ///   which are its first bytes afterwards.
    func open(_ number: Int, room: UnsafeMutableRawBufferPointer) throws {
        try readSealed(number, into: room)
        try open(number, sealed: room)
    }

    /// Where the sealed message of a segment stands in the pack.
    func sealedRange(ofSegment number: Int) -> Range<Int> {
        let segment = segments[number]
        let start = Int(segment.offset)
        return start..<(start + Int(segment.storedBytes) + MessageCipher.tagBytes)
    }

    /// Reads a segment as it is sealed.
    /// - Parameter room: as long as its sealed range.
    func readSealed(_ number: Int, into room: UnsafeMutableRawBufferPointer) throws {
        let range = sealedRange(ofSegment: number)
        switch source {
        case .pack(let name): try context.store.read(name, range, into: room)
        case .loaded(let pack, _):
            pack.withBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
        case .inline(let bytes, _): room.copyBytes(from: bytes[range])
        }
    }

    /// Opens a segment where it lies.
    func open(_ number: Int, sealed room: UnsafeMutableRawBufferPointer) throws {
        let segment = segments[number]
        let result = UnsafeMutableRawBufferPointer(rebasing: room.dropLast(MessageCipher.tagBytes))
        let key = try key(Int(segment.envelope))
        let isWhole = key.cipher().open(
            number: UInt64(segment.number),
            associated: key.associated(
                number: UInt64(segment.number), context: messageContext(segment)),
            UnsafeRawBufferPointer(room), into: result)
        guard isWhole else { throw SealingError.doesNotOpen(what(segment: number)) }
    }

    /// What a message is bound to besides the header and its number (docs/format.md, section 9).
    private func messageContext(_ segment: Segment) -> [UInt8] {
        var writer = ByteWriter(capacity: segment.frames.count * 9)
        for frame in frames[Int(segment.frames.lowerBound)..<Int(segment.frames.upperBound)] {
            writer.u8(frame.codec.rawValue)
            writer.u32(Int(frame.storedBytes))
            writer.u32(Int(frame.rawBytes))
        }
        return writer.bytes
    }

    private func key(_ envelope: Int) throws -> EnvelopeKey {
        try keys.withLock { keys in
            if let key = keys[envelope] { return key }
            let key = try EnvelopeKey.open(envelopes[envelope], context, what: "\(source.name)")
            keys[envelope] = key
            return key
        }
    }
}
