import TestSupport

/// A table that changes from night to night as tables do: rows come, go, move and are edited.
struct Nights {
    private var random: SeededRandom
    private var rows: [[UInt8]]
    /// Rows that flip back and forth, by place, and what each is instead.
    private var flipping: [(place: Int, other: [UInt8])] = []
    private let byteCountMin: Int
    private let byteCountMax: Int
    /// Whether the stream is a dump, which is cut at row ends.
    private let isDump: Bool

    /// - Parameter byteCount: how long the rows of a night are together.
    init(seed: UInt64, byteCount: ClosedRange<Int>, isDump: Bool = false) {
        random = SeededRandom(seed: seed)
        self.isDump = isDump
        rows = []
        byteCountMin = byteCount.lowerBound
        byteCountMax = byteCount.upperBound
        let wanted = random.number(byteCount)
        while self.byteCount < wanted { rows += newRows(400) }
        flipping = (0..<20).map { _ in (random.number(0...(rows.count - 1)), newRows(1)[0]) }
    }

    var stream: [UInt8] { isDump ? mysqlDump(rows: rows.joined()) : Array(rows.joined()) }
    private var byteCount: Int { rows.reduce(0) { $0 + $1.count } }

    /// A night passes.
    mutating func pass() {
        for _ in 0..<random.number(1...6) { change() }
        for number in flipping.indices where flipping[number].place < rows.count {
            swap(&rows[flipping[number].place], &flipping[number].other)
        }
        // Two nights in three are too much for a manifest to carry, and make a pack.
        if random.number(0...2) > 0 {
            rows.insert(random.bytes(random.number(70_000...120_000)), at: place())
        }
        while byteCount < byteCountMin { rows += newRows(400) }
        while byteCount > byteCountMax { rows.removeLast(rows.count / 8) }
    }

    private mutating func change() {
        switch random.number(0...7) {
        case 0: rows.removeSubrange(stretch())
        case 1: rows.insert(contentsOf: newRows(random.number(1...300)), at: place())
        case 2:
            let range = stretch()
            let moved = Array(rows[range])
            rows.removeSubrange(range)
            rows.insert(contentsOf: moved, at: place())
        case 3, 4:
            for _ in 0..<random.number(1...200) { edit(place()) }
        case 5: rows.insert(contentsOf: rows[stretch()], at: place())
        case 6:
            let zeros = [UInt8](repeating: 0, count: random.number(100...60_000))
            rows.insert(zeros, at: place())
        default:
            // What no one has seen before, and what has no rows.
            rows.insert(random.bytes(random.number(1...40_000)), at: place())
        }
        if rows.isEmpty { rows = newRows(100) }
    }

    private mutating func place() -> Int { random.number(0...max(0, rows.count - 1)) }

    private mutating func stretch() -> Range<Int> {
        let start = place()
        return start..<min(rows.count, start + random.number(1...max(1, rows.count / 6)))
    }

    private mutating func edit(_ row: Int) {
        guard row < rows.count, !rows[row].isEmpty else { return }
        rows[row][random.number(0...(rows[row].count - 1))] = UInt8(random.number(0x20...0x7e))
    }

    private mutating func newRows(_ count: Int) -> [[UInt8]] {
        (0..<count).map { _ in
            let text = random.bytes(random.number(8...40)).map { 0x61 + $0 % 26 }
            let key = random.number(1...9_999_999)
            return Array("(\(key),'\(String(decoding: text, as: UTF8.self))',\(key % 97)),\n".utf8)
        }
    }
}
