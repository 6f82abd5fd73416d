import WireFormat

/// What a pack's directory says of frames, but for their chunks: which segment each is in, and which
/// frames of other segments it stands on. That is what decides whether a frame can be decoded, and what
/// must stay for it.
///
/// Flat rows: a repository has as many frames as some tenth of its chunks.
package struct PackOutline: Equatable, Sendable {
    package struct Segment: Equatable, Sendable {
        package let name: PackDirectory.SegmentName
        /// Of the sealed message.
        package let sealedBytes: Int
        /// Its frames, as they are numbered through the pack.
        package let frames: Range<Int>
    }

    /// A frame of another segment.
    package struct Base: Hashable, Sendable {
        /// Its place in `baseSegments`.
        package let segment: Int32
        /// Its number in that segment.
        package let frame: Int32

        package init(segment: Int32, frame: Int32) {
            self.segment = segment
            self.frame = frame
        }
    }

    package struct Frame: Equatable, Sendable {
        package let segment: Int32
        let bases: Range<Int32>
    }

    /// The envelopes it holds messages of.
    package let envelopes: [ObjectID]
    package let segments: [Segment]
    package let frames: [Frame]
    /// The segments that its frames stand on, each once.
    package let baseSegments: [PackDirectory.SegmentName]
    private let bases: [Base]

    /// The segment that a frame is in.
    package func segment(ofFrame number: Int) -> Segment { segments[Int(frames[number].segment)] }

    /// Of all sealed messages, and of some segments.
    package var sealedBytes: Int { segments.reduce(0) { $0 + $1.sealedBytes } }
    package func sealedBytes(of numbers: [Int]) -> Int {
        numbers.reduce(0) { $0 + segments[$1].sealedBytes }
    }

    /// What a frame stands on, each once.
    package func bases(ofFrame number: Int) -> ArraySlice<Base> {
        let range = frames[number].bases
        return bases[Int(range.lowerBound)..<Int(range.upperBound)]
    }
}

// MARK: Made of a directory

extension PackOutline {
    package init(_ directory: PackDirectory) {
        self.init(
            envelopes: directory.envelopes.map { $0.header.id },
            baseSegments: directory.baseSegments,
            segments: directory.segments.map { segment in
                let name = PackDirectory.SegmentName(
                    envelope: directory.envelopes[segment.envelope].header.id,
                    number: segment.number)
                let frames = segment.frames.map { frame in
                    (frame.base?.pieces ?? []).map {
                        Base(segment: Int32($0.segment), frame: Int32($0.frame))
                    }
                }
                return (name, segment.sealedBytes, frames)
            })
    }

    /// - Parameters:
    ///   - baseSegments: each once.
    ///   - segments: of each frame what it stands on.
    package init(
        envelopes: [ObjectID], baseSegments: [PackDirectory.SegmentName] = [],
        segments rows: [(
            name: PackDirectory.SegmentName, sealedBytes: Int, frames: [[Base]]
        )]
    ) {
        self.envelopes = envelopes
        self.baseSegments = baseSegments
        var (segments, frames, bases) = ([Segment](), [Frame](), [Base]())
        for row in rows {
            let first = frames.count
            for named in row.frames {
                let start = bases.count
                for base in named where !bases[start...].contains(base) { bases.append(base) }
                frames.append(
                    Frame(
                        segment: Int32(segments.count), bases: Int32(start)..<Int32(bases.count)))
            }
            segments.append(
                Segment(
                    name: row.name, sealedBytes: row.sealedBytes, frames: first..<frames.count))
        }
        self.segments = segments
        self.frames = frames
        self.bases = bases
    }

    /// Of a pack of which only the chunks matter: one segment that stands on nothing.
    package init(frameCount: Int) {
        let envelope = ObjectID([UInt8](repeating: 0, count: ObjectID.byteCount))
        let name = PackDirectory.SegmentName(envelope: envelope, number: 0)
        self.init(
            envelopes: [envelope],
            segments: [(name, 0, Array(repeating: [], count: frameCount))])
    }
}

// MARK: In a run

