import Compression
import Sealing
import TestSupport
import Testing
import WireFormat

/// The segments, frames and chunks that the lines of a case describe
/// (Tests/Vectors/pack-directory.txt).
private struct DescribedPack {
    var directory = PackDirectory()
    /// Of a whole pack: what every frame stores, and the plaintext of every chunk.
    var stored: [[UInt8]] = []
    var chunks: [[UInt8]] = []

    init(_ vector: VectorCase, nameChunk: (([UInt8]) throws -> [UInt8])? = nil) throws {
        for (name, value) in vector.lines {
            switch name {
            case "envelope":
                var reader = ByteReader(value, what: vector.title)
                directory.envelopes.append(try StoredEnvelope(&reader))
            case "base segment":
                directory.baseSegments.append(
                    .init(
                        envelope: ObjectID(Array(value.prefix(16))),
                        number: UInt64(number(value.dropFirst(16)))))
            case "segment":
                let parts = numbers(value, 4, 8, 4)
                directory.segments.append(
                    .init(
                        envelope: parts[0], number: UInt64(parts[1]), offset: parts[2], frames: []))
            case "frame":
                let codec = try #require(PackDirectory.Codec(rawValue: value[0]))
                let frame = PackDirectory.Frame(
                    codec: codec, storedBytes: number(value.dropFirst()), chunks: [])
                directory.segments[directory.segments.count - 1].frames.append(frame)
            case "frame content":
                stored.append(value)
                changeFrame { $0.storedBytes = value.count }
            case "delta":
                let parts = numbers(value, 4, 4, 4)
                changeFrame {
                    $0.base = .init(
                        depth: parts[0], closureFrames: parts[1], closureBytes: parts[2], pieces: []
                    )
                }
            case "piece":
                let parts = numbers(value, 4, 4, 4, 4)
                changeFrame {
                    $0.base?.pieces.append(
                        .init(
                            segment: parts[0], frame: parts[1], firstChunk: parts[2],
                            chunkCount: parts[3]))
                }
            case "chunk":
                changeFrame {
                    $0.chunks.append(
                        .init(
                            id: ChunkID(Array(value.dropFirst(4))),
                            byteCount: number(value.prefix(4))))
                }
            case "chunk content":
                chunks.append(value)
                let id = ChunkID(try #require(try nameChunk?(value)))
                changeFrame { $0.chunks.append(.init(id: id, byteCount: value.count)) }
            default: break
            }
        }
    }

    private mutating func changeFrame(_ change: (inout PackDirectory.Frame) -> Void) {
        let segment = directory.segments.count - 1
        change(&directory.segments[segment].frames[directory.segments[segment].frames.count - 1])
    }
}

struct PackVectorTests {
    @Test func `directories are those of the vectors`() throws {
        try checkVectors("pack-directory") { [("fields", try DescribedPack($0).directory.bytes)] }
        for vector in try VectorFile("pack-directory").cases {
            let read = try PackDirectory(
                vector["expected fields"], body: 40..<1000, what: vector.title)
            #expect(try read == DescribedPack(vector).directory)
        }
    }

    private static let label = "pack directory"

    private func contentClass(_ vector: VectorCase) throws -> ContentClass {
        try #require(ContentClass(rawValue: vector.byte("class")))
    }

    @Test func `whole packs are those of the vectors`() throws {
        try checkVectors("pack") { vector in
            let contentClass = try contentClass(vector)
            let namer = try vector.keys.namer(ofClass: contentClass.rawValue)
            var described = try DescribedPack(vector) { chunkName($0, namer) }
            let (envelope, key) = try vector.envelope(contentClass)
            described.directory.envelopes = [envelope]
            let header = ObjectHeader(
                .pack, detail: contentClass.rawValue, domain: vector.domain,
                id: vector.id("pack id")
            ).bytes
            var body = header
            var stored = described.stored[...]
            for index in described.directory.segments.indices {
                described.directory.segments[index].offset = body.count
                let segment = described.directory.segments[index]
                let plaintext = segment.frames.flatMap { _ in stored.removeFirst() }
                body += key.cipher().seal(
                    number: segment.number,
                    associated: key.associated(segment.number, segment.context), plaintext)
            }
            #expect(Padding.padme(body.count) == body.count + vector["padding"].count)
            body += vector["padding"]
            let fields = described.directory.bytes
            let box = Box.seal(
                Padding.pad(fields), key: try vector.keys.index, label: Self.label,
                name: vector["pack id"],
                salt: vector["box salt"], associated: header)
            let trailer = PackTrailer(bodyBytes: body.count, directoryBytes: box.count)
            let object = body + box + trailer.bytesBeforeHash
            return [
                ("chunk ids", described.chunks.flatMap { chunkName($0, namer) }),
                ("directory", fields),
                ("object", object + SHA256.hash(object)),
            ]
        }
    }

