import DumpFormats
import Testing

@Suite("reading depends on nothing but the bytes")
struct ReadingTests {
    static let names = ProducerStreamsTests.table.map(\.name)

    @Test("parts of any sizes give the same report", arguments: names)
    func sizes(_ name: String) throws {
        let bytes = try Recorded(name).bytes
        let whole = report(bytes)
        var random = Seeded(2_026)
        let isGzip = whole.format == .gzip
        for round in 0..<12 {
            let largest = [1, 2, 3, 7, 64, 513, 4_096, 65_536][round % 8]
            let isTooSlow = bytes.count / largest > 200_000 || isGzip && bytes.count / largest > 200
            if isTooSlow { continue }
            let parts = report(bytes, size: { Int.random(in: 1...largest, using: &random) })
            #expect(parts == whole, "\(name), seed 2026, parts up to \(largest)")
        }
    }

    @Test("classify and the reader agree on each recorded stream", arguments: names)
    func classified(_ name: String) throws {
        let bytes = try Recorded(name).bytes
        let head = Array(bytes.prefix(65_536))
        let found = head.withUnsafeBytes { classify(head: $0, expecting: nil) }
        #expect(found == report(bytes).format)
        #expect(head.withUnsafeBytes { classify(head: $0, expecting: .raw) } == .raw)
    }

    @Test("the format is known after 64 KiB")
    func formatIsKnown() throws {
        let bytes = try Recorded("xb-full").bytes
        var reader = DumpReader(expecting: nil, decompressors: opensNothing)
        bytes.withUnsafeBytes { all in
            reader.read(UnsafeRawBufferPointer(rebasing: all[..<65_535]))
            #expect(reader.format == nil)
            reader.read(UnsafeRawBufferPointer(rebasing: all[65_535..<65_536]))
            #expect(reader.format == .xbstream)
        }
        _ = reader.finish()
    }

    @Test("nothing is believed of a stream that is said to be raw")
    func raw() throws {
        for name in ["my-cut", "xb-cut", "pg15-cut", "my-cut-gzip"] {
            let report = report(try Recorded(name).bytes, expecting: .raw)
            #expect(report.format == .raw)
            #expect(report.inPipe == Judgement.accepted(nil, .none))
        }
    }

    @Test("a stream that is not what it is said to be is refused")
    func expected() throws {
        let bytes = try Recorded("raw-random").bytes
        for format in [StreamFormat.pgCustom, .tar, .xbstream] {
            #expect(report(bytes, expecting: format).inPipe.refusal != nil, "\(format)")
        }
        #expect(report(bytes, expecting: .mysqldump).inPipe.refusal == nil)
    }

    @Test("a format that is expected inside a compressed stream is looked for there")
    func expectedInside() throws {
        let report = report(try Recorded("my-gzip").bytes, expecting: .mysqldump)
        #expect(report.format == .gzip)
        #expect(report.innerFormat == .mysqldump)
        #expect(report.end == .seen)
    }

    @Test("20,000 damaged streams are read without a crash")
    func mutations() throws {
        let seed: UInt64 = 20_261_121
        var random = Seeded(seed)
        let names = Self.names.filter {
            !["xb-full", "xb-compressed", "xb-incremental"].contains($0)
        }
        var streams = try names.map { try Recorded($0).bytes }
        streams.append(try smallXbstream())
        let marks = [
            "-- Dump completed\n", "DELIMITER ;;\n", "\\.\n", "'", "`", "$$", "/*", "*/",
            "XBSTCK01",
            "-- PostgreSQL database dump\n", "COMMIT;\n", "\n",
        ].map { Array($0.utf8) }
        var refused = 0
        for round in 0..<20_000 {
            var bytes = streams[Int.random(in: 0..<streams.count, using: &random)]
            for _ in 0..<Int.random(in: 1...12, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let length = Int.random(in: 1...min(64, bytes.count - at), using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[at] = [0, 0xFF, 0x7F, 0x80].randomElement(using: &random)!
                case 2: bytes.removeSubrange(at..<at + length)
                case 3: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
                case 4: bytes.insert(contentsOf: marks.randomElement(using: &random)!, at: at)
                default: bytes[at] = UInt8.random(in: 0...255, using: &random)
                }
            }
            let largest = [16, 300, 5_000, 1 << 20][round % 4]
            let isGzip = bytes.starts(with: [0x1F, 0x8B])
            let report = report(
                bytes, size: { isGzip ? Int.max : Int.random(in: 1...largest, using: &random) })
            #expect(report.byteCount == UInt64(bytes.count))
            for table in report.tables {
                for range in table.ranges where report.innerFormat == nil {
                    #expect(range.upperBound <= report.byteCount, "seed \(seed), round \(round)")
                }
            }
            if report.inPipe.refusal != nil { refused += 1 }
        }
        // most damage in rows is nobody's business here; damage to ends and headers is
        #expect(refused > 1_000)
    }

    /// The members below 64 KiB of a real backup, chunk by chunk.
    private func smallXbstream() throws -> [UInt8] {
        let bytes = try Recorded("xb-incremental").bytes
        var reader = XbstreamReader()
        var chunks: [(chunk: XbstreamChunk, payload: [UInt8])] = []
        bytes.withUnsafeBytes { all in
            reader.read(all) { event in
                switch event {
                case .chunk(let chunk): chunks.append((chunk, []))
                case .payload(let part): chunks[chunks.count - 1].payload += part
                case .memberEnd, .lost: break
                }
            }
        }
        var small: [UInt8] = []
        for (chunk, payload) in chunks where payload.count < 65_536 {
            small += Array("XBSTCK01".utf8) + [0, chunk.kind == .end ? 0x45 : 0x50]
            small += littleEndian(UInt64(chunk.path.utf8.count), 4) + Array(chunk.path.utf8)
            if chunk.kind == .end { continue }
            small +=
                littleEndian(chunk.byteCount, 8) + littleEndian(chunk.offset, 8) + [0, 0, 0, 0]
            small += payload
        }
        #expect(report(small).format == .xbstream)
        return small
    }

    private func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}
