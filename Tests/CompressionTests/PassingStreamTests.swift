import Compression
import TestSupport
import Testing

/// Streams that are looked into while they pass: gzip and zstd, each fed as it may arrive.
struct PassingStreamTests {
    enum Format: CaseIterable {
        case gzip, zstd

        func member(_ bytes: [UInt8]) throws -> [UInt8] {
            self == .gzip ? try gzipMember(bytes) : try zstdFrame(bytes)
        }

        /// Feeds `stream` in parts of the sizes given, over and over.
        func decompress(_ stream: [UInt8], reads: [Int] = [1 << 20]) throws -> (
            bytes: [UInt8], reachedEnd: Bool
        ) {
            var bytes: [UInt8] = []
            let (gzip, zstd) = (GzipStream(), ZstdStream())
            var (rest, turn) = (stream[...], 0)
            while !rest.isEmpty {
                let part = Array(rest.prefix(reads[turn % reads.count]))
                rest = rest.dropFirst(part.count)
                turn += 1
                try part.withUnsafeBytes { part in
                    if self == .gzip {
                        try gzip.decompress(part) { bytes.append(contentsOf: $0) }
                    } else {
                        try zstd.decompress(part) { bytes.append(contentsOf: $0) }
                    }
                }
            }
            return (bytes, self == .gzip ? gzip.reachedEnd : zstd.reachedEnd)
        }
    }

    @Test(arguments: Format.allCases)
    func `a stream comes out the same however it arrives`(_ format: Format) throws {
        var random = SeededRandom(seed: announcedSeed())
        for bytes in [[], [7], random.sqlRows(byteCount: 3000), random.bytes(100_000)] {
            let member = try format.member(bytes)
            for reads in [[1], [7, 1, 100], [4096], [1 << 20]] {
                let (found, reachedEnd) = try format.decompress(member, reads: reads)
                #expect(found == bytes && reachedEnd)
            }
        }
    }

    @Test(arguments: Format.allCases)
    func `everything that came is handed on, also far more than one buffer`(_ format: Format) throws
    {
        let bytes = [UInt8](repeating: 0x20, count: 5 << 20)
        let member = try format.member(bytes)
        #expect(member.count < 8 << 10)
        let (found, reachedEnd) = try format.decompress(member)
        #expect(found.count == bytes.count && found == bytes && reachedEnd)
        // All but the last byte of input: all that it makes is out, and the end is not reached.
        let (most, ended) = try format.decompress(Array(member.dropLast()))
        #expect(most.count > bytes.count - (128 << 10) && !ended)
    }

    @Test(arguments: Format.allCases)
    func `members one behind the other are one stream`(_ format: Format) throws {
        var random = SeededRandom(seed: announcedSeed())
        let parts = [
            random.sqlRows(byteCount: 3000), [], random.bytes(500), [1],
            random.sqlRows(byteCount: 70_000),
        ]
        let stream = try parts.flatMap { try format.member($0) }
        for reads in [[1], [13, 1], [1 << 20]] {
            let (found, reachedEnd) = try format.decompress(stream, reads: reads)
            #expect(found == parts.flatMap { $0 } && reachedEnd)
        }
    }

    @Test(arguments: Format.allCases)
    func `a stream cut off anywhere does not reach its end, except between members`(
        _ format: Format
    ) throws {
        var random = SeededRandom(seed: announcedSeed())
        let (first, second) = (random.sqlRows(byteCount: 300), random.sqlRows(byteCount: 200))
        let stream = try format.member(first) + format.member(second)
        let border = try format.member(first).count
        for count in 0..<stream.count {
            let (found, reachedEnd) = try format.decompress(Array(stream.prefix(count)))
            #expect(reachedEnd == (count == border), "\(count) bytes")
            #expect((first + second).starts(with: found))
        }
    }

    @Test(arguments: Format.allCases)
    func `a stream that has just begun has not ended`(_ format: Format) throws {
        #expect(!GzipStream().reachedEnd && !ZstdStream().reachedEnd)
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        let (gzip, zstd) = (GzipStream(), ZstdStream())
        for _ in 0..<40 {
            try gzip.decompress(nothing) { _ in Issue.record("bytes from nothing") }
            try zstd.decompress(nothing) { _ in Issue.record("bytes from nothing") }
        }
        #expect(!gzip.reachedEnd && !zstd.reachedEnd)
    }

    @Test(arguments: Format.allCases)
    func `what is no member, or follows one, is told`(_ format: Format) throws {
        let member = try format.member(Array("abc".utf8))
        for garbage in ["hello", "\u{1}", "PK\u{3}\u{4}"] {
            expectCorrupt("\(garbage) alone") {
                _ = try format.decompress(Array((garbage + garbage + garbage).utf8))
            }
            expectCorrupt("\(garbage) behind a member") {
                _ = try format.decompress(member + Array((garbage + garbage + garbage).utf8))
            }
        }
    }

    @Test func `zeros behind the last gzip member are padding`() throws {
        let member = try gzipMember(Array("abc".utf8))
        for reads in [[1], [1 << 20]] {
            let (found, reachedEnd) = try Format.gzip.decompress(
                member + [UInt8](repeating: 0, count: 5000), reads: reads)
            #expect(found == Array("abc".utf8) && reachedEnd)
        }
        let (found, reachedEnd) = try Format.gzip.decompress(member + [0, 0, 0] + member)
        #expect(found == Array("abcabc".utf8) && reachedEnd)
    }

    @Test func `skippable zstd frames are passed over`() throws {
        let frame = try zstdFrame(Array("abc".utf8))
        let skippable = hex("5f2a4d18 05000000 0102030405")
        for stream in [skippable + frame, frame + skippable, frame + skippable + frame] {
            let (found, reachedEnd) = try Format.zstd.decompress(stream, reads: [1])
            #expect(
                found
                    == (0..<(stream.count > frame.count * 2 ? 2 : 1)).flatMap { _ in
                        Array("abc".utf8)
                    })
            #expect(reachedEnd)
        }
    }

    @Test func `zstd windows up to 128 MiB are opened and larger ones refused`() throws {
        #expect(try Format.zstd.decompress(smallFrame([0x00, 0x88])).bytes == Array("abc".utf8))
        expectCorrupt("256 MiB") { _ = try Format.zstd.decompress(smallFrame([0x00, 0x90])) }
    }

    @Test(arguments: Format.allCases)
    func `a checksum that does not hold is told`(_ format: Format) throws {
        var member = try format.member(Array("what a checksum is for".utf8))
        member[member.count - (format == .gzip ? 5 : 1)] ^= 1
        expectCorrupt("\(format)") { _ = try format.decompress(member) }
    }

    @Test func `5,000 changed streams of each kind are refused or pass, and nothing traps`() async {
        _ = announcedSeed()
        await #expect(processExitsWith: .success) {
            limitAddressSpace(toFurtherBytes: 512 << 20)
            var random = SeededRandom(seed: testSeed)
            for format in Format.allCases {
                let rows = random.sqlRows(byteCount: 2000)
                let stream = try format.member(rows) + format.member(Array(rows.prefix(500)))
                var refused = 0
                for _ in 0..<5000 {
                    do {
                        _ = try format.decompress(
                            random.mutated(stream), reads: [random.number(1...3000)])
                    } catch CompressionError.corrupt {
                        refused += 1
                    }
                }
                guard refused > 1000 else { fatalError("only \(refused) were refused") }
            }
        }
    }
}
