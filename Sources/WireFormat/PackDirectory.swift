/// What a pack holds and where (docs/format.md, section 7).
package struct PackDirectory: Equatable, Sendable {
    package var envelopes: [StoredEnvelope]
    package var baseSegments: [SegmentName]
    package var segments: [Segment]

    package init(
        envelopes: [StoredEnvelope] = [], baseSegments: [SegmentName] = [], segments: [Segment] = []
    ) {
        self.envelopes = envelopes
        self.baseSegments = baseSegments
        self.segments = segments
    }

    /// A segment's name: it survives when the segment moves to another pack.
    package struct SegmentName: Hashable, Comparable, Sendable {
        package let envelope: ObjectID
        package let number: UInt64

        package init(envelope: ObjectID, number: UInt64) {
            self.envelope = envelope
            self.number = number
        }

        package static func < (a: Self, b: Self) -> Bool {
            (a.envelope, a.number) < (b.envelope, b.number)
        }
    }

    package struct Segment: Equatable, Sendable {
        /// Index into `envelopes`.
        package var envelope: Int
        /// The message's number in the envelope.
        package var number: UInt64
        /// Of the sealed message, from the beginning of the pack (or of the inline bytes).
        package var offset: Int
        package var frames: [Frame]

        package init(envelope: Int, number: UInt64, offset: Int, frames: [Frame]) {
            self.envelope = envelope
            self.number = number
            self.offset = offset
            self.frames = frames
        }

        /// Plaintext of the sealed message.
        package var storedBytes: Int { frames.reduce(0) { $0 + $1.storedBytes } }
        package var sealedBytes: Int { storedBytes + 16 }

        /// What every message is bound to besides the header and its number.
        package var context: [UInt8] {
            var writer = ByteWriter(capacity: frames.count * 9)
            for frame in frames {
                writer.u8(frame.codec.rawValue)
                writer.u32(frame.storedBytes)
                writer.u32(frame.rawBytes)
            }
            return writer.bytes
        }
    }

    package enum Codec: UInt8, Sendable {
        case raw = 0
        case zstd = 1
        case delta = 2
    }

    package struct Frame: Equatable, Sendable {
        package var codec: Codec
        package var storedBytes: Int
        /// Exactly for codec `delta`.
        package var base: Base?
        package var chunks: [Chunk]

        package init(codec: Codec, storedBytes: Int, base: Base? = nil, chunks: [Chunk]) {
            self.codec = codec
            self.storedBytes = storedBytes
            self.base = base
            self.chunks = chunks
        }

        package var rawBytes: Int { chunks.reduce(0) { $0 + $1.byteCount } }
    }

    package struct Base: Equatable, Sendable {
        package var depth: Int
        package var closureFrames: Int
        package var closureBytes: Int
        package var pieces: [Piece]

        package init(depth: Int, closureFrames: Int, closureBytes: Int, pieces: [Piece]) {
            self.depth = depth
            self.closureFrames = closureFrames
            self.closureBytes = closureBytes
            self.pieces = pieces
        }
    }

    /// Some consecutive chunks of a frame of another segment.
    package struct Piece: Equatable, Sendable {
        /// Index into `baseSegments`.
        package var segment: Int
        package var frame: Int
        package var firstChunk: Int
        package var chunkCount: Int

        package init(segment: Int, frame: Int, firstChunk: Int, chunkCount: Int) {
            self.segment = segment
            self.frame = frame
            self.firstChunk = firstChunk
            self.chunkCount = chunkCount
        }
    }

    package struct Chunk: Equatable, Sendable {
        package var id: ChunkID
        package var byteCount: Int

        package init(id: ChunkID, byteCount: Int) {
            self.id = id
            self.byteCount = byteCount
        }
    }
}

extension PackDirectory {
    package var bytes: [UInt8] {
        var fields = FieldWriter()
        fields.field(.critical(1), envelopes.flatMap { $0.bytes })
        if !baseSegments.isEmpty {
            var writer = ByteWriter()
            writer.varint(baseSegments.count)
            for name in baseSegments {
                writer.id(name.envelope)
                writer.varint(name.number)
            }
            fields.field(.plain(2), writer.bytes)
        }
        var writer = ByteWriter()
        writer.varint(segments.count)
        for segment in segments { segment.write(to: &writer) }
        fields.field(.critical(3), writer.bytes)
        return fields.bytes
    }

    /// - Parameter body: where sealed messages may lie, the first at its beginning: from the end of
    ///   the pack's header to the end of its body.
    package init(_ bytes: [UInt8], body: Range<Int>, what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...3)
        var reader = ByteReader(try fields.required(1), what: what)
        envelopes = []
        while !reader.isAtEnd { envelopes.append(try StoredEnvelope(&reader)) }

        baseSegments = []
        if let table = try fields.optional(2) {
            var reader = ByteReader(table, what: what)
            for _ in 0..<(try reader.count(atMost: table.count / 17)) {
                baseSegments.append(
                    SegmentName(
                        envelope: try reader.id(), number: try reader.messageNumber()))
            }
            try reader.finish()
        }

