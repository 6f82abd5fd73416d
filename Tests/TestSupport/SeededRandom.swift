/// A generator that gives the same numbers for the same seed (SplitMix64): one seed is one run.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// From `range`, all alike.
    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// Rows of SQL, as a dump has them: compressible, with a little chance in each.
    package mutating func sqlRows(byteCount: Int) -> [UInt8] {
        var text: [UInt8] = []
        var key = number(1...1_000_000)
        while text.count < byteCount {
            key += number(1...9)
            let name = ["anna", "bert", "cora", "dirk", "emma", "fred"][number(0...5)]
            text += Array(
                "(\(key),'\(name)','2026-\(number(10...12))-\(number(10...28))',\(next() % 100_000)),\n"
                    .utf8)
        }
        return text
    }
}

/// The seed of a run: REPO_TEST_SEED, or a fixed one. Printed by tests that use it.
package let testSeed: UInt64 = environmentSeed() ?? 20_261_121
