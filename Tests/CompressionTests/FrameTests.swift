import Compression
import Faults
import TestSupport
import Testing

struct FrameTests {
    @Test(arguments: [1, 3, 19])
    func `what was compressed comes back`(_ level: Int) throws {
        var random = SeededRandom(seed: announcedSeed())
        for count in [1, 2, 100, 4096, 65_536, 300_000, 1 << 20] {
            for bytes in [
                random.bytes(count), Array(random.sqlRows(byteCount: count).prefix(count)),
                [UInt8](repeating: 7, count: count),
            ] {
                let frame = try #require(try compress(bytes, level: level))
                #expect(frame.count <= Compressor.bound(count))
                #expect(try decompress(frame, count: count) == bytes)
            }
        }
    }

    @Test func `rows get shorter, random bytes do not`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let rows = random.sqlRows(byteCount: 100_000)
        #expect(try #require(try compress(rows)).count < rows.count / 2)
        #expect(try compress(random.bytes(100_000), limit: 100_000) == nil)
    }

    @Test func `a result that is not shorter than its limit is none`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let rows = random.sqlRows(byteCount: 50_000)
        let frame = try #require(try compress(rows))
        #expect(try compress(rows, limit: frame.count) == nil)
        #expect(try compress(rows, limit: frame.count + 1) == frame)
        #expect(try compress(rows, limit: 0) == nil)
    }

    @Test
    func `a result that does not fit into its room is none, and the room's end is not passed`()
        throws
    {
        var random = SeededRandom(seed: announcedSeed())
        let rows = random.sqlRows(byteCount: 50_000)
        let frame = try #require(try compress(rows))
        var compressor = Compressor()
        for room in [0, 1, 10, frame.count / 2, frame.count - 1] {
            var guarded = [UInt8](repeating: 0xaa, count: room + 64)
            let count = try rows.withUnsafeBytes { rows in
                try guarded.withUnsafeMutableBytes {
                    try compressor.compress(
                        rows, level: 3, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<room]),
                        limit: .max)
                }
            }
            #expect(count == nil, "\(room)")
            #expect(guarded[room...].allSatisfy { $0 == 0xaa })
        }
        #expect(try compress(with: &compressor, rows) == frame, "the compressor is as good as new")
    }

    @Test func `a compressor remembers nothing of what it compressed before`() throws {
        var random = SeededRandom(seed: announcedSeed())
        var compressor = Compressor()
        var decompressor = Decompressor()
        let base = random.bytes(100_000)
        for _ in 0..<20 {
            let rows = random.sqlRows(byteCount: random.number(1...100_000))
            let alone = try compress(rows)
            _ = try compress(
                with: &compressor, random.bytes(1000), base: base, level: random.number(1...9))
            #expect(try compress(with: &compressor, rows) == alone)
            #expect(
                try decompress(with: &decompressor, try #require(alone), count: rows.count) == rows)
        }
    }

    // MARK: bases

    @Test func `what was compressed against a base comes back with it, and not without it`() throws
    {
        var random = SeededRandom(seed: announcedSeed())
        for count in [1000, 100_000, 1 << 20] {
            let base = random.bytes(count)
            var bytes = base
            for _ in 0..<10 { bytes[random.number(0...(count - 1))] ^= 1 }
            let frame = try #require(try compress(bytes, base: base, limit: count))
            #expect(frame.count < count / 5)
            #expect(try decompress(frame, base: base, count: count) == bytes)
            expectCorrupt("without its base") { _ = try decompress(frame, count: count) }
            expectCorrupt("with a base of a byte") {
                _ = try decompress(frame, base: [0], count: count)
            }
            let other = try? decompress(frame, base: random.bytes(count), count: count)
            #expect(other != bytes, "another base gives other bytes")
        }
    }

    /// Without long-distance matching zstd looks only into the end of a base, the sooner the lower
    /// the level, and says nothing of it.
    @Test(
        arguments: [1, 2, 3, 6],
        [
            100 << 10, 128 << 10, 128 << 10 + 1, 200 << 10, 256 << 10, 300 << 10, 512 << 10,
            1 << 20, 4 << 20,
        ])
    func `what stands anywhere in a base is found`(_ level: Int, _ baseCount: Int) throws {
        var random = SeededRandom(seed: announcedSeed())
        let base = random.bytes(baseCount)
        for count in [8 << 10, 64 << 10] {
            for offset in [0, (baseCount - count) / 2, baseCount - count] {
                let bytes = Array(base[offset..<(offset + count)])
                let frame = try #require(
                    try compress(bytes, base: base, level: level, limit: count),
                    "\(count) at \(offset)")
                #expect(frame.count < 200, "\(count) bytes at \(offset) of \(baseCount)")
                #expect(try decompress(frame, base: base, count: count) == bytes)
            }
        }
    }

    @Test func `1 MiB of changes scattered over its base costs what changed`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let base = random.bytes(1 << 20)
        var bytes = base
        // A row of 100 bytes changes in every 10 KiB.
        for offset in stride(from: 0, to: bytes.count - 200, by: 10 << 10) {
            bytes.replaceSubrange(offset..<(offset + 100), with: random.bytes(100))
        }
        let frame = try #require(try compress(bytes, base: base))
        #expect(frame.count < 103 * 130)
        #expect(try decompress(frame, base: base, count: bytes.count) == bytes)
    }

    @Test func `a base is raw content even where it begins like a dictionary`() throws {
        var random = SeededRandom(seed: announcedSeed())
        for count in [8, 1000, 300_000] {
            let base = hex("37a430ec") + random.bytes(count)
            let bytes = Array((base + base).prefix(count))
            let frame = try #require(try compress(bytes, base: base))
            #expect(try decompress(frame, base: base, count: count) == bytes)
        }
    }

    @Test func `a base is used once, also where its frame was refused`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let base = random.bytes(5000)
        let bytes = Array(base[100..<4000])
        let frame = try #require(try compress(bytes, base: base))
        for refused in [
            [], [0], Array(frame.dropLast()), frame + [0], frame + frame, smallFrame([0x20, 3]),
        ] {
            var decompressor = Decompressor()
            #expect(throws: CompressionError.self) {
                try decompress(with: &decompressor, refused, base: base, count: bytes.count)
            }
            expectCorrupt("without its base") {
                _ = try decompress(with: &decompressor, frame, count: bytes.count)
            }
            #expect(
                try decompress(with: &decompressor, frame, base: base, count: bytes.count) == bytes)
        }
    }

    // MARK: what is no frame of ours

    @Test func `a frame by hand opens, so that what is refused below is refused for its reason`()
        throws
    {
        #expect(try decompress(smallFrame([0x20, 3]), count: 3) == Array("abc".utf8))
        #expect(try decompress(smallFrame([0x00, 0x68]), count: 3) == Array("abc".utf8))
    }

    @Test func `a frame that names a dictionary is refused`() {
        for header: [UInt8] in [[0x21, 5, 3], [0x22, 5, 0, 3], [0x23, 5, 0, 0, 0, 3]] {
            expectCorrupt("\(header)") { _ = try decompress(smallFrame(header), count: 3) }
            expectCorrupt("\(header)") {
                _ = try decompress(smallFrame(header), base: [1, 2, 3, 4, 5, 6, 7, 8], count: 3)
            }
        }
    }

    @Test func `a window above 8 MiB is refused, at it accepted`() throws {
        for descriptor: UInt8 in [0x00, 0x50, 0x67, 0x68] {
            #expect(
                try decompress(smallFrame([0x00, descriptor]), count: 3) == Array("abc".utf8),
                "\(descriptor)")
        }
        for descriptor: UInt8 in [0x69, 0x6f, 0x70, 0x88, 0xf8, 0xff] {
            expectCorrupt("\(descriptor)") {
                _ = try decompress(smallFrame([0x00, descriptor]), count: 3)
            }
        }
        expectCorrupt("a window above the one asked for") {
            _ = try decompress(smallFrame([0x00, 0x51]), count: 3, windowLog: 20)
        }
    }

    @Test func `a content size that lies and a checksum that does not hold are refused`() throws {
        for size: UInt8 in [0, 2, 4, 255] {
            expectCorrupt("\(size)") { _ = try decompress(smallFrame([0x20, size]), count: 3) }
        }
        let bytes = Array("what a checksum is for".utf8)
        var frame = try zstdFrame(bytes)
        #expect(try decompress(frame, count: bytes.count) == bytes)
        frame[frame.count - 1] ^= 1
        expectCorrupt("a wrong checksum") { _ = try decompress(frame, count: bytes.count) }
    }

    @Test func `anything but exactly one frame of exactly the length is refused`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let rows = random.sqlRows(byteCount: 3000)
        let frame = try #require(try compress(rows))
        let skippable = hex("502a4d18 03000000 616263")
        let refused: [(String, [UInt8])] = [
            ("nothing", []), ("a byte behind it", frame + [0]), ("a byte before it", [0] + frame),
            ("two frames", frame + frame), ("a skippable frame before", skippable + frame),
            ("a skippable frame behind", frame + skippable), ("a skippable frame alone", skippable),
            ("an empty frame before", try zstdFrame([]) + frame),
        ]
        for (why, bytes) in refused {
            expectCorrupt(why) { _ = try decompress(bytes, count: rows.count) }
        }
        for count in 0..<frame.count {
            expectCorrupt("\(count) bytes") {
                _ = try decompress(Array(frame.prefix(count)), count: rows.count)
            }
        }
        for count in [0, 1, rows.count - 1, rows.count + 1, rows.count * 2] {
            expectCorrupt("into \(count) bytes") { _ = try decompress(frame, count: count) }
        }
    }

    @Test func `5,000 changed frames are refused or give as many bytes, and nothing traps`() async {
        _ = announcedSeed()
        await #expect(processExitsWith: .success) {
            limitAddressSpace(toFurtherBytes: 64 << 20)
            var random = SeededRandom(seed: testSeed)
            let base = random.sqlRows(byteCount: 20_000)
            let rows = random.sqlRows(byteCount: 10_000)
            let frames = [
                (try compress(rows)!, [UInt8]()), (try compress(rows, base: base)!, base),
                (try zstdFrame(rows), [UInt8]()), (try compress(rows, level: 19)!, [UInt8]()),
            ]
            var decompressor = Decompressor()
            var refused = 0
            for round in 0..<5000 {
                let (frame, base) = frames[round % frames.count]
                let changed = random.mutated(frame, splicing: frames[(round + 1) % frames.count].0)
                do {
                    _ = try decompress(with: &decompressor, changed, base: base, count: rows.count)
                } catch CompressionError.corrupt {
                    refused += 1
                }
            }
            guard refused > 1000 else { fatalError("only \(refused) were refused") }
        }
    }

    @Test func `errors say what happened and lead to exit 5 where data is damaged`() {
        #expect(
            CompressionError.corrupt("it is not one frame").message
                == "compressed data is damaged: it is not one frame")
        #expect(CompressionError.corrupt("x").exitCode == .damage)
        #expect(CompressionError.library("x").exitCode == .failed)
        #expect(
            CompressionError.library("no memory").message
                == "the compression library refused: no memory")
    }
}