        let table = try fields.required(3)
        reader = ByteReader(table, what: what)
        segments = []
        var end = body.lowerBound
        var names: Set<SegmentName> = []
        for _ in 0..<(try reader.count(atMost: table.count / 30)) {
            let segment = try Segment(
                &reader, envelopes: envelopes.count, bases: baseSegments.count)
            guard segment.offset == end, end <= body.upperBound - segment.sealedBytes else {
                throw reader.malformed(
                    "its segments do not stand one behind the other inside the body")
            }
            end += segment.sealedBytes
            let name = name(of: segment)
            guard names.insert(name).inserted else {
                throw reader.malformed("a message stands in it twice")
            }
            guard !segment.isBased(on: name, in: baseSegments) else {
                throw reader.malformed("a segment is its own base")
            }
            segments.append(segment)
        }
        try reader.finish()
        guard !segments.isEmpty else { throw reader.malformed("it has no segment") }
    }

    /// The name of one of its segments.
    func name(of segment: Segment) -> SegmentName {
        SegmentName(envelope: envelopes[segment.envelope].header.id, number: segment.number)
    }
}

extension PackDirectory.Segment {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.varint(envelope)
        writer.varint(number)
        writer.varint(offset)
        writer.varint(frames.count)
        for frame in frames {
            writer.u8(frame.codec.rawValue)
            writer.varint(frame.storedBytes)
            writer.varint(frame.rawBytes)
            if let base = frame.base {
                writer.varint(base.depth)
                writer.varint(base.closureFrames)
                writer.varint(base.closureBytes)
                writer.varint(base.pieces.count)
                for piece in base.pieces {
                    writer.varint(piece.segment)
                    writer.varint(piece.frame)
                    writer.varint(piece.firstChunk)
                    writer.varint(piece.chunkCount)
                }
            }
            writer.varint(frame.chunks.count)
            for chunk in frame.chunks {
                writer.varint(chunk.byteCount)
                writer.chunkID(chunk.id)
            }
        }
    }

    fileprivate func isBased(
        on name: PackDirectory.SegmentName, in bases: [PackDirectory.SegmentName]
    ) -> Bool {
        frames.contains { $0.base?.pieces.contains { bases[$0.segment] == name } ?? false }
    }

    fileprivate init(_ reader: inout ByteReader, envelopes: Int, bases: Int) throws(WireError) {
        envelope = try reader.count(atMost: envelopes - 1)
        number = try reader.messageNumber()
        offset = try reader.count(atMost: Limits.objectBytes)
        frames = []
        let count = try reader.count(atMost: Limits.framesPerSegment)
        guard count >= 1 else { throw reader.malformed("a segment has no frame") }
        for _ in 0..<count { frames.append(try PackDirectory.Frame(&reader, bases: bases)) }
        guard storedBytes <= Limits.segmentPlaintextBytes else {
            throw reader.malformed("a segment is too long")
        }
    }
}

extension PackDirectory.Frame {
    fileprivate init(_ reader: inout ByteReader, bases: Int) throws(WireError) {
        guard let codec = PackDirectory.Codec(rawValue: try reader.u8()) else {
            throw .unknown("\(reader.what) uses a codec this program does not know")
        }
        self.codec = codec
        storedBytes = try reader.count(atMost: Limits.segmentPlaintextBytes)
        let raw = try reader.count(atMost: Limits.frameRawBytes)
        if codec == .delta { base = try PackDirectory.Base(&reader, bases: bases) }
        chunks = []
        let count = try reader.count(atMost: min(raw, reader.remaining / 25))
        chunks.reserveCapacity(count)
        var sum = 0
        for _ in 0..<count {
            let length = try reader.count(atMost: Limits.chunkBytes)
            guard length >= 1 else { throw reader.malformed("a chunk is empty") }
            sum += length
            chunks.append(PackDirectory.Chunk(id: try reader.chunkID(), byteCount: length))
        }
        guard count >= 1, sum == raw else {
            throw reader.malformed("a frame is not the sum of its chunks")
        }
        guard codec != .raw || storedBytes == raw else {
            throw reader.malformed("a raw frame changes its length")
        }
    }
}

extension PackDirectory.Base {
    fileprivate init(_ reader: inout ByteReader, bases: Int) throws(WireError) {
        depth = try reader.count(atMost: Limits.depth)
        closureFrames = try reader.count(atMost: Limits.closureFrames)
        closureBytes = try reader.count(atMost: Limits.closureBytes)
        pieces = []
        let count = try reader.count(atMost: Limits.piecesPerBase)
        guard count >= 1, depth >= 1 else { throw reader.malformed("a delta has no base") }
        for _ in 0..<count {
            let piece = PackDirectory.Piece(
                segment: try reader.count(atMost: bases - 1),
                frame: try reader.count(atMost: Limits.framesPerSegment - 1),
                firstChunk: try reader.count(atMost: Limits.frameRawBytes),
                chunkCount: try reader.count(atMost: Limits.frameRawBytes))
            guard piece.chunkCount >= 1 else {
                throw reader.malformed("a piece of a base has no chunk")
            }
            pieces.append(piece)
        }
    }
}

extension ByteReader {
    /// The number of a message in its envelope.
    fileprivate mutating func messageNumber() throws(WireError) -> UInt64 {
        UInt64(try count(atMost: Limits.messagesPerEnvelope - 1))
    }
}