/// On disk: envelopes counted, 16 bytes each; then, all numbers as varints: the envelopes of base segments,
/// counted, 16 each; base segments, counted: number of the envelope, number; segments, counted: number of
/// the envelope, number, sealed bytes, frames counted: bases counted: number of the base segment, frame.
extension PackOutline {
    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 64 + 8 * frames.count)
        let own = Self.write(envelopes, to: &writer)
        let foreign = Self.write(Set(baseSegments.map { $0.envelope }).sorted(), to: &writer)
        writer.varint(baseSegments.count)
        for name in baseSegments {
            writer.varint(foreign[name.envelope] ?? 0)
            writer.varint(name.number)
        }
        writer.varint(segments.count)
        for segment in segments {
            writer.varint(own[segment.name.envelope] ?? 0)
            writer.varint(segment.name.number)
            writer.varint(segment.sealedBytes)
            writer.varint(segment.frames.count)
            for frame in segment.frames {
                let bases = bases(ofFrame: frame)
                writer.varint(bases.count)
                for base in bases {
                    writer.varint(Int(base.segment))
                    writer.varint(Int(base.frame))
                }
            }
        }
        return writer.bytes
    }

    private static func write(_ ids: [ObjectID], to writer: inout ByteWriter) -> [ObjectID: Int] {
        writer.varint(ids.count)
        for id in ids { writer.id(id) }
        return Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// - Throws: where these bytes are no outline.
    init(_ bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes, what: "an outline in the local index")
        envelopes = try Self.readEnvelopes(&reader)
        let foreign = try Self.readEnvelopes(&reader)
        baseSegments = try Self.names(&reader, foreign)
        var (segments, frames, bases) = ([Segment](), [Frame](), [Base]())
        for _ in 0..<(try reader.count(atMost: bytes.count)) {
            let name = try Self.name(&reader, envelopes)
            let sealedBytes = try reader.count(atMost: Limits.objectBytes)
            let first = frames.count
            for _ in 0..<(try reader.count(atMost: bytes.count)) {
                let start = Int32(bases.count)
                for _ in 0..<(try reader.count(atMost: bytes.count)) {
                    let segment = try reader.count(atMost: max(0, baseSegments.count - 1))
                    guard segment < baseSegments.count else {
                        throw reader.malformed("a base is nowhere")
                    }
                    let frame = try reader.count(atMost: Limits.framesPerSegment - 1)
                    bases.append(Base(segment: Int32(segment), frame: Int32(frame)))
                }
                frames.append(
                    Frame(segment: Int32(segments.count), bases: start..<Int32(bases.count)))
            }
            segments.append(
                Segment(name: name, sealedBytes: sealedBytes, frames: first..<frames.count))
        }
        (self.segments, self.frames, self.bases) = (segments, frames, bases)
        try reader.finish()
    }

    /// The envelopes alone, which come first.
    static func envelopes(of bytes: [UInt8]) throws(WireError) -> [ObjectID] {
        var reader = ByteReader(bytes, what: "an outline in the local index")
        return try readEnvelopes(&reader)
    }

    private static func readEnvelopes(_ reader: inout ByteReader) throws(WireError) -> [ObjectID] {
        var ids: [ObjectID] = []
        for _ in 0..<(try reader.count(atMost: Limits.objectBytes)) { ids.append(try reader.id()) }
        return ids
    }

    private static func names(
        _ reader: inout ByteReader, _ envelopes: [ObjectID]
    ) throws(WireError) -> [PackDirectory.SegmentName] {
        var names: [PackDirectory.SegmentName] = []
        for _ in 0..<(try reader.count(atMost: Limits.objectBytes)) {
            names.append(try name(&reader, envelopes))
        }
        return names
    }

    private static func name(
        _ reader: inout ByteReader, _ envelopes: [ObjectID]
    ) throws(WireError) -> PackDirectory.SegmentName {
        let envelope = try reader.count(atMost: max(0, envelopes.count - 1))
        guard envelope < envelopes.count else { throw reader.malformed("an envelope is nowhere") }
        return PackDirectory.SegmentName(
            envelope: envelopes[envelope], number: try reader.varint())
    }
}
