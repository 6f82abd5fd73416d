import Compression
import Faults
import Sealing
import WireFormat
import Workers

/// What decoders on several threads share: the frames and segments decoded last.
package struct DecodedFrames: Sendable {
    /// A frame of a pack, or of a manifest.
    package struct Name: Hashable, Sendable {
        let owner: ObjectID
        let isInline: Bool
        let number: Int32

        init(_ directory: OpenDirectory, _ number: Int) {
            switch directory.source {
            case .pack(.pack(_, let id)), .loaded(_, .pack(_, let id)):
                (owner, isInline) = (id, false)
            case .inline(_, .snapshot(_, let id)): (owner, isInline) = (id, true)
            default: preconditionFailure("segments lie in packs and manifests")
            }
            self.number = Int32(number)
        }
    }

    /// Plaintext of frames.
    let frames: SharedCache<Name>
    /// Stored bytes of segments that hold several frames.
    let segments: SharedCache<Name>
    private let large = BufferPool(capacity: Limits.frameRawBytes, freeMax: 4)

    /// - Parameter bytesMax: how much is kept in memory at most.
    package init(bytesMax: Int) {
        frames = SharedCache(bytesMax: bytesMax * 3 / 4)
        segments = SharedCache(bytesMax: bytesMax / 4)
    }

    /// How many frames were decoded so far, and how many bytes of plaintext that gave.
    package var decoded: (frames: Int, bytes: Int) { (frames.made, frames.madeBytes) }

    /// A block for the plaintext of a frame. The long ones are used again and again.
    func block(_ byteCount: Int) -> Buffer {
        2 * byteCount > large.capacity ? large.take() : Buffer(capacity: byteCount)
    }
}

