import CIsal

/// How the pages of a database file prove themselves (MariaDB's buf0checksum.cc and fsp0types.h;
/// PostgreSQL's checksum_impl.h and bufpage.h).
package enum PageFormat: Sendable, Equatable {
    /// InnoDB since MariaDB 10.5: one checksum at the end of the page.
    case innodbFull(size: Int)
    /// InnoDB before, and MySQL: the checksum at both ends.
    case innodb(size: Int)
    /// PostgreSQL, 8 KiB: the number of the file's first page is part of the checksum. Pages that
    /// were changed since `start` are written anew from the log, and prove nothing.
    case postgres(firstPage: UInt32, start: UInt64)

    package var size: Int {
        switch self {
        case .innodbFull(let size), .innodb(let size): size
        case .postgres: Self.postgresSize
        }
    }

    private static let postgresSize = 8192

    package enum Verdict: Sendable, Equatable {
        case sound
        /// All zero: never used.
        case empty
        /// Compressed, encrypted, without a checksum, or still changing.
        case skipped
        case damaged
    }

    /// Looks at one page.
    /// - Parameter number: of the page in its file.
    package func verdict(_ page: UnsafeRawBufferPointer, number: Int) -> Verdict {
        guard page.count == size else { return .skipped }
        if page.isZero { return .empty }
        switch self {
        case .innodbFull: return Self.innodbFull(page)
        case .innodb: return Self.innodb(page)
        case .postgres(let first, let start):
            return Self.postgres(page, first &+ UInt32(truncatingIfNeeded: number), start)
        }
    }

    // MARK: InnoDB

    /// What the first page of a file says of all.
    /// - Parameter page: it, and maybe more.
    /// - Returns: nil where the file is compressed as a whole or proves its pages in another way.
    package static func innodb(first page: UnsafeRawBufferPointer) -> PageFormat? {
        guard page.count >= 64, page.bigEndian(at: 4, bytes: 4) == 0 else { return nil }
        let flags = page.bigEndian(at: 54, bytes: 4)
        if flags & 16 != 0 {
            let shift = Int(flags & 15)
            return (3...7).contains(shift) ? .innodbFull(size: 512 << shift) : nil
        }
        // A compressed row format: pages of another size, with another checksum.
        guard flags >> 1 & 15 == 0 else { return nil }
        let shift = Int(flags >> 6 & 15)
        guard shift == 0 || (3...7).contains(shift) else { return nil }
        let size = shift == 0 ? 16_384 : 512 << shift
        // Only crc32 has the same at both ends.
        guard page.count >= size,
            page.bigEndian(at: 0, bytes: 4) == page.bigEndian(at: size - 8, bytes: 4)
        else { return nil }
        return .innodb(size: size)
    }

    private static func innodbFull(_ page: UnsafeRawBufferPointer) -> Verdict {
        let type = page.bigEndian(at: 24, bytes: 2)
        // The mark of a page that is compressed, and shorter than a page.
        if type & 0x8000 != 0 { return .skipped }
        let end = page.count - 4
        return crc32c(page.part(0, end)) == page.bigEndian(at: end, bytes: 4) ? .sound : .damaged
    }

    private static func innodb(_ page: UnsafeRawBufferPointer) -> Verdict {
        let type = page.bigEndian(at: 24, bytes: 2)
        // 34354, 37401: MariaDB's compressed and encrypted pages; 14 to 16: MySQL's.
        if type == 34_354 || type == 37_401 || (14...16).contains(type) { return .skipped }
        let end = page.count - 8
        let stored = (page.bigEndian(at: 0, bytes: 4), page.bigEndian(at: end, bytes: 4))
        if stored.0 == unchecked && stored.1 == unchecked { return .skipped }
        let sum = crc32c(page.part(4, 26)) ^ crc32c(page.part(38, end))
        return stored == (sum, sum) ? .sound : .damaged
    }

    /// What stands for a checksum where none is made.
    private static let unchecked: UInt64 = 0xDEAD_BEEF

    private static func crc32c(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        UInt64(repo_crc32c(bytes.baseAddress, bytes.count))
    }

    // MARK: PostgreSQL

    private static func postgres(
        _ page: UnsafeRawBufferPointer, _ number: UInt32, _ start: UInt64
    ) -> Verdict {
        let stored = page.littleEndian(at: 8, bytes: 2)
        // Never zero where checksums are on.
        guard stored != 0, page.littleEndian(at: 14, bytes: 2) != 0,
            // A server may have been built with pages of another size.
            page.littleEndian(at: 18, bytes: 2) & 0xFF00 == UInt64(postgresSize)
        else { return .skipped }
        let changed =
            page.littleEndian(at: 0, bytes: 4) << 32 | page.littleEndian(at: 4, bytes: 4)
        guard changed < start else { return .skipped }
        return postgresSum(page, number) == stored ? .sound : .damaged
    }

    /// The number of the first page of a relation's file: `1259.2` goes on where 1 GiB times 2 end.
    package static func firstPage(of path: [UInt8]) -> UInt32 {
        guard let point = path.lastIndex(of: UInt8(ascii: ".")),
            let segment = UInt32(String(decoding: path[(point + 1)...], as: UTF8.self))
        else { return 0 }
        return segment &* 131_072
    }

    private typealias Lanes = SIMD8<UInt32>

    /// 32 sums side by side, each of a word of every 128 bytes, then folded. The checksum's own place
    /// counts as zero. Eight sums at a time: the compiler makes single words of wider vectors.
    private static func postgresSum(_ page: UnsafeRawBufferPointer, _ number: UInt32) -> UInt64 {
        var folded = Lanes.zero
        for group in 0..<4 {
            var sums = postgresSeeds[group]
            // In bounds: a page has 64 times 128 bytes.
            for at in stride(from: 32 * group, to: postgresSize, by: 128) {
                var words = page.loadUnaligned(fromByteOffset: at, as: Lanes.self)
                if at == 0 { words[2] &= 0xFFFF_0000 }
                let mixed = sums ^ words
                sums = mixed &* prime ^ (mixed &>> 17)
            }
            for _ in 0..<2 { sums = sums &* prime ^ (sums &>> 17) }
            folded ^= sums
        }
        var sum: UInt32 = 0
        for lane in 0..<8 { sum ^= folded[lane] }
        return UInt64((sum ^ number) % 65_535 + 1)
    }

    private static let prime = Lanes(repeating: 16_777_619)
    private static let postgresSeeds = [
        Lanes(
            0x5B1F_36E9, 0xB852_5960, 0x02AB_50AA, 0x1DE6_6D2A,
            0x79FF_467A, 0x9BB9_F8A3, 0x217E_7CD2, 0x83E1_3D2C),
        Lanes(
            0xF8D4_474F, 0xE39E_B970, 0x42C6_AE16, 0x9932_16FA,
            0x7B09_3B5D, 0x98DA_FF3C, 0xF718_902A, 0x0B1C_9CDB),
        Lanes(
            0xE58F_764B, 0x1876_36BC, 0x5D7B_3BB1, 0xE73D_E7DE,
            0x92BE_C979, 0xCCA6_C0B2, 0x304A_0979, 0x85AA_43D4),
        Lanes(
            0x7831_25BB, 0x6CA8_EAA2, 0xE407_EAC6, 0x4B5C_FC3E,
            0x9FBF_8C76, 0x15CA_20BE, 0xF2CA_9FD3, 0x959B_D756),
    ]
}

extension UnsafeRawBufferPointer {
    /// An unsigned integer of 1 to 8 bytes, big-endian; 0 where it does not fit in.
    func bigEndian(at start: Int, bytes: Int) -> UInt64 {
        guard start >= 0, bytes <= 8, start + bytes <= count else { return 0 }
        var value: UInt64 = 0
        for index in 0..<bytes { value = value << 8 | UInt64(self[start + index]) }
        return value
    }
}
