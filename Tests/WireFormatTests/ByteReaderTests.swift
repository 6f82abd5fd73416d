import TestSupport
import Testing
import WireFormat

struct ByteReaderTests {
    private func varint(_ bytes: [UInt8]) throws -> UInt64 {
        var reader = ByteReader(bytes, what: "it")
        let value = try reader.varint()
        try reader.finish()
        return value
    }

    @Test(
        arguments: [
            (0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (16383, "ff7f"),
            (16384, "808001"),
            (1 << 32, "8080808010"), (UInt64.max >> 1, "ffffffffffffffff7f"),
            (1 << 63, "80808080808080808001"),
            (UInt64.max, "ffffffffffffffffff01"),
        ] as [(UInt64, String)])
    func `a varint has one spelling, the shortest`(_ value: UInt64, _ spelling: String) throws {
        var writer = ByteWriter()
        writer.varint(value)
        #expect(writer.bytes == hex(spelling))
        #expect(try varint(hex(spelling)) == value)
        // The same number with one group more than it needs.
        var longer = hex(spelling)
        longer[longer.count - 1] |= 0x80
        expectMalformed("\(value)") { _ = try varint(longer + [0]) }
    }

    @Test(arguments: [
        "", "80", "ffffffffffffffffff", "ffffffffffffffffff02", "ffffffffffffffffff7f",
        "ffffffffffffffffff81", "ffffffffffffffffffff01", "8000", "808080808080808080808080",
    ])
    func `a varint cut short, overlong or of more than 64 bits is refused`(_ spelling: String) {
        expectMalformed(spelling) { _ = try varint(hex(spelling)) }
    }

    @Test func `random varints come back, and no second spelling of them`() throws {
        var random = SeededRandom(seed: announcedSeed())
        for _ in 0..<20_000 {
            let value = random.next() >> UInt64(random.number(0...63))
            var writer = ByteWriter()
            writer.varint(value)
            #expect(writer.bytes == leb128(value))
            #expect(try varint(writer.bytes) == value)
        }
        for _ in 0..<20_000 {
            let bytes = random.bytes(random.number(1...11))
            var reader = ByteReader(bytes, what: "it")
            guard let value = try? reader.varint() else { continue }
            #expect(leb128(value) == Array(bytes[..<reader.offset]))
        }
    }

    @Test func `a count above its limit is refused, at it accepted`() throws {
        for limit in [0, 1, 127, 128, 1 << 20, Int.max] {
            var reader = ByteReader(leb128(UInt64(limit)), what: "it")
            #expect(try reader.count(atMost: limit) == limit)
            expectMalformed("\(limit)") {
                var reader = ByteReader(leb128(UInt64(limit) + 1), what: "it")
                _ = try reader.count(atMost: limit)
            }
        }
    }

    @Test func `where nothing may be counted, nothing can be`() {
        for value in [0, 1, UInt64.max] {
            expectMalformed("a limit below zero") {
                var reader = ByteReader(leb128(value), what: "it")
                _ = try reader.count(atMost: -1)
            }
        }
    }

    @Test func `integers are little-endian`() throws {
        var reader = ByteReader(
            hex("01 0203 04050607 08090a0b0c0d0e0f feffffffffffffff 1011121314151617"), what: "it")
        #expect(try reader.u8() == 1)
        #expect(try reader.u16() == 0x0302)
        #expect(try reader.u32() == 0x0706_0504)
        #expect(try reader.u64() == 0x0f0e_0d0c_0b0a_0908)
        #expect(try reader.integer(Int64.self) == -2)
        #expect(try reader.integer(UInt64.self) == 0x1716_1514_1312_1110)
        #expect(reader.isAtEnd)

        var writer = ByteWriter()
        writer.u8(1)
        writer.u16(0x0302)
        writer.u32(0x0706_0504)
        writer.u64(0x0f0e_0d0c_0b0a_0908)
        writer.integer(Int64(-2))
        #expect(writer.bytes == hex("01 0203 04050607 08090a0b0c0d0e0f feffffffffffffff"))
        #expect(writer.count == 23)
    }

    @Test func `a word above the greatest signed one is refused as a length`() throws {
        var reader = ByteReader(hex("ffffffffffffff7f"), what: "it")
        #expect(try reader.u64() == Int.max)
        expectMalformed {
            var reader = ByteReader(hex("0000000000000080"), what: "it")
            _ = try reader.u64()
        }
    }

    @Test func `nothing is read past the end of a part`() throws {
        let bytes = Array(UInt8(0)..<16)
        for count in 0..<8 {
            let taken: [(inout ByteReader) throws -> Void] = [
                { _ = try $0.integer(UInt64.self) }, { _ = try $0.raw(8) }, { try $0.zeros(8) },
                { _ = try $0.id(DomainID.self) }, { _ = try $0.chunkID() },
                { _ = try $0.part(8, what: "") },
                { _ = try $0.raw(Int.max) },
            ]
            for take in taken {
                expectMalformed("\(count) bytes") {
                    var reader = ByteReader(bytes, in: 4..<(4 + count), what: "it")
                    try take(&reader)
                }
            }
        }
        var reader = ByteReader(bytes, in: 4..<12, what: "it")
        var part = try reader.part(3, what: "the part")
        #expect(part.rest() == [4, 5, 6])
        #expect(part.isAtEnd && part.what == "the part")
        #expect(reader.offset == 7 && reader.remaining == 5)
        #expect(try reader.raw(5) == [7, 8, 9, 10, 11])
        try reader.finish()
    }

    @Test func `a count of bytes that lies is refused before anything is allocated`() {
        expectMalformed {
            var reader = ByteReader([0xff, 0xff, 0xff, 0x7f], what: "it")
            _ = try reader.counted(atMost: Int.max)
        }
        expectMalformed {
            var reader = ByteReader([3, 1, 2, 3], what: "it")
            _ = try reader.counted(atMost: 2)
        }
    }

    @Test func `bytes left over and reserved bytes that are set are refused`() throws {
        let reader = ByteReader([0, 0], what: "it")
        expectMalformed { try reader.finish() }
        for index in 0..<4 {
            var bytes: [UInt8] = [0, 0, 0, 0]
            bytes[index] = 0x80
            expectMalformed("byte \(index)") {
                var reader = ByteReader(bytes, what: "it")
                try reader.zeros(4)
            }
        }
    }
}
