import ChunkIndex
import Sealing
import WireFormat
import Workers

/// Puts one pack together in memory: segments are sealed straight to their place in it.
///
/// A class, because the cipher it holds cannot be copied; used by one thread.
final class PackBuilder {
    private let context: DomainContext
    private let contentClass: ContentClass
    /// Of what is sealed here; made with the first segment of it.
    private var own: OwnEnvelope?
    /// The numbers of envelopes in the directory.
    private var envelopeNumbers: [ObjectID: Int] = [:]
    private let buffer: Buffer
    private(set) var bodyBytes = ObjectHeader.byteCount
    private(set) var directory: PackDirectory
    private(set) var chunkCount = 0
    /// Frames of the segment being gathered.
    private var frames: [MadeFrame] = []
    /// The numbers of base segments in the directory.
    private var baseNumbers: [PackDirectory.SegmentName: Int] = [:]
    private var gatheredStored = 0
    private var gatheredRaw = 0

    /// A body, a last segment beyond the target, padding, a directory and a trailer.
    static let bufferBytes =
        Limits.packTargetBytes + Limits.segmentPlaintextBytes + (1 << 20) + directoryBytesMax
    private static let directoryBytesMax = 4 << 20
    /// So many chunks make a directory of at most some 2 MiB. A pack of deltas reaches this, not its
    /// size: whoever follows many nights has the directories of all of them in memory.
    private static let chunksMax = 16_384
    private static let segmentBytesTarget = 1 << 20
    /// In a segment of its own, a frame of so many stored bytes is not opened for others.
    private static let largeFrameBytes = 64 << 10

    /// The envelope that new segments are sealed in. A class, because a cipher cannot be copied.
    private final class OwnEnvelope {
        let stored: StoredEnvelope
        let key: EnvelopeKey
        let cipher: MessageCipher
        var messageCount: UInt64 = 0

        init(_ envelope: NewEnvelope) {
            stored = envelope.stored
            key = envelope.key
            cipher = envelope.key.cipher()
        }
    }

    init(_ contentClass: ContentClass, _ context: DomainContext, buffer: Buffer) {
        self.context = context
        self.contentClass = contentClass
        self.buffer = buffer
        directory = PackDirectory()
    }

    var isEmpty: Bool { chunkCount == 0 }
    /// Bytes of sealed segments.
    var sealedBytes: Int { bodyBytes - ObjectHeader.byteCount + gatheredStored }

    /// Takes a frame in. It is sealed with its neighbors once together they are a segment's worth.
    func add(_ made: MadeFrame) throws {
        // A large frame stands alone: whoever wants a small one need not open it with that.
        let isLarge = made.frame.storedBytes >= Self.largeFrameBytes
        if isLarge { try seal() }
        chunkCount += made.frame.chunks.count
        frames.append(made)
        gatheredStored += made.frame.storedBytes
        gatheredRaw += made.frame.rawBytes
        if isLarge || gatheredRaw >= Self.segmentBytesTarget
            || frames.count == Limits.framesPerSegment
        {
            try seal()
        }
    }

    /// Takes in a segment as it was sealed elsewhere, under its name.
    func add(_ moved: SealedSegment) throws {
        try seal()
        let segment = PackDirectory.Segment(
            envelope: number(of: moved.envelope), number: moved.number, offset: bodyBytes,
            frames: moved.frames.map { withBase($0.frame, $0.base) })
        moved.bytes.withBytes {
            buffer.room(bodyBytes..<(bodyBytes + segment.sealedBytes)).copyMemory(from: $0)
        }
        chunkCount += segment.frames.reduce(0) { $0 + $1.chunks.count }
        bodyBytes += segment.sealedBytes
        directory.segments.append(segment)
    }

    /// Whether the pack should be closed: it has its size, or half of it and just here little
    /// padding would be wasted.
    var isFull: Bool {
        if bodyBytes >= Limits.packTargetBytes - Self.segmentBytesTarget
            || chunkCount >= Self.chunksMax
        {
            return true
        }
        let waste = Padding.padme(bodyBytes) - bodyBytes
        return bodyBytes >= Limits.packTargetBytes / 2 && waste * 256 < bodyBytes
    }

