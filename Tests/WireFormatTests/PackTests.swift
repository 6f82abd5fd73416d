import TestSupport
import Testing
import WireFormat

struct PackDirectoryTests {
    /// A directory of the given segments, checked against what the decoder says of it.
    private func read(
        _ segments: [PackDirectory.Segment], bases: Int = 0, envelopes: Int = 1,
        body: Range<Int> = 40..<(64 << 20)
    ) throws -> PackDirectory {
        let directory = PackDirectory(
            envelopes: (0..<envelopes).map { Samples.envelope(.data, UInt8($0)) },
            baseSegments: (0..<bases).map {
                .init(envelope: objectID(UInt8(100 + $0)), number: UInt64($0))
            },
            segments: segments)
        let decoded = try PackDirectory(directory.bytes, body: body, what: "it")
        #expect(decoded == directory)
        return decoded
    }

    private func frame(stored: Int, raw: Int) -> PackDirectory.Frame {
        .init(
            codec: stored == raw ? .raw : .zstd, storedBytes: stored,
            chunks: [.init(id: chunkID(1), byteCount: raw)])
    }

    private func segment(
        _ frames: [PackDirectory.Frame], envelope: Int = 0, number: UInt64 = 0, offset: Int = 40
    ) -> PackDirectory.Segment {
        .init(envelope: envelope, number: number, offset: offset, frames: frames)
    }

    @Test func `a segment's context names codec and lengths of every frame`() {
        let segment = Samples.directory.segments[0]
        #expect(segment.context == hex("00 bc020000 bc020000  01 5a000000 2d010000"))
        #expect(segment.storedBytes == 790 && segment.sealedBytes == 806)
    }

