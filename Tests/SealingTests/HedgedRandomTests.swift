import Sealing
import Synchronization
import TestSupport
import Testing

struct HedgedRandomTests {
    /// A generator that repeats itself, as after a machine was cloned.
    private func stuck(_ surroundings: [UInt8] = block(1, 9), generator: UInt8 = 7) -> HedgedRandom
    {
        HedgedRandom(
            randomBytes: { [UInt8](repeating: generator, count: $0) },
            surroundings: { surroundings })
    }

    private var key: Secret { secret(block(2)) }

    @Test
    func `draws differ in label, key, plaintext and surroundings where the generator repeats`()
        throws
    {
        let other = secret(block(3))
        let draws = [
            try stuck().draw("salt", key: key), try stuck().draw("name", key: key),
            try stuck().draw("sal", key: key),
            try stuck().draw("salt", key: other), try stuck().draw("salt", key: key, mixing: [1]),
            try stuck().draw("salt", key: key, mixing: [2]),
            try stuck(block(1, 10)).draw("salt", key: key),
            try stuck(generator: 8).draw("salt", key: key),
        ]
        #expect(Set(draws).count == draws.count)
        #expect(draws.allSatisfy { $0.count == 32 })
    }

    @Test func `draws differ where only the generator goes on`() throws {
        let random = SharedRandom(seed: announcedSeed())
        let hedged = HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [] })
        var draws: Set<[UInt8]> = []
        for _ in 0..<1000 { draws.insert(try hedged.draw("salt", key: key)) }
        #expect(draws.count == 1000)
    }

    @Test func `what is drawn is no function of the generator alone`() throws {
        let draw = try stuck().draw("salt", key: key)
        #expect(draw != [UInt8](repeating: 7, count: 32))
        #expect(
            try stuck().draw("salt", key: key) == draw,
            "the same surroundings give the same: tests rely on it")
        #expect(try stuck().plain(5) == [7, 7, 7, 7, 7])
    }

    @Test func `a draw has as many bytes as were asked for`() throws {
        let whole = try stuck().draw("name", key: key)
        for count in [1, 8, 16, 32] {
            #expect(try stuck().draw("name", count: count, key: key) == Array(whole.prefix(count)))
        }
    }

    @Test func `every draw asks the generator for 32 bytes`() throws {
        let asked = Mutex<[Int]>([])
        let hedged = HedgedRandom(
            randomBytes: { count in
                asked.withLock { $0.append(count) }
                return [UInt8](repeating: 0, count: count)
            }, surroundings: { [] })
        _ = try hedged.draw("a", key: key)
        _ = try hedged.draw("b", count: 8, key: key)
        #expect(asked.withLock { $0 } == [32, 32])
    }

    @Test func `a generator that fails fails the draw`() {
        struct NoEntropy: Error {}
        let hedged = HedgedRandom(
            randomBytes: { _ in throw NoEntropy() }, surroundings: { block(1, 40) })
        #expect(throws: NoEntropy.self) { try hedged.draw("salt", key: key) }
        #expect(throws: NoEntropy.self) { try hedged.plain(1) }
    }
}
