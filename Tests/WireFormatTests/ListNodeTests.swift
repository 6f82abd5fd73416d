import TestSupport
import Testing
import WireFormat

struct ListNodeTests {
    private func leaf(_ entries: [UInt8]...) throws -> ListNode {
        try ListNode([0] + entries.flatMap { $0 }, what: "it")
    }

    private func chunk(_ count: UInt64) -> [UInt8] { leb128(count << 2) + chunkID(1).bytes }
    private func zeros(_ count: UInt64) -> [UInt8] { leb128(count << 2 | 1) }
    private func again(_ times: UInt64) -> [UInt8] { leb128(times << 2 | 2) }

    @Test func `entries are spelled as the specification says`() throws {
        let node = ListNode.leaf([.chunk(chunkID(1), byteCount: 300), .again(3), .zeros(16384)])
        #expect(node.bytes == [0] + leb128(1200) + chunkID(1).bytes + leb128(14) + leb128(65537))
        #expect(try leaf(chunk(300), again(3), zeros(16384)) == node)
        #expect(
            ListNode.interior(level: 2, [.init(total: 300, id: chunkID(5))]).bytes
                == [2] + leb128(300) + chunkID(5).bytes)
    }

    @Test func `the leaf of an empty stream has no entry, an interior node has one or more`() throws
    {
        #expect(try ListNode([0], what: "it") == .leaf([]))
        #expect(try ListNode([0], what: "it").total(what: "it") == 0)
        for level: UInt8 in 1...6 { expectMalformed { _ = try ListNode([level], what: "it") } }
        expectMalformed { _ = try ListNode([], what: "it") }
    }

    @Test func `levels above six are refused`() throws {
        let child = leb128(1) + chunkID(1).bytes
        #expect(
            try ListNode([6] + child, what: "it")
                == .interior(level: 6, [.init(total: 1, id: chunkID(1))]))
        for level: UInt8 in [7, 8, 255] {
            expectMalformed { _ = try ListNode([level] + child, what: "it") }
        }
    }

    @Test func `an entry of nothing is refused`() {
        for entry in [chunk(0), zeros(0), chunk(5) + again(0)] {
            expectMalformed { _ = try leaf(entry) }
        }
    }

    @Test func `a repeat stands directly behind a chunk`() throws {
        #expect(
            try leaf(chunk(5), again(1)) == .leaf([.chunk(chunkID(1), byteCount: 5), .again(1)]))
        for entries in [again(1), chunk(5) + zeros(7) + again(1), chunk(5) + again(1) + again(1)] {
            expectMalformed { _ = try leaf(entries) }
        }
    }

    @Test func `an entry of an unknown kind refuses the node as unknown`() {
        expectUnknown { _ = try leaf(leb128(5 << 2 | 3)) }
    }

    @Test func `a chunk has at most 1 MiB, a node at most 64 KiB`() throws {
        _ = try leaf(chunk(1 << 20))
        expectMalformed { _ = try leaf(chunk(1 << 20 + 1)) }
        let entries = (Limits.nodeBytes - 1 - 26) / 26
        let full = Array(repeatElement(chunk(1 << 10), count: entries).joined())
        let rest = Array(repeating: zeros(1), count: Limits.nodeBytes - 1 - full.count).flatMap {
            $0
        }
        #expect(1 + full.count + rest.count == Limits.nodeBytes)
        _ = try leaf(full, rest)
        expectMalformed { _ = try leaf(full, rest, zeros(1)) }
    }

    @Test func `totals are what stands below`() throws {
        #expect(try leaf(chunk(300), again(3), zeros(16384)).total(what: "it") == 300 * 4 + 16384)
        #expect(try Samples.interior.total(what: "it") == 1 << 62)
    }

    @Test func `totals that no stream can have are refused, whichever sum overflows`() throws {
        let big: UInt64 = 1 << 60
        #expect(
            try leaf(zeros(big), zeros(big), zeros(big), zeros(big)).total(what: "it") == 1 << 62)
        expectMalformed {
            _ = try leaf(zeros(big), zeros(big), zeros(big), zeros(big), zeros(1)).total(what: "it")
        }
        expectMalformed { _ = try leaf(chunk(1 << 20), again(1 << 60)).total(what: "it") }
        expectMalformed { _ = try leaf(chunk(8), again(1 << 60)).total(what: "it") }
        expectMalformed { _ = try leaf(zeros(big + 1)).total(what: "it") }

        func interior(_ totals: UInt64...) throws -> ListNode {
            try ListNode([1] + totals.flatMap { leb128($0) + chunkID(1).bytes }, what: "it")
        }
        #expect(try interior(1 << 62).total(what: "it") == 1 << 62)
        #expect(try interior(1 << 62 - 1, 1).total(what: "it") == 1 << 62)
        expectMalformed { _ = try interior(1 << 62, 1).total(what: "it") }
        expectMalformed { _ = try interior(1 << 62, 1 << 62).total(what: "it") }
        expectMalformed { _ = try interior(1 << 62 + 1) }
        expectMalformed { _ = try interior(.max) }
        expectMalformed { _ = try interior(0) }
        expectMalformed { _ = try interior(7, 0, 7) }
    }

    @Test func `random nodes never give a negative total`() {
        var random = SeededRandom(seed: announcedSeed())
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes: [UInt8] = [UInt8(random.number(0...1))]
            for _ in 0..<random.number(1...6) {
                let number = random.next() >> UInt64(random.number(0...62))
                bytes += leb128(number)
                if bytes[0] == 1 || number & 3 == 0 { bytes += random.bytes(24) }
            }
            guard let node = try? ListNode(bytes, what: "it"),
                let total = try? node.total(what: "it")
            else { continue }
            accepted += 1
            #expect((0...(1 << 62)).contains(total))
        }
        #expect(accepted > 1000)
    }
}