    private func seal() throws {
        guard !frames.isEmpty else { return }
        // The names of its chunks stand for what is sealed first: they follow from it.
        let first = own == nil ? frames.flatMap { $0.frame.chunks.flatMap { $0.id.bytes } } : []
        let own = try own ?? OwnEnvelope(NewEnvelope(contentClass, context, mixing: first))
        self.own = own
        let segment = PackDirectory.Segment(
            envelope: number(of: own.stored), number: own.messageCount, offset: bodyBytes,
            frames: frames.map { withBase($0.frame, $0.base) })
        own.messageCount += 1
        let place = buffer.room(bodyBytes..<(bodyBytes + segment.sealedBytes))
        let associated = own.key.associated(number: segment.number, context: segment.context)
        if frames.count == 1 {
            frames[0].stored.withBytes {
                own.cipher.seal(number: segment.number, associated: associated, $0, into: place)
            }
        } else {
            // Gathered where it is sealed: the cipher works in place.
            var offset = 0
            for made in frames {
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: place[offset..<(offset + made.stored.count)])
                made.stored.withBytes { part.copyMemory(from: $0) }
                offset += made.stored.count
            }
            own.cipher.seal(
                number: segment.number, associated: associated,
                UnsafeRawBufferPointer(rebasing: place[..<offset]),
                into: place)
        }
        bodyBytes += segment.sealedBytes
        directory.segments.append(segment)
        frames.removeAll(keepingCapacity: true)
        gatheredStored = 0
        gatheredRaw = 0
    }

    /// The frame as the directory has it.
    private func withBase(_ frame: PackDirectory.Frame, _ base: MadeBase?) -> PackDirectory.Frame {
        guard let base else { return frame }
        var frame = frame
        frame.base = PackDirectory.Base(
            depth: base.depth, closureFrames: base.closureFrames, closureBytes: base.closureBytes,
            pieces: base.pieces.map { piece in
                PackDirectory.Piece(
                    segment: number(ofBase: piece.segment), frame: piece.frame,
                    firstChunk: piece.firstChunk, chunkCount: piece.chunkCount)
            })
        return frame
    }

    private func number(of envelope: StoredEnvelope) -> Int {
        if let known = envelopeNumbers[envelope.header.id] { return known }
        let number = directory.envelopes.count
        directory.envelopes.append(envelope)
        envelopeNumbers[envelope.header.id] = number
        return number
    }

    private func number(ofBase segment: PackDirectory.SegmentName) -> Int {
        if let known = baseNumbers[segment] { return known }
        let number = directory.baseSegments.count
        directory.baseSegments.append(segment)
        baseNumbers[segment] = number
        return number
    }

    /// Seals what is gathered, pads, and writes directory and trailer, but for the hash at its end.
    func finish() throws -> FinishedPack {
        try seal()
        let id = try context.newID(
            "pack", mixing: directory.segments.first?.frames.first?.chunks.first?.id.bytes ?? [])
        let header = ObjectHeader(
            .pack, detail: contentClass.rawValue, domain: context.domain, id: id
        ).bytes
        write(header, at: 0)
        let padded = Padding.padme(bodyBytes)
        write(try context.random.plain(padded - bodyBytes), at: bodyBytes)
        let fields = directory.bytes
        // A directory that cannot be read again would lose all that the pack holds.
        let readBack = try PackDirectory(
            fields, body: ObjectHeader.byteCount..<padded, what: "the directory of a new pack")
        precondition(readBack == directory, "a directory gives back what went in")
        let box = Box.seal(
            Padding.pad(fields), key: context.keys.index, label: PackDirectory.boxLabel,
            name: id.bytes,
            salt: try context.random.draw("directory salt", key: context.keys.auth, mixing: fields),
            associated: header)
        let trailer = PackTrailer(bodyBytes: padded, directoryBytes: box.count)
        guard trailer.fileBytes <= buffer.capacity else {
            throw WireError.malformed("a pack's directory grew to \(box.count) bytes")
        }
        write(box, at: padded)
        write(trailer.bytesBeforeHash, at: padded + box.count)
        return FinishedPack(
            domain: context.domain, bytes: Slice(buffer, 0..<trailer.fileBytes),
            stored: StoredPack(
                IndexObject.Pack(
                    id: id, contentClass: contentClass, fileBytes: trailer.fileBytes,
                    directory: fields), directory))
    }

    /// The segments alone, for a manifest that carries them itself.
    func finishInline() throws -> Manifest.InlineSegments {
        try seal()
        var inline = directory
        for index in inline.segments.indices {
            inline.segments[index].offset -= ObjectHeader.byteCount
        }
        return Manifest.InlineSegments(
            directory: inline, bytes: Array(buffer.bytes(ObjectHeader.byteCount..<bodyBytes)))
    }

    private func write(_ bytes: [UInt8], at offset: Int) {
        bytes.withUnsafeBytes { buffer.room(offset..<(offset + bytes.count)).copyMemory(from: $0) }
    }
}

/// A pack ready to be put.
package struct FinishedPack: Sendable {
    let domain: DomainID
    let bytes: Slice
    let stored: StoredPack

    /// Writes the hash of all before it to the end. Whoever calls it is the buffer's only holder.
    func writeHash() {
        let hashed = bytes.count - PackTrailer.hashBytes
        let room = bytes.buffer.room(hashed..<bytes.count)
        room.copyBytes(from: SHA256.hash(bytes.buffer.bytes(0..<hashed)))
    }
}

/// A pack that is durable: what indexes want to know of it.
package struct StoredPack: Sendable {
    /// For an index object.
    package let indexed: IndexObject.Pack
    /// For the local index.
    package let places: IndexedPack

    package init(_ indexed: IndexObject.Pack, _ directory: PackDirectory) {
        self.indexed = indexed
        places = IndexedPack(
            id: indexed.id, contentClass: indexed.contentClass, byteCount: indexed.fileBytes,
            frames: directory.segments.flatMap { $0.frames.map { $0.chunks.map { $0.id } } },
            outline: PackOutline(directory))
    }
}

extension PackDirectory {
    package static let boxLabel = "pack directory"
}
