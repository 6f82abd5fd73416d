import Compression
import Faults
import Sealing
import WireFormat
import Workers

/// One decoded frame: its chunks' bytes, every id recomputed.
package struct DecodedFrame: Sendable {
    package let bytes: Slice
    /// Where each chunk begins, and after the last one the end.
    package let offsets: [Int]

    package func chunk(_ index: Int) -> Slice {
        let start = bytes.range.lowerBound
        return Slice(bytes.buffer, (start + offsets[index])..<(start + offsets[index + 1]))
    }
}

/// Some frames of one segment, to be decoded together.
package struct SegmentJob: Sendable {
    package let directory: OpenDirectory
    package let segment: Int
    /// Ascending.
    package let frames: [Int]

    package init(directory: OpenDirectory, segment: Int, frames: [Int]) {
        self.directory = directory
        self.segment = segment
        self.frames = frames
    }
}

/// Finds a segment by the name that deltas know it under.
package protocol SegmentLocating: Sendable {
    func locate(_ name: PackDirectory.SegmentName) throws -> (
        directory: OpenDirectory, segment: Int
    )
}

/// Opens segments and decodes frames. One a thread.
package final class FrameDecoder: PipelineWorker {
    private var decompressor = Decompressor(windowLog: Limits.zstdWindowLog)
    private let dataNamer: ChunkNamer?
    private let listNamer: ChunkNamer
    private let segments: any SegmentLocating
    private let pool: BufferPool
    private var name = [UInt8](repeating: 0, count: 32)
    private let sealedRoom = Buffer(capacity: Limits.segmentPlaintextBytes + MessageCipher.tagBytes)
    private let opened = Buffer(capacity: Limits.segmentPlaintextBytes)
    private var depth = 0

    /// - Parameter pool: blocks of `Limits.frameRawBytes`.
    package init(_ context: DomainContext, segments: any SegmentLocating, pool: BufferPool) throws {
        dataNamer =
            context.keys.chunkIDs == nil
            ? nil : try context.keys.namer(ofClass: ContentClass.data.rawValue)
        listNamer = try context.keys.namer(ofClass: ContentClass.list.rawValue)
        self.segments = segments
        self.pool = pool
    }

    /// The bases decoded for the frame at hand: each once, however often others stand on it.
    private var closure: [FrameCache.Key: DecodedFrame] = [:]

    /// Decodes the frames of a job, in its order.
    package func run(_ job: SegmentJob) throws -> [DecodedFrame] {
        defer { closure = [:] }
        return try decode(job)
    }

    private func decode(_ job: SegmentJob) throws -> [DecodedFrame] {
        let segment = job.directory.directory.segments[job.segment]
        let what = "\(job.directory.source.name), segment \(job.segment)"
        let key = try job.directory.key(segment.envelope)
        let sealed = sealedRoom.room(0..<segment.sealedBytes)
        try job.directory.read(segment, into: sealed)
        // A base is decoded while the segment that needs it waits: each has its own plaintext.
        let stored = depth == 0 ? opened : Buffer(capacity: segment.storedBytes)
        depth += 1
        defer { depth -= 1 }
        let associated = key.associated(number: segment.number, context: segment.context)
        let isWhole = key.cipher().open(
            number: segment.number, associated: associated, UnsafeRawBufferPointer(sealed),
            into: stored.room(0..<segment.storedBytes))
        guard isWhole else { throw SealingError.doesNotOpen(what) }
        let contentClass = job.directory.directory.envelopes[segment.envelope].header.contentClass
        var offset = 0
        var decoded: [DecodedFrame] = []
        var wanted = job.frames[...]
        defer { withExtendedLifetime(stored) {} }
        for (index, frame) in segment.frames.enumerated() where !wanted.isEmpty {
            if index == wanted.first {
                wanted.removeFirst()
                let bytes = try decode(
                    frame, stored.bytes(offset..<(offset + frame.storedBytes)), in: job.directory,
                    what: what)
                decoded.append(try verify(bytes, frame, contentClass, what: what))
            }
            offset += frame.storedBytes
        }
        return decoded
    }

    private func decode(
        _ frame: PackDirectory.Frame, _ stored: UnsafeRawBufferPointer, in directory: OpenDirectory,
        what: String
    ) throws -> Slice {
        let rawBytes = frame.rawBytes
        let result = pool.take()
        let room = result.room(0..<rawBytes)
        do {
            switch frame.codec {
            case .raw: room.copyMemory(from: stored)
            case .zstd: try decompressor.decompress(stored, into: room)
            case .delta:
                let base = try gatherBase(frame.base!, in: directory.directory, what: what)
                try base.withBytes { (base) throws(CompressionError) in
                    try decompressor.decompress(stored, base: base, into: room)
                }
            }
        } catch let error as CompressionError {
            throw InContext("in \(what)", error)
        }
        return Slice(result, 0..<rawBytes)
    }

    /// The plaintext a delta was made against.
    private func gatherBase(_ base: PackDirectory.Base, in directory: PackDirectory, what: String)
        throws -> Slice
    {
        var parts: [Slice] = []
        var byteCount = 0
        for piece in base.pieces {
            let (located, segment) = try segments.locate(directory.baseSegments[piece.segment])
            let frames = located.directory.segments[segment].frames
            // The depth falls with every step, so there is no cycle, whatever the directories say.
            guard piece.frame < frames.count, piece.chunkCount >= 1,
                piece.firstChunk + piece.chunkCount <= frames[piece.frame].chunks.count,
                (frames[piece.frame].base?.depth ?? 0) < base.depth
            else {
                throw WireError.malformed(
                    "\(what) is malformed: its base is no part of an older segment")
            }
            let frame = try baseFrame(located, segment, piece.frame, what: what)
            let first = frame.chunk(piece.firstChunk)
            let last = frame.chunk(piece.firstChunk + piece.chunkCount - 1)
            let slice = Slice(first.buffer, first.range.lowerBound..<last.range.upperBound)
            byteCount += slice.count
            guard byteCount <= Limits.baseRawBytes else {
                throw WireError.malformed("\(what) is malformed: its base is too long")
            }
            parts.append(slice)
        }
        if parts.count == 1 { return parts[0] }
        let gathered = Buffer(capacity: byteCount)
        var offset = 0
        for part in parts {
            let room = gathered.room(offset..<(offset + part.count))
            part.withBytes { room.copyMemory(from: $0) }
            offset += part.count
        }
        return Slice(gathered, 0..<byteCount)
    }

    /// A frame that others stand on, decoded once for the job; what it stands on itself comes
    /// first.
    private func baseFrame(
        _ directory: OpenDirectory, _ segment: Int, _ frame: Int, what: String
    ) throws -> DecodedFrame {
        let key = FrameCache.Key(pack: directory.source.name, segment: segment, frame: frame)
        if let known = closure[key] { return known }
        let decoded = try decode(
            SegmentJob(directory: directory, segment: segment, frames: [frame]))[0]
        closure[key] = decoded
        let closureBytes = closure.values.reduce(0) { $0 + $1.bytes.count }
        guard closure.count <= Limits.closureFrames, closureBytes <= Limits.closureBytes else {
            throw WireError.malformed("\(what) is malformed: it stands on too many bases")
        }
        return decoded
    }

    /// Recomputes the id of every chunk.
    private func verify(
        _ bytes: Slice, _ frame: PackDirectory.Frame, _ contentClass: ContentClass, what: String
    ) throws -> DecodedFrame {
        var offsets = [0]
        offsets.reserveCapacity(frame.chunks.count + 1)
        var offset = 0
        for chunk in frame.chunks {
            let start = bytes.range.lowerBound + offset
            Slice(bytes.buffer, start..<(start + chunk.byteCount)).withBytes { plaintext in
                name.withUnsafeMutableBufferPointer { name in
                    switch contentClass {
                    case .data: dataNamer?.name(plaintext, into: name.baseAddress!)
                    case .list: listNamer.name(plaintext, into: name.baseAddress!)
                    }
                }
            }
            let found = ChunkID(Array(name[..<ChunkID.byteCount]))
            guard found == chunk.id else {
                throw SealingError.doesNotOpen("\(what): a chunk is not what its name says; it")
            }
            offset += chunk.byteCount
            offsets.append(offset)
        }
        return DecodedFrame(bytes: bytes, offsets: offsets)
    }
}
