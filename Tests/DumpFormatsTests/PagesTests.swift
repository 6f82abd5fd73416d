import DumpFormats
import TestSupport
import Testing

/// CRC-32C bit by bit.
private func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~sum
}

private func put(_ value: UInt32, _ page: inout [UInt8], at place: Int) {
    for byte in 0..<4 { page[place + byte] = UInt8(value >> (24 - 8 * byte) & 255) }
}

@Suite("database pages prove themselves")
struct PagesTests {
    @Test("the sum of nine digits is the one that everybody has")
    func sum() { #expect(crc32c("123456789".utf8) == 0xE306_9283) }

    /// The pages of a member of a recorded backup.
    private func pages(of path: String, in name: String) throws -> [[UInt8]] {
        let bytes = try Recorded(name).bytes
        var reader = DumpReader(expecting: .xbstream, decompressors: opensNothing)
        bytes.withUnsafeBytes { reader.read($0) }
        let member = try #require(
            reader.finish().members.first { $0.path == Array(path.utf8) })
        let content = member.pieces.flatMap { bytes[$0.stream] }
        return stride(from: 0, to: content.count - 16_383, by: 16_384).map {
            Array(content[$0..<($0 + 16_384)])
        }
    }

    @Test("every page of a real backup is sound, and with any bit flipped it is not")
    func full() throws {
        var random = SeededRandom(seed: announcedSeed())
        let pages = try pages(of: "ibdata1", in: "xb-full")
        let format = try #require(pages[0].withUnsafeBytes { PageFormat.innodb(first: $0) })
        #expect(format == .innodbFull(size: 16_384))
        var sound = 0
        for (number, page) in pages.enumerated() {
            let verdict = page.withUnsafeBytes { format.verdict($0, number: number) }
            #expect(verdict == .sound || verdict == .empty, "page \(number)")
            guard verdict == .sound else { continue }
            sound += 1
            for _ in 0..<20 {
                var flipped = page
                let place = random.number(0...(page.count - 1))
                // The mark of compressed pages would say that nothing is proven.
                if place == 24 { continue }
                flipped[place] ^= 1 << random.number(0...7)
                let verdict = flipped.withUnsafeBytes { format.verdict($0, number: number) }
                #expect(verdict == .damaged, "page \(number), byte \(place)")
            }
        }
        #expect(sound > 50)
    }

    @Test("pages of the older format, with the sum at both ends")
    func older() {
        var random = SeededRandom(seed: announcedSeed())
        for size in [4096, 8192, 16_384, 32_768] {
            var page = random.bytes(size)
            put(0, &page, at: 4)
            page[24] = 0x45
            page[25] = 0xBF
            // Only what is not 16 KiB says its size.
            let shift: UInt32 = size == 16_384 ? 0 : UInt32((size / 512).trailingZeroBitCount)
            put(shift << 6, &page, at: 54)
            let sum = crc32c(page[4..<26]) ^ crc32c(page[38..<(size - 8)])
            put(sum, &page, at: 0)
            put(sum, &page, at: size - 8)
            let format = page.withUnsafeBytes { PageFormat.innodb(first: $0) }
            #expect(format == .innodb(size: size))
            #expect(page.withUnsafeBytes { format?.verdict($0, number: 0) } == .sound)
            for place in [1, 30, 100, size - 7] {
                var flipped = page
                flipped[place] ^= 8
                let verdict = flipped.withUnsafeBytes { format?.verdict($0, number: 0) }
                // Bytes 26 to 38 are in no sum.
                #expect(verdict == (place == 30 ? .sound : .damaged), "\(size), byte \(place)")
            }
            put(0xDEAD_BEEF, &page, at: 0)
            put(0xDEAD_BEEF, &page, at: size - 8)
            #expect(page.withUnsafeBytes { format?.verdict($0, number: 0) } == .skipped)
        }
    }