    @Test func `a segment's number is below 2^20, a base segment's as well`() throws {
        let frames = [frame(stored: 1, raw: 1)]
        _ = try read([segment(frames, number: 1 << 20 - 1)])
        expectMalformed { _ = try read([segment(frames, number: 1 << 20)]) }
        func base(_ number: UInt64) throws {
            let directory = PackDirectory(
                envelopes: [Samples.envelope()],
                baseSegments: [.init(envelope: objectID(1), number: number)],
                segments: [segment(frames)])
            #expect(
                try PackDirectory(directory.bytes, body: 40..<1000, what: "it") == directory)
        }
        try base(1 << 20 - 1)
        expectMalformed { try base(1 << 20) }
    }

    @Test func `a directory has at least one segment`() {
        expectMalformed { _ = try read([]) }
    }

    @Test func `a message stands in a pack once, whatever it is called`() throws {
        let frames = [frame(stored: 10, raw: 10)]
        func pair(_ first: (Int, UInt64), _ second: (Int, UInt64)) -> [PackDirectory.Segment] {
            [
                segment(frames, envelope: first.0, number: first.1),
                segment(frames, envelope: second.0, number: second.1, offset: 66),
            ]
        }
        _ = try read(pair((0, 5), (0, 4)), envelopes: 2)
        _ = try read(pair((0, 5), (1, 5)), envelopes: 2)
        expectMalformed("the same number") { _ = try read(pair((0, 5), (0, 5)), envelopes: 2) }
        // Two entries of one envelope are still one envelope.
        let directory = PackDirectory(
            envelopes: [Samples.envelope(), Samples.envelope()],
            segments: pair((0, 5), (1, 5)))
        expectMalformed("the same envelope") {
            _ = try PackDirectory(directory.bytes, body: 40..<1000, what: "it")
        }
    }

    @Test func `a segment has 1 to 1024 frames and at most 2 MiB`() throws {
        let one = frame(stored: 1, raw: 1)
        _ = try read([segment(Array(repeating: one, count: 1024))])
        expectMalformed { _ = try read([segment(Array(repeating: one, count: 1025))]) }
        expectMalformed { _ = try read([segment([])]) }
        let large = frame(stored: 1 << 20, raw: 1 << 20)
        _ = try read([segment([large, large])])
        expectMalformed { _ = try read([segment([large, large, one])]) }
        _ = try read([segment([frame(stored: 2 << 20, raw: 1)])])
        expectMalformed { _ = try read([segment([frame(stored: 2 << 20 + 1, raw: 1)])]) }
    }

    @Test func `a frame is 1 byte to 1 MiB, and the sum of its chunks`() throws {
        _ = try read([segment([frame(stored: 7, raw: 1 << 20)])])
        expectMalformed { _ = try read([segment([frame(stored: 7, raw: 1 << 20 + 1)])]) }
        expectMalformed {
            _ = try read([segment([.init(codec: .zstd, storedBytes: 7, chunks: [])])])
        }
        expectMalformed("an empty chunk") {
            _ = try read([
                segment([
                    .init(
                        codec: .zstd, storedBytes: 7,
                        chunks: [
                            .init(id: chunkID(1), byteCount: 0),
                            .init(id: chunkID(2), byteCount: 5),
                        ])
                ])
            ])
        }
        expectMalformed("a raw frame of another length") {
            _ = try read([
                segment([
                    .init(
                        codec: .raw, storedBytes: 6, chunks: [.init(id: chunkID(1), byteCount: 5)])
                ])
            ])
        }
    }

    @Test func `a frame whose chunks do not add up is refused`() {
        let head: [UInt8] = [1, 0, 0, 40, 1, 1, 7]
        func bytes(raw: UInt64, _ lengths: UInt64...) -> [UInt8] {
            let table =
                head + leb128(raw) + leb128(UInt64(lengths.count))
                + lengths.flatMap { leb128($0) + chunkID(1).bytes }
            return RawField.wide([
                RawField(number: 1, isCritical: true, value: Samples.envelope().bytes),
                RawField(number: 3, isCritical: true, value: table),
            ])
        }
        #expect(throws: Never.self) {
            try PackDirectory(bytes(raw: 9, 4, 5), body: 40..<1000, what: "")
        }
        for wrong in [
            bytes(raw: 8, 4, 5), bytes(raw: 10, 4, 5), bytes(raw: 0, 4, 5),
            bytes(raw: 1 << 20, 1 << 20, 1 << 20),
            bytes(raw: 1, .max), bytes(raw: 5),
        ] {
            expectMalformed { _ = try PackDirectory(wrong, body: 40..<1000, what: "") }
        }
    }

    @Test func `a codec that is not known refuses the directory as unknown`() {
        for codec: UInt8 in [3, 255] {
            let table = [1, 0, 0, 40, 1, codec, 7, 5, 1, 5] + chunkID(1).bytes
            let bytes = RawField.wide([
                RawField(number: 1, isCritical: true, value: Samples.envelope().bytes),
                RawField(number: 3, isCritical: true, value: table),
            ])
            expectUnknown { _ = try PackDirectory(bytes, body: 40..<1000, what: "") }
        }
    }

    private func delta(_ depth: Int, _ frames: Int, _ bytes: Int, _ pieces: [PackDirectory.Piece])
        -> [PackDirectory.Segment]
    {
        [
            segment([
                .init(
                    codec: .delta, storedBytes: 7,
                    base: .init(
                        depth: depth, closureFrames: frames, closureBytes: bytes, pieces: pieces),
                    chunks: [.init(id: chunkID(1), byteCount: 5)])
            ])
        ]
    }

    @Test func `a delta's base keeps to its limits`() throws {
        let piece = PackDirectory.Piece(segment: 1, frame: 1023, firstChunk: 0, chunkCount: 1)
        _ = try read(delta(32, 64, 16 << 20, Array(repeating: piece, count: 256)), bases: 2)
        let refused: [(String, [PackDirectory.Segment])] = [
            ("depth 33", delta(33, 1, 1, [piece])), ("depth 0", delta(0, 1, 1, [piece])),
            ("65 frames", delta(1, 65, 1, [piece])),
            ("16 MiB and a byte", delta(1, 1, 16 << 20 + 1, [piece])),
            ("257 pieces", delta(1, 1, 1, Array(repeating: piece, count: 257))),
            ("no piece", delta(1, 1, 1, [])),
            (
                "frame 1024",
                delta(1, 1, 1, [.init(segment: 0, frame: 1024, firstChunk: 0, chunkCount: 1)])
            ),
            (
                "base segment 2",
                delta(1, 1, 1, [.init(segment: 2, frame: 0, firstChunk: 0, chunkCount: 1)])
            ),
        ]
        for (why, segments) in refused { expectMalformed(why) { _ = try read(segments, bases: 2) } }
    }

    @Test func `a piece has at least one chunk`() throws {
        func read(_ chunks: Int) throws {
            let piece = PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 3, chunkCount: chunks)
            _ = try self.read(delta(1, 1, 1, [piece]), bases: 1)
        }
        try read(1)
        expectMalformed { try read(0) }
    }

    @Test func `a segment is not its own base`() throws {
        let piece = PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 0, chunkCount: 1)
        func read(_ base: PackDirectory.SegmentName) throws {
            var directory = PackDirectory(
                envelopes: [Samples.envelope()], baseSegments: [base],
                segments: delta(1, 1, 1, [piece]))
            directory.segments[0].number = 7
            _ = try PackDirectory(directory.bytes, body: 40..<1000, what: "it")
        }
        let own = Samples.envelope().header.id
        try read(.init(envelope: own, number: 6))
        try read(.init(envelope: objectID(99), number: 7))
        expectMalformed { try read(.init(envelope: own, number: 7)) }
    }

    @Test func `a delta without base segments is refused`() {
        let piece = PackDirectory.Piece(segment: 0, frame: 0, firstChunk: 0, chunkCount: 1)
        expectMalformed { _ = try read(delta(1, 1, 1, [piece]), bases: 0) }
    }

    @Test
    func `a segment of an envelope that is not there is refused, also where there is none at all`()
        throws
    {
        let frames = [frame(stored: 1, raw: 1)]
        _ = try read([segment(frames, envelope: 1)], envelopes: 2)
        expectMalformed { _ = try read([segment(frames, envelope: 2)], envelopes: 2) }
        expectMalformed { _ = try read([segment(frames, envelope: 0)], envelopes: 0) }
    }

    @Test func `segments lie one behind the other inside the body, with nothing between`() throws {
        let frames = [frame(stored: 10, raw: 10)]
        _ = try read([segment(frames), segment(frames, number: 1, offset: 66)], body: 40..<92)
        _ = try read([segment(frames, offset: 0)], body: 0..<26)
        let refused: [(String, [PackDirectory.Segment], Range<Int>)] = [
            ("beyond the body", [segment(frames, offset: 41)], 40..<66),
            ("before the body", [segment(frames, offset: 39)], 40..<100),
            ("a byte beyond the body", [segment(frames)], 40..<65),
            ("behind the beginning", [segment(frames, offset: 41)], 40..<100),
            ("behind the beginning of inline segments", [segment(frames, offset: 1)], 0..<100),
            (
                "with a gap", [segment(frames), segment(frames, number: 1, offset: 67)],
                40..<100
            ),
            ("a body too short for any", [segment(frames)], 40..<40),
            ("overlapping", [segment(frames), segment(frames, number: 1, offset: 65)], 40..<100),
            (
                "backwards", [segment(frames, offset: 66), segment(frames, number: 1, offset: 40)],
                40..<100
            ),
            ("beyond every object", [segment(frames, offset: 64 << 20 + 1)], 40..<(65 << 20)),
        ]
        for (why, segments, body) in refused {
            expectMalformed(why) { _ = try read(segments, body: body) }
        }
    }

    @Test func `counts that lie are refused`() {
        let envelope = RawField(number: 1, isCritical: true, value: Samples.envelope().bytes)
        for count: UInt64 in [1, 1000, 1 << 32, .max] {
            expectMalformed("\(count) segments") {
                _ = try PackDirectory(
                    RawField.wide([
                        envelope, RawField(number: 3, isCritical: true, value: leb128(count)),
                    ]),
                    body: 40..<1000, what: "")
            }
            expectMalformed("\(count) bases") {
                _ = try PackDirectory(
                    RawField.wide([
                        envelope, RawField(number: 2, value: leb128(count)),
                        RawField(number: 3, isCritical: true, value: [0]),
                    ]), body: 40..<1000, what: "")
            }
            expectMalformed("\(count) chunks") {
                let table = [1, 0, 0, 40, 1, 1, 7] + leb128(1 << 20) + leb128(count)
                _ = try PackDirectory(
                    RawField.wide([envelope, RawField(number: 3, isCritical: true, value: table)]),
                    body: 40..<1000, what: "")
            }
        }
    }
}

