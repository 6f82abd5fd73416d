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

    @Test func `the bytes of a member stand between its holes`() throws {
        var member = CatalogEntry(path: [97], kind: 1)
        member.byteCount = 100_000
        member.holes = [0..<20_000, 60_000..<70_000]
        member.ranges = [1000..<31_000, 90_000..<130_000]
        let pieces = member.pieces
        #expect(
            pieces.map { $0.stream } == [1000..<31_000, 90_000..<100_000, 100_000..<130_000])
        #expect(pieces.map { $0.offset } == [20_000, 50_000, 70_000])
    }

    @Test func `a member whose parts have no sum is refused`() {
        // Each range may end at 2^62; together with a hole they are longer than any file.
        var whole = CatalogEntry(path: [97], kind: 1)
        whole.ranges = [0..<(1 << 61), (1 << 61)..<(1 << 62)]
        whole.holes = [0..<1]
        expectMalformed("too long") {
            var counted = ByteReader(whole.bytes, what: "it")
            _ = try CatalogEntry(
                try counted.counted(atMost: Limits.catalogEntryBytes), what: "it", isMember: true)
        }
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
        let nothing = RawField(number: 9, isCritical: true, value: [0])
        _ = try entry(path("x"), kind(1), nothing)
        expectMalformed("no content, but said, of a directory") {
            _ = try entry(path("x"), kind(2), nothing)
        }
        expectMalformed("no content, but said, of a second name") {
            _ = try entry(path("x"), kind(1), nothing, link)
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

    @Test func `a symbolic link has a target, a device its numbers, unless it is a second name`()
        throws
    {
        let link = RawField(number: 11, isCritical: true, value: [97])
        for number: UInt8 in 3...5 {
            expectMalformed("\(number)") { _ = try entry(path("x"), kind(number)) }
            _ = try entry(path("x"), kind(number), link)
        }
        for number: UInt8 in [1, 2, 6, 7] { _ = try entry(path("x"), kind(number)) }
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

/// What entries must be to each other.
struct CatalogRulesTests {
    private typealias Line = (path: String, kind: UInt8, link: String?)

    private func read(_ lines: [Line]) throws {
        var rules = CatalogRules(what: "it")
        for line in lines {
            var entry = CatalogEntry(path: Array(line.path.utf8), kind: line.kind)
            entry.hardLink = line.link.map { Array($0.utf8) }
            try rules.add(entry)
        }
    }

    @Test func `entries in the order of a walk are accepted, with and without their parents`()
        throws
    {
        try read([
            ("a", 2, nil), ("a/b", 2, nil), ("a/b/c", 1, nil), ("a/b/d", 1, "a/b/c"),
            ("a/s", 3, nil), ("a/t", 3, "a/s"), ("a/u", 3, "a/s"), ("ab", 1, nil),
        ])
        try read([("x/y/z", 1, nil), ("x/y/w", 1, nil), ("v", 1, "x/y/z")])
        try read([("x/y", 1, nil), ("x", 2, nil), ("x/z", 1, nil)])
    }

    @Test func `a path that appears twice is refused`() {
        expectMalformed("files") { try read([("a", 1, nil), ("a", 1, nil)]) }
        expectMalformed("directories") { try read([("a", 2, nil), ("a", 2, nil)]) }
        expectMalformed("a link") { try read([("a", 1, nil), ("b", 1, "a"), ("b", 1, nil)]) }
        expectMalformed("deep") {
            try read([("a", 2, nil), ("a/b", 1, nil), ("c", 1, nil), ("a/b", 1, nil)])
        }
    }

    @Test func `nothing lies below what is no directory`() throws {
        for kind: UInt8 in 1...7 where kind != 2 {
            expectMalformed("\(kind)") { try read([("a", kind, nil), ("a/b", 1, nil)]) }
            expectMalformed("\(kind), far below") {
                try read([("a", kind, nil), ("a/b/c", 1, nil)])
            }
            expectMalformed("\(kind), behind it") { try read([("a/b", 1, nil), ("a", kind, nil)]) }
        }
        expectMalformed("below a second name") {
            try read([("a", 1, nil), ("b", 1, "a"), ("b/c", 1, nil)])
        }
    }

    @Test func `a hard link is another name of an earlier entry that is none`() {
        expectMalformed("of nothing") { try read([("a", 1, "b")]) }
        expectMalformed("of itself") { try read([("a", 1, "a")]) }
        expectMalformed("of a later one") { try read([("a", 1, "b"), ("b", 1, nil)]) }
        expectMalformed("of a link") {
            try read([("a", 1, nil), ("b", 1, "a"), ("c", 1, "b")])
        }
        expectMalformed("of another kind") { try read([("a", 3, nil), ("b", 1, "a")]) }
        expectMalformed("of a directory") { try read([("a", 2, nil), ("b", 2, "a")]) }
        expectMalformed("of a parent without entry") { try read([("a/x", 1, nil), ("b", 2, "a")]) }
        expectMalformed("through a link") { try read([("a", 3, nil), ("b", 1, "a/x")]) }
    }
}
