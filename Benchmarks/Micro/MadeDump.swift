import TestSupport

/// Text like that of mysqldump, made from a seed: as fast as a pipe takes it, as compressible as the
/// dump of a shop.
///
/// Half of the blocks are new; the other half repeat one of the last 128, so that not all is unique.
struct MadeDump {
    static let blockBytes = 256 << 10
    private static let blocksKept = 128
    /// A row is no longer than this.
    private static let rowBytesMax = 512

    static let beginning = Array(
        """
        -- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
        --
        -- Host: localhost    Database: shop
        -- ------------------------------------------------------
        -- Server version\t10.11.6-MariaDB-0+deb12u1


        """.utf8)
    static let end = Array("\n-- Dump completed on 2026-11-21  4:16:00\n".utf8)

    private var random: SeededRandom
    private var row = 0
    private var kept: [[UInt8]] = []
    private var next = 0
    private let words: [[UInt8]]

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var source = SeededRandom(seed: 1)
        words = (0..<4096).map { _ in
            (0..<source.number(1...4)).flatMap { _ in
                [
                    Array("bdfghklmnprstvz".utf8)[source.number(0...14)],
                    Array("aeiou".utf8)[source.number(0...4)],
                ]
            }
        }
    }

    /// The next block: whole rows, at most `blockBytes`. Always new.
    mutating func newBlock() -> [UInt8] {
        let count = Self.blockBytes
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var at = 0
            Self.put("INSERT INTO `orders` VALUES\n", buffer, &at)
            // In bounds: a row is begun only where the longest one fits.
            while at + Self.rowBytesMax < count {
                if at > 28 { Self.put(",\n", buffer, &at) }
                writeRow(buffer, &at)
            }
            Self.put(";\n", buffer, &at)
            filled = at
        }
    }

    /// The next block of a stream: new, or one of the last ones again.
    mutating func block() -> [UInt8] {
        if kept.count == Self.blocksKept, random.next() & 1 == 0 {
            return kept[random.number(0...(Self.blocksKept - 1))]
        }
        let block = newBlock()
        if kept.count < Self.blocksKept {
            kept.append(block)
        } else {
            kept[next] = block
            next = (next + 1) % Self.blocksKept
        }
        return block
    }

    private mutating func writeRow(_ buffer: UnsafeMutableBufferPointer<UInt8>, _ at: inout Int) {
        row += 1
        Self.put("(", buffer, &at)
        Self.put(UInt64(row), buffer, &at)
        Self.put(",'", buffer, &at)
        var bits = random.next()
        // Two draws cubed away from the middle: a few words are frequent, most are rare.
        for word in 0..<(4 + Int(bits >> 60)) {
            if word % 4 == 0 { bits = random.next() }
            let (low, high) = (bits & 255, bits >> 8 & 15)
            bits >>= 14
            Self.put(words[Int(low * (high * high * high) / 210) & 4095], buffer, &at)
            Self.put(" ", buffer, &at)
        }
        Self.put("',", buffer, &at)
        Self.put(random.next() % 100_000, buffer, &at)
        Self.put(",'2026-11-", buffer, &at)
        Self.put(UInt64(10 + row / 5000 % 19), buffer, &at)
        Self.put("','", buffer, &at)
        Self.put(random.next(), buffer, &at)
        Self.put("')", buffer, &at)
    }

    private static func put(
        _ bytes: [UInt8], _ buffer: UnsafeMutableBufferPointer<UInt8>, _ at: inout Int
    ) {
        for byte in bytes {
            buffer[at] = byte
            at += 1
        }
    }

    private static func put(
        _ text: StaticString, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ at: inout Int
    ) {
        for index in 0..<text.utf8CodeUnitCount { buffer[at + index] = text.utf8Start[index] }
        at += text.utf8CodeUnitCount
    }

    /// A number in decimal.
    private static func put(
        _ number: UInt64, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ at: inout Int
    ) {
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = number
        for place in stride(from: at + digits - 1, through: at, by: -1) {
            buffer[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        at += digits
    }
}

extension MadeDump {
    /// So many bytes of new rows.
    static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var dump = MadeDump(seed: seed)
        var text: [UInt8] = []
        text.reserveCapacity(count + blockBytes)
        while text.count < count { text += dump.newBlock() }
        text.removeLast(text.count - count)
        return text
    }
}
