import TestSupport
import Testing
import WireFormat

struct CatalogTests {
    private func entry(_ fields: RawField...) throws -> CatalogEntry {
        try CatalogEntry(RawField.narrow(fields), what: "it")
    }

    private func path(_ text: String) -> RawField {
        RawField(number: 1, isCritical: true, value: Array(text.utf8))
    }
    private func kind(_ number: UInt8) -> RawField {
        RawField(number: 2, isCritical: true, value: [number])
    }

    private static let outside = [
        "", "/", "/etc/passwd", "..", "../x", "a/..", "a/../b", "a/../../b", ".", "./a", "a/.",
        "a/./b", "a//b", "a/",
        "//", "a\u{0}", "\u{0}", "a/\u{0}b",
    ]

    @Test(arguments: outside)
    func `a path that is empty, absolute or leaves its directory is refused`(_ text: String) {
        expectMalformed(text) { _ = try entry(path(text), kind(1)) }
        expectMalformed(text) {
            _ = try entry(
                path("a"), kind(1), RawField(number: 11, isCritical: true, value: Array(text.utf8)))
        }
    }

    @Test(arguments: [
        "a", "...", "..a", "a..", ".a", "a/b", "a/.../b", "a b", "é", "-", "a\n", "~", "a\\..\\b",
    ])
    func `a path that stays below its directory is accepted`(_ text: String) throws {
        #expect(try entry(path(text), kind(2)).path == Array(text.utf8))
        let link = RawField(number: 11, isCritical: true, value: Array(text.utf8))
        #expect(try entry(path("x"), kind(1), link).hardLink == Array(text.utf8))
    }

    @Test func `paths need not be UTF-8`() throws {
        let bytes: [UInt8] = [0xff, 0x2f, 0xc3, 0x28]
        #expect(try entry(RawField(number: 1, value: bytes), kind(1)).path == bytes)
    }

    @Test func `targets of symbolic links may lead anywhere`() throws {
        for target in ["/etc/passwd", "../../x", "a//b"] {
            let field = RawField(number: 10, isCritical: true, value: Array(target.utf8))
            #expect(try entry(path("a"), kind(3), field).linkTarget == Array(target.utf8))
        }
    }

    @Test func `a field that belongs to another kind is refused`() throws {
        let content = RawField(number: 9, isCritical: true, value: [5])
        let target = RawField(number: 10, isCritical: true, value: [97])
        let link = RawField(number: 11, isCritical: true, value: [97])
        let device = RawField(number: 12, value: [1, 2])
        _ = try entry(path("x"), kind(1), content)
        _ = try entry(path("x"), kind(3), target)
        _ = try entry(path("x"), kind(1), link)
        for number: UInt8 in 4...5 { _ = try entry(path("x"), kind(number), device) }
        for number: UInt8 in 2...7 {
            expectMalformed("content of \(number)") {
                _ = try entry(path("x"), kind(number), content)
            }
        }
        expectMalformed("content of a second name") {
            _ = try entry(path("x"), kind(1), content, link)
        }
        for number: UInt8 in [1, 2, 4, 5, 6, 7] {
            expectMalformed("target of \(number)") {
                _ = try entry(path("x"), kind(number), target)
            }
        }
        for number: UInt8 in [1, 2, 3, 6, 7] {
            expectMalformed("device of \(number)") {
                _ = try entry(path("x"), kind(number), device)
            }
        }
    }

    @Test func `numbers at their limits are accepted, beyond refused`() throws {
        func one(_ number: UInt16, _ value: [UInt8], kind: UInt8 = 1) throws -> CatalogEntry {
            try entry(path("x"), self.kind(kind), RawField(number: number, value: value))
        }
        #expect(try one(3, leb128(0o7777)).mode == 0o7777)
        expectMalformed { _ = try one(3, leb128(0o10000)) }
        #expect(try one(4, leb128(1 << 32 - 1) + leb128(1 << 32 - 1)).user == .max)
        expectMalformed { _ = try one(4, leb128(1 << 32) + leb128(0)) }
        expectMalformed { _ = try one(4, leb128(0) + leb128(1 << 32)) }
        #expect(try one(9, leb128(1 << 62)).byteCount == 1 << 62)
        expectMalformed { _ = try one(9, leb128(1 << 62 + 1)) }
        #expect(try one(12, leb128(1 << 32 - 1) + leb128(0), kind: 4).special?.major == .max)
        expectMalformed { _ = try one(12, leb128(1 << 32) + leb128(0), kind: 4) }
        for number: UInt16 in [6, 7] {
            _ = try one(number, little(Int64.min) + little(UInt32(999_999_999)))
            expectMalformed("10^9 nanoseconds") {
                _ = try one(number, little(Int64(0)) + little(UInt32(1_000_000_000)))
            }
            expectMalformed("many nanoseconds") {
                _ = try one(number, little(Int64(0)) + little(UInt32.max))
            }
        }
        let longest = leb128(255) + block(1, 255)
        #expect(try one(5, longest + longest).groupName == block(1, 255))
        expectMalformed { _ = try one(5, leb128(256) + block(1, 256) + [0]) }
        #expect(
            try one(13, longest + [1, 2]).attributes == [.init(name: block(1, 255), value: [1, 2])])
        expectMalformed { _ = try one(13, leb128(256) + block(1, 256)) }
    }

    @Test func `ranges that overflow are refused, however they add up`() throws {
        func holes(_ numbers: UInt64...) throws -> [Range<Int>] {
            let value = leb128(UInt64(numbers.count / 2)) + numbers.flatMap { leb128($0) }
            return try entry(path("x"), kind(1), RawField(number: 15, value: value)).holes
        }
        let half: UInt64 = 1 << 61
        #expect(try holes(0, 1, 0, 1) == [0..<1, 1..<2])
        #expect(try holes(half, half) == [(1 << 61)..<(1 << 62)])
        expectMalformed { _ = try holes(half, half, 0, 1) }
        expectMalformed { _ = try holes(half, half, 1, 0) }
        expectMalformed { _ = try holes(half, half, half, half) }
        expectMalformed { _ = try holes(half, half, half, half, half, half) }
        expectMalformed { _ = try holes(half + 1, 0) }
        expectMalformed { _ = try holes(0, .max) }
        for count: UInt64 in [1, 1 << 20, 1 << 32, .max] {
            expectMalformed("\(count) holes in no bytes") {
                _ = try entry(path("x"), kind(1), RawField(number: 15, value: leb128(count)))
            }
        }
    }

    @Test func `tables keep their ranges, and ranges that overflow are refused`() throws {
        func table(_ value: [UInt8]) throws -> TableEntry {
            try TableEntry(RawField.narrow([RawField(number: 3, value: value)]), what: "it")
        }
        #expect(
            try table(leb128(2) + leb128(5) + leb128(4) + leb128(1) + leb128(0)).ranges == [
                5..<9, 10..<10,
            ])
        let half = leb128(1 << 61)
        expectMalformed { _ = try table(leb128(2) + half + half + half + half) }
        expectMalformed { _ = try table(leb128(1) + [1, 1, 1]) }
    }

    @Test func `a field of an entry longer than 1 MiB is refused`() throws {
        let limit = Limits.catalogEntryBytes
        #expect(
            try entry(path("x"), kind(3), RawField(number: 10, value: block(1, limit))).linkTarget?
                .count == limit)
        expectMalformed {
            _ = try entry(path("x"), kind(3), RawField(number: 10, value: block(1, limit + 1)))
        }
    }
}
