import TestSupport
import Testing
import WireFormat

struct PaddingTests {
    /// Worked out with Python's integers from the formula in docs/format.md, section 1.
    private static let listed: [(Int, Int)] = [
        (0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (8, 8), (9, 10), (10, 10), (11, 12),
        (12, 12), (15, 16),
        (16, 16), (17, 18), (18, 18), (19, 20), (24, 24), (25, 26), (31, 32), (32, 32), (33, 36),
        (63, 64), (64, 64),
        (65, 72), (100, 104), (127, 128), (128, 128), (129, 144), (255, 256), (256, 256),
        (257, 272), (272, 272),
        (273, 288), (288, 288), (289, 304), (511, 512), (512, 512), (513, 544), (1000, 1024),
        (1024, 1024),
        (1025, 1088), (1088, 1088), (1089, 1152), (4095, 4096), (4096, 4096), (4097, 4352),
        (4352, 4352),
        (4353, 4608), (65535, 65536), (65536, 65536), (65537, 67584), (67584, 67584),
        (67585, 69632),
        (1_000_000, 1_015_808), (1_048_576, 1_048_576), (1_048_577, 1_081_344),
        (16_777_216, 16_777_216),
        (16_777_217, 17_301_504), (67_108_864, 67_108_864), (67_108_865, 69_206_016),
    ]

    @Test(arguments: listed)
    func `Padmé gives the listed lengths`(_ length: Int, _ padded: Int) {
        #expect(Padding.padme(length) == padded)
    }

    @Test func `Padmé never shortens, adds at most 12 percent, and changes nothing twice`() {
        var random = SeededRandom(seed: announcedSeed())
        var lengths = Array(0..<5000)
        for _ in 0..<20_000 { lengths.append(random.number(0...(1 << random.number(1...40)))) }
        for length in lengths {
            let padded = Padding.padme(length)
            #expect(padded >= length && padded * 100 <= length * 112)
            #expect(Padding.padme(padded) == padded)
        }
    }

    @Test func `contents come back at every length, and lengths tell no more than their class`()
        throws
    {
        for count in [0, 1, 251, 252, 253, 254, 268, 269, 1000, 65_536, 1 << 20] {
            let content = block(7, count)
            let padded = Padding.pad(content)
            #expect(padded.count == max(256, Padding.padme(4 + count)))
            #expect(Array(padded.prefix(4)) == little(UInt32(count)))
            #expect(try Padding.unpad(padded, what: "it") == content)
        }
        #expect(Padding.pad(block(1, 252)).count == 256)
        #expect(Padding.pad(block(1, 253)).count == 272)
    }

    @Test func `padding that is not zero or not of its length is refused`() {
        for count in [0, 10, 251, 253, 300, 1030] {
            let padded = Padding.pad(block(1, count))
            for index in (4 + count)..<padded.count {
                var changed = padded
                changed[index] = 1
                expectMalformed("\(count), byte \(index)") {
                    _ = try Padding.unpad(changed, what: "it")
                }
            }
            for length in [padded.count - 1, padded.count + 1, padded.count * 2, 4 + count]
            where length != padded.count {
                let resized = Array(
                    (padded + [UInt8](repeating: 0, count: padded.count)).prefix(length))
                expectMalformed("\(count) in \(length)") {
                    _ = try Padding.unpad(resized, what: "it")
                }
            }
        }
    }

    @Test func `a length beyond the padded bytes is refused`() {
        for length: UInt32 in [253, 256, 1 << 20, .max] {
            let padded = little(length) + [UInt8](repeating: 0, count: 252)
            expectMalformed("\(length)") { _ = try Padding.unpad(padded, what: "it") }
        }
        for count in 0..<4 {
            expectMalformed("\(count) bytes") {
                _ = try Padding.unpad([UInt8](repeating: 0, count: count), what: "it")
            }
        }
    }
}