/// Opens segments and decodes frames, bases first. One a thread; what it decodes it shares.
package final class FrameDecoder {
    private let context: DomainContext
    let finder: ChunkFinder
    private let shared: DecodedFrames
    private var decompressor = Decompressor(windowLog: Limits.zstdWindowLog)
    private let dataNamer: ChunkNamer?
    private let listNamer: ChunkNamer
    private let opened = Buffer(capacity: Limits.segmentPlaintextBytes + MessageCipher.tagBytes)

    /// What had to be decoded for the frame asked for, so that a hostile directory cannot ask for
    /// the world.
    private var closure: Set<DecodedFrames.Name> = []
    private var closureBytes = 0

    package init(_ context: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames) throws {
        self.context = context
        self.finder = finder
        self.shared = shared
        dataNamer =
            context.keys.chunkIDs == nil
            ? nil : try context.keys.namer(ofClass: ContentClass.data.rawValue)
        listNamer = try context.keys.namer(ofClass: ContentClass.list.rawValue)
    }

    /// The plaintext of a frame. Its chunks are not verified: whoever gives one out does that.
    package func frame(_ number: Int, of directory: OpenDirectory) throws -> Slice {
        closure.removeAll(keepingCapacity: true)
        closureBytes = 0
        return try decoded(number, of: directory)
    }

    /// The bytes of a chunk, verified.
    package func chunk(_ found: FoundChunk) throws -> Slice {
        let frame = try frame(found.frame, of: found.directory)
        let start = frame.range.lowerBound
        let slice = Slice(
            frame.buffer, (start + found.range.lowerBound)..<(start + found.range.upperBound))
        try slice.withBytes { try verify($0, found) }
        return slice
    }

    /// Decodes a frame and recomputes the id of every chunk in it.
    package func verify(frame number: Int, of directory: OpenDirectory) throws {
        try verifyChunks(of: number, in: directory, try frame(number, of: directory))
    }

    private func verifyChunks(
        of number: Int, in directory: OpenDirectory, _ plaintext: Slice
    ) throws {
        for chunk in directory.frames[number].chunks {
            let found = FoundChunk(directory: directory, frame: number, chunk: Int(chunk))
            try plaintext.withBytes {
                try verify(UnsafeRawBufferPointer(rebasing: $0[found.range]), found)
            }
        }
    }

    /// Opens a segment, and verifies every chunk of it that stands on nothing else.
    package func verify(segment number: Int, of directory: OpenDirectory) throws {
        var isOpen = false
        for frame in directory.segments[number].frames
        where directory.frames[Int(frame)].codec != .delta {
            try verify(frame: Int(frame), of: directory)
            isOpen = true
        }
        if !isOpen { _ = try storedBytes(number, of: directory) }
    }

    /// Recomputes the id of a chunk.
    package func verify(_ plaintext: UnsafeRawBufferPointer, _ found: FoundChunk) throws {
        let segment = Int(found.directory.frames[found.frame].segment)
        let name =
            switch found.directory.contentClass(ofSegment: segment) {
            case .data: dataNamer?.id(of: plaintext)
            case .list: listNamer.id(of: plaintext)
            }
        guard name == found.id else {
            let what = found.directory.what(segment: segment)
            throw SealingError.doesNotOpen("\(what): a chunk is not what its name says; it")
        }
    }

    // MARK: frames

    private func decoded(_ number: Int, of directory: OpenDirectory) throws -> Slice {
        try shared.frames.block(DecodedFrames.Name(directory, number)) {
            try decode(number, of: directory)
        }
    }

    /// The bytes of a frame as they are stored, on their own, and its plaintext, every chunk verified.
    package func opened(
        _ number: Int, of directory: OpenDirectory
    ) throws -> (stored: Slice, plaintext: Slice) {
        let stored = try stored(number, of: directory).alone
        closure.removeAll(keepingCapacity: true)
        closureBytes = 0
        let plaintext = try shared.frames.block(DecodedFrames.Name(directory, number)) {
            try decode(number, of: directory, stored: stored)
        }
        try verifyChunks(of: number, in: directory, plaintext)
        return (stored, plaintext)
    }

    /// The bytes of a frame as they are stored. Good until the next is asked for.
    private func stored(_ number: Int, of directory: OpenDirectory) throws -> Slice {
        let frame = directory.frames[number]
        let segment = try storedBytes(Int(frame.segment), of: directory)
        let start = segment.range.lowerBound + Int(frame.storedOffset)
        return Slice(segment.buffer, start..<(start + Int(frame.storedBytes)))
    }

    /// - Parameter stored: its stored bytes, where they are at hand.
    private func decode(
        _ number: Int, of directory: OpenDirectory, stored: Slice? = nil
    ) throws -> Slice {
        let frame = directory.frames[number]
        // A base comes first: what it needs itself may use this thread's rooms.
        let base = frame.codec == .delta ? try gatherBase(of: number, in: directory) : nil
        let rawBytes = Int(frame.rawBytes)
        let result = shared.block(rawBytes)
        let room = result.room(0..<rawBytes)
        let own = try stored ?? self.stored(number, of: directory)
        do {
            try own.withBytes { (stored) throws(CompressionError) in
                switch (frame.codec, base) {
                case (.delta, let base?):
                    try base.withBytes { (base) throws(CompressionError) in
                        try decompressor.decompress(stored, base: base, into: room)
                    }
                case (.raw, _): room.copyMemory(from: stored)
                default: try decompressor.decompress(stored, into: room)
                }
            }
        } catch {
            throw InContext("in \(directory.what(segment: Int(frame.segment)))", error)
        }
        return Slice(result, 0..<rawBytes)
    }

    /// The plaintext of a segment's message. Good until the next is asked for.
    private func storedBytes(_ number: Int, of directory: OpenDirectory) throws -> Slice {
        let segment = directory.segments[number]
        let count = Int(segment.storedBytes)
        func open(in buffer: Buffer) throws -> Slice {
            try directory.open(number, room: buffer.room(0..<(count + MessageCipher.tagBytes)))
            return Slice(buffer, 0..<count)
        }
        guard segment.frames.count > 1 else { return try open(in: opened) }
        return try shared.segments.block(DecodedFrames.Name(directory, number)) {
            try open(in: Buffer(capacity: count + MessageCipher.tagBytes))
        }
    }

    // MARK: bases

    /// The plaintext a delta was made against.
    private func gatherBase(of number: Int, in directory: OpenDirectory) throws -> Slice {
        let pieces = try directory.basePieces(ofFrame: number, finder)
        for piece in pieces
        where closure.insert(DecodedFrames.Name(piece.directory, piece.frame)).inserted {
            closureBytes += Int(piece.directory.frames[piece.frame].rawBytes)
        }
        guard closure.count <= Limits.closureFrames, closureBytes <= Limits.closureBytes else {
            throw malformed(number, in: directory, "it stands on too many bases")
        }
        let byteCount = pieces.reduce(0) { $0 + $1.range.count }
        guard byteCount <= Limits.baseRawBytes else {
            throw malformed(number, in: directory, "its base is too long")
        }
        if pieces.count == 1 { return try bytes(of: pieces[0]) }
        let joined = Buffer(capacity: byteCount)
        var end = 0
        for piece in pieces {
            // Not all frames at once: each may be a mebibyte.
            try bytes(of: piece).withBytes {
                joined.room(end..<(end + $0.count)).copyMemory(from: $0)
                end += $0.count
            }
        }
        return Slice(joined, 0..<end)
    }

    private func bytes(of piece: BasePiece) throws -> Slice {
        let plaintext = try decoded(piece.frame, of: piece.directory)
        let start = plaintext.range.lowerBound
        return Slice(
            plaintext.buffer, (start + piece.range.lowerBound)..<(start + piece.range.upperBound))
    }

    private func malformed(_ number: Int, in directory: OpenDirectory, _ why: String) -> WireError {
        let what = directory.what(segment: Int(directory.frames[number].segment))
        return .malformed("\(what) is malformed: \(why)")
    }
}

extension OpenDirectory {
    /// Where the chunks of a piece lie in the plaintext of its frame; nil where they are not all
    /// there.
    func range(of piece: PackDirectory.Piece, inFrame number: Int) -> Range<Int>? {
        let own = frames[number].chunks
        guard piece.chunkCount >= 1, piece.firstChunk + piece.chunkCount <= own.count else {
            return nil
        }
        let first = chunks[Int(own.lowerBound) + piece.firstChunk]
        let last = chunks[Int(own.lowerBound) + piece.firstChunk + piece.chunkCount - 1]
        return Int(first.start)..<Int(last.start + last.byteCount)
    }
}