    @Test func `whole packs read back to their chunks`() throws {
        for vector in try VectorFile("pack").cases {
            let object = vector["expected object"]
            #expect(SHA256.hash(Array(object.dropLast(32))) == Array(object.suffix(32)))
            let trailer = try PackTrailer(tail: object, fileBytes: object.count, what: vector.title)
            #expect(trailer.fileBytes == object.count)
            let header = Array(object[..<ObjectHeader.byteCount])
            let padded = try Box.open(
                object[trailer.directory], key: try vector.keys.index, label: Self.label,
                name: vector["pack id"],
                associated: header, what: vector.title)
            let directory = try PackDirectory(
                try Padding.unpad(padded, what: vector.title), body: trailer.body,
                what: vector.title)
            #expect(directory.bytes == vector["expected directory"])
            #expect(try chunks(vector, object, directory) == vector.all("chunk content"))
        }
    }

    /// The plaintext of all chunks, in order; bases lie in segments read before.
    private func chunks(_ vector: VectorCase, _ object: [UInt8], _ directory: PackDirectory) throws
        -> [[UInt8]]
    {
        let namer = try vector.keys.namer(ofClass: vector.byte("class"))
        var decoded: [PackDirectory.SegmentName: [[[UInt8]]]] = [:]
        var decompressor = Decompressor()
        var all: [[UInt8]] = []
        for segment in directory.segments {
            let envelope = directory.envelopes[segment.envelope]
            let key = try vector.opening(envelope)
            let sealed = Array(object[segment.offset..<(segment.offset + segment.sealedBytes)])
            let opened = key.cipher().open(
                number: segment.number, associated: key.associated(segment.number, segment.context),
                sealed)
            var plaintext = try #require(opened)[...]
            var frames: [[[UInt8]]] = []
            for frame in segment.frames {
                let stored = Array(plaintext.prefix(frame.storedBytes))
                plaintext = plaintext.dropFirst(frame.storedBytes)
                var base: [UInt8] = []
                for piece in frame.base?.pieces ?? [] {
                    let from = try #require(decoded[directory.baseSegments[piece.segment]])[
                        piece.frame]
                    base += from[piece.firstChunk..<(piece.firstChunk + piece.chunkCount)].flatMap {
                        $0
                    }
                }
                var raw = [UInt8](repeating: 0, count: frame.rawBytes)
                if frame.codec == .raw {
                    raw = stored
                } else {
                    try stored.withUnsafeBytes { stored in
                        try base.withUnsafeBytes { base in
                            try raw.withUnsafeMutableBytes {
                                try decompressor.decompress(stored, base: base, into: $0)
                            }
                        }
                    }
                }
                var rest = raw[...]
                frames.append(
                    frame.chunks.map { chunk in
                        defer { rest = rest.dropFirst(chunk.byteCount) }
                        return Array(rest.prefix(chunk.byteCount))
                    })
                for (content, chunk) in zip(frames[frames.count - 1], frame.chunks) {
                    #expect(chunkName(content, namer) == chunk.id.bytes)
                }
            }
            decoded[.init(envelope: envelope.header.id, number: segment.number)] = frames
            all += frames.flatMap { $0 }
        }
        return all
    }

    @Test func `index objects are those of the vectors, and open`() throws {
        func index(_ vector: VectorCase) throws -> IndexObject {
            IndexObject(
                packs: try vector.all("pack").map { value in
                    .init(
                        id: ObjectID(Array(value[..<16])),
                        contentClass: try #require(ContentClass(rawValue: value[16])),
                        fileBytes: number(value[17..<25]), directory: Array(value[25...]))
                })
        }
        try checkVectors("index-object") { vector in
            let fields = try index(vector).bytes
            let header = ObjectHeader(.index, domain: vector.domain, id: vector.id("index id"))
            return [
                ("fields", fields), ("object", try vector.sealed(header, "index object", fields)),
            ]
        }
        for vector in try VectorFile("index-object").cases {
            let (header, fields) = try vector.opened(
                vector["expected object"], .index, "index object")
            #expect(
                header.id == vector.id("index id") && header.domain == vector.domain
                    && header.detail == 0)
            let read = try IndexObject(fields, what: vector.title)
            #expect(read.packs.count == vector.all("pack").count)
            #expect(read.bytes == vector["expected fields"])
        }
    }
}