    @Test("what proves itself in no known way is not called damaged")
    func unknown() {
        var random = SeededRandom(seed: announcedSeed())
        var page = random.bytes(16_384)
        put(0, &page, at: 4)
        // A compressed row format.
        put(5 << 1, &page, at: 54)
        #expect(page.withUnsafeBytes { PageFormat.innodb(first: $0) } == nil)
        // Two sums that differ: an algorithm of long ago.
        put(0, &page, at: 54)
        #expect(page.withUnsafeBytes { PageFormat.innodb(first: $0) } == nil)
        // Not the first page.
        put(9, &page, at: 4)
        #expect(page.withUnsafeBytes { PageFormat.innodb(first: $0) } == nil)
        let format = PageFormat.innodbFull(size: 16_384)
        page[24] = 0x80
        #expect(page.withUnsafeBytes { format.verdict($0, number: 3) } == .skipped)
        #expect([1, 2, 3].withUnsafeBytes { format.verdict($0, number: 0) } == .skipped)
        let zeros = [UInt8](repeating: 0, count: 16_384)
        #expect(zeros.withUnsafeBytes { format.verdict($0, number: 3) } == .empty)
    }

    /// The same sum word by word, as its definition reads.
    private func postgresSum(_ page: [UInt8], _ number: UInt32) -> UInt16 {
        var seeds: [UInt32] = [
            0x5B1F_36E9, 0xB852_5960, 0x02AB_50AA, 0x1DE6_6D2A, 0x79FF_467A, 0x9BB9_F8A3,
            0x217E_7CD2, 0x83E1_3D2C, 0xF8D4_474F, 0xE39E_B970, 0x42C6_AE16, 0x9932_16FA,
            0x7B09_3B5D, 0x98DA_FF3C, 0xF718_902A, 0x0B1C_9CDB, 0xE58F_764B, 0x1876_36BC,
            0x5D7B_3BB1, 0xE73D_E7DE, 0x92BE_C979, 0xCCA6_C0B2, 0x304A_0979, 0x85AA_43D4,
            0x7831_25BB, 0x6CA8_EAA2, 0xE407_EAC6, 0x4B5C_FC3E, 0x9FBF_8C76, 0x15CA_20BE,
            0xF2CA_9FD3, 0x959B_D756,
        ]
        var page = page
        page[8] = 0
        page[9] = 0
        func mix(_ lane: Int, _ word: UInt32) {
            let mixed = seeds[lane] ^ word
            seeds[lane] = mixed &* 16_777_619 ^ mixed >> 17
        }
        for word in 0..<2048 {
            let bytes = page[(4 * word)..<(4 * word + 4)]
            mix(word % 32, bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
        }
        for _ in 0..<2 { for lane in 0..<32 { mix(lane, 0) } }
        return UInt16((seeds.reduce(0, ^) ^ number) % 65_535 + 1)
    }

    @Test("pages of PostgreSQL, by their place in the relation")
    func postgres() {
        var random = SeededRandom(seed: announcedSeed())
        #expect(PageFormat.firstPage(of: Array("base/5/1259".utf8)) == 0)
        #expect(PageFormat.firstPage(of: Array("base/5/1259_vm.3".utf8)) == 393_216)
        let format = PageFormat.postgres(firstPage: 131_072, start: 1 << 40)
        for number in [0, 1, 77] {
            var page = random.bytes(8192)
            // Changed before the backup began.
            page.replaceSubrange(0..<8, with: [1, 0, 0, 0, 5, 0, 0, 0])
            page[14] = 7
            (page[18], page[19]) = (4, 0x20)
            let sum = postgresSum(page, 131_072 + UInt32(number))
            page[8] = UInt8(sum & 255)
            page[9] = UInt8(sum >> 8)
            func verdict(_ page: [UInt8], _ number: Int) -> PageFormat.Verdict {
                page.withUnsafeBytes { format.verdict($0, number: number) }
            }
            #expect(verdict(page, number) == .sound)
            // Elsewhere it is another page.
            #expect(verdict(page, number + 1) == .damaged)
            var flipped = page
            flipped[random.number(20...8191)] ^= 1 << random.number(0...7)
            #expect(verdict(flipped, number) == .damaged)
            // What was changed since is written anew from the log.
            var later = flipped
            later[1] = 1
            #expect(verdict(later, number) == .skipped)
            var without = flipped
            without[8] = 0
            without[9] = 0
            #expect(verdict(without, number) == .skipped)
        }
    }
}
