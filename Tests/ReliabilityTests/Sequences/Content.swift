import Files
import TestSupport

/// What a snapshot must give back.
enum Content: Equatable {
    /// - members: of an archive, by name; nil for a stream of which none are known.
    case stream([UInt8], members: [String: [UInt8]]?)
    case tree([String: TreeNode])

    var stream: [UInt8]? {
        if case .stream(let bytes, _) = self { bytes } else { nil }
    }
}

/// What a series saves: a stream that changes from one snapshot to the next as dumps do, by little, by
/// much, or into something else.
struct Material {
    enum Shape { case dump, raw, archive }

    let shape: Shape
    /// Rows of a dump, stretches of raw bytes, members of an archive.
    private(set) var pieces: [[UInt8]]
    private var nextName = 0
    /// Of an archive, one for each piece.
    private var names: [String] = []

    /// Longer ones lose some of their pieces.
    private static let bytesMax = 260_000

    init(_ shape: Shape, _ random: inout SeededRandom) {
        self.shape = shape
        pieces = []
        replaceAll(&random)
    }

    var content: Content {
        switch shape {
        case .raw: return .stream(Array(pieces.joined()), members: nil)
        case .dump: return .stream(mysqlDump(rows: pieces.joined()), members: nil)
        case .archive:
            // What has no members is no archive.
            guard !pieces.isEmpty else { return .stream(TestArchive.tar([]), members: nil) }
            let parts = zip(names, pieces).map { TestArchive.Part($0, $1) }
            let members = Dictionary(zip(names, pieces)) { first, _ in first }
            return .stream(TestArchive.tar(parts), members: members)
        }
    }

    /// - Parameter other: of which something may be taken over.
    mutating func change(_ random: inout SeededRandom, other: Material?) {
        switch random.number(0...11) {
        case 0: break
        case 1: for _ in 0..<random.number(1...10) { edit(1, &random) }
        case 2, 3, 4: for _ in 0..<random.number(20...80) { edit(random.number(1...40), &random) }
        case 5, 6: insert(new(random.number(100...40_000), &random), &random)
        case 7: if !pieces.isEmpty { remove(stretch(&random)) }
        case 8: replaceAll(&random)
        case 9:
            let zeros = [UInt8](repeating: 0, count: random.number(1...100_000))
            if shape != .dump { insert([zeros], &random) }
        case 10: if let other, !other.pieces.isEmpty { insert(other.pieces, &random) }
        default:
            // The same once more, or in another place.
            if !pieces.isEmpty {
                let range = stretch(&random)
                let moved = Array(pieces[range])
                if random.number(0...1) == 0 { remove(range) }
                insert(moved, &random)
            }
        }
        while pieces.reduce(0, { $0 + $1.count }) > Self.bytesMax, pieces.count > 1 {
            remove(0..<max(1, pieces.count / 3))
        }
    }

    private mutating func replaceAll(_ random: inout SeededRandom) {
        remove(pieces.indices)
        let byteCount: Int
        switch random.number(0...5) {
        case 0: byteCount = random.number(0...200)
        case 1: byteCount = random.number(1_000...20_000)
        case 5: byteCount = random.number(150_000...Self.bytesMax)
        default: byteCount = random.number(60_000...200_000)
        }
        insert(new(byteCount, &random), &random)
    }

    private func new(_ byteCount: Int, _ random: inout SeededRandom) -> [[UInt8]] {
        guard byteCount > 0 else { return [] }
        if shape == .dump || random.number(0...2) == 0 {
            return random.sqlRows(byteCount: byteCount).split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true
            ).map { Array($0) + [UInt8(ascii: "\n")] }
        }
        var made: [[UInt8]] = []
        var left = byteCount
        while left > 0 {
            let count = min(left, random.number(1...30_000))
            made.append(random.bytes(count))
            left -= count
        }
        return made
    }

    private mutating func insert(_ new: [[UInt8]], _ random: inout SeededRandom) {
        let place = random.number(0...pieces.count)
        // A member is a file of its own, and there are few of them.
        let new = shape == .archive && new.count > 3 ? [Array(new.joined())] : new
        pieces.insert(contentsOf: new, at: place)
        guard shape == .archive else { return }
        let named = new.map { _ in
            nextName += 1
            return "base/m\(nextName)"
        }
        names.insert(contentsOf: named, at: place)
    }

    private mutating func remove(_ range: Range<Int>) {
        pieces.removeSubrange(range)
        if shape == .archive { names.removeSubrange(range) }
    }

    private func stretch(_ random: inout SeededRandom) -> Range<Int> {
        let start = random.number(0...(pieces.count - 1))
        return start..<min(pieces.count, start + random.number(1...max(1, pieces.count / 4)))
    }

    /// Changes letters and digits of a dump into others, so that it stays one.
    private mutating func edit(_ count: Int, _ random: inout SeededRandom) {
        guard !pieces.isEmpty else { return }
        let piece = random.number(0...(pieces.count - 1))
        guard !pieces[piece].isEmpty else { return }
        let start = random.number(0...(pieces[piece].count - 1))
        for place in start..<min(start + count, pieces[piece].count) {
            let byte = pieces[piece][place]
            let isWord = (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
            guard shape != .dump || isWord else { continue }
            pieces[piece][place] =
                shape == .dump ? UInt8(random.number(0x61...0x7a)) : UInt8(random.number(0...255))
        }
    }
}