struct PackTrailerTests {
    /// A trailer of any sections, as docs/format.md, section 7, lays it out.
    private func trailer(
        _ sections: [(UInt16, UInt64)], fileBytes: UInt64? = nil, length: UInt32? = nil
    ) -> [UInt8] {
        let own = UInt32(46 + 10 * sections.count)
        let sum = sections.reduce(UInt64(own)) { $0 &+ $1.1 }
        return little(UInt16(sections.count)) + sections.flatMap { little($0.0) + little($0.1) }
            + little(fileBytes ?? sum)
            + little(length ?? own) + block(9)
    }

    private func read(_ tail: [UInt8], fileBytes: Int) throws -> PackTrailer {
        try PackTrailer(tail: tail, fileBytes: fileBytes, what: "it")
    }

    @Test func `a trailer is laid out as specified`() throws {
        let trailer = PackTrailer(bodyBytes: 1000, directoryBytes: 300)
        #expect(trailer.bytesBeforeHash + block(9) == self.trailer([(1, 1000), (2, 300)]))
        #expect(trailer.fileBytes == 1366)
        #expect(trailer.directory == 1000..<1300)
        #expect(trailer.body == 40..<1000)
        #expect(try read(self.trailer([(1, 1000), (2, 300)]), fileBytes: 1366) == trailer)
        #expect(
            try read(block(1, 500) + self.trailer([(1, 1000), (2, 300)]), fileBytes: 1366)
                == trailer)
    }

    @Test func `further sections are skipped, up to sixteen in all`() throws {
        let sections: [(UInt16, UInt64)] = [(1, 40), (2, 0)] + (3...16).map { ($0, 7) }
        let read = try read(trailer(sections), fileBytes: 40 + 14 * 7 + 46 + 160)
        #expect(read.bodyBytes == 40 && read.directoryBytes == 0)
        #expect(PackTrailer.bytesMax == trailer(sections).count)
        let more = sections + [(17, 7)]
        expectMalformed { _ = try self.read(trailer(more), fileBytes: 40 + 15 * 7 + 46 + 170) }
    }

    @Test func `body and directory come first, in this order, each once`() {
        for kinds: [UInt16] in [
            [2, 1], [1, 3], [3, 1, 2], [1], [], [1, 1], [2, 2], [1, 2, 1], [1, 2, 2], [1, 2, 3, 1],
        ] {
            expectMalformed("\(kinds)") {
                _ = try read(
                    trailer(kinds.map { ($0, 50) }),
                    fileBytes: 50 * kinds.count + 46 + 10 * kinds.count)
            }
        }
    }

    @Test func `sections and trailer add up to the file`() {
        let sections: [(UInt16, UInt64)] = [(1, 1000), (2, 300)]
        let refused: [(String, [UInt8], Int)] = [
            ("a longer file", trailer(sections), 1367), ("a shorter file", trailer(sections), 1365),
            ("another length in the trailer", trailer(sections, fileBytes: 1367), 1366),
            ("both alike, but not the sum", trailer(sections, fileBytes: 1367), 1367),
            ("a body shorter than its header", trailer([(1, 39), (2, 300)]), 405),
            ("a section beyond every object", trailer([(1, 64 << 20 + 1), (2, 0)]), 66),
            ("a section that overflows", trailer([(1, .max), (2, 41)], fileBytes: 106), 106),
            ("sections that overflow", trailer([(1, 1 << 63), (2, 1 << 63)], fileBytes: 66), 66),
            ("a file beyond every object", trailer([(1, 32 << 20), (2, 32 << 20)]), 64 << 20 + 66),
        ]
        for (why, tail, fileBytes) in refused {
            expectMalformed(why) { _ = try read(tail, fileBytes: fileBytes) }
        }
        let least = UInt64(64 << 20 - 66)
        #expect(throws: Never.self) {
            try read(trailer([(1, least), (2, 0)]), fileBytes: 64 << 20)
        }
    }

    @Test func `a trailer that says it is longer or shorter than it can be is refused`() {
        let sections: [(UInt16, UInt64)] = [(1, 1000), (2, 300)]
        for length: UInt32 in [0, 35, 36, 56, 65, 67, 76, 206, 207, 1 << 20, .max] {
            expectMalformed("\(length)") {
                _ = try read(block(1, 300) + trailer(sections, length: length), fileBytes: 1366)
            }
        }
        for count in 0..<66 {
            expectMalformed("the last \(count) bytes") {
                _ = try read(Array(trailer(sections).suffix(count)), fileBytes: 1366)
            }
        }
    }
}
