import Chunking
import TestSupport
import Testing

/// Cuts everywhere where a hash of the 64 bytes before is small.
private struct PlainDecider: CutDeciding {
    mutating func decide(
        _ bytes: UnsafePointer<UInt8>, positions: UnsafeBufferPointer<Int32>,
        values: UnsafeMutablePointer<UInt32>
    ) {
        for (index, position) in positions.enumerated() {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for offset in 1...64 {
                hash = (hash ^ UInt64(bytes[Int(position) - offset])) &* 0x100_0000_01b3
            }
            values[index] = UInt32(truncatingIfNeeded: hash >> 16)
        }
    }
}

private struct Part {
    let range: Range<Int>
    let content: SteeredCutter.Content
    let offset: Int
}

private let rule = CuttingRule(
    number: 4, candidates: .general, minimum: 8192, average: 32_768, maximum: 131_072)

/// The pieces of a stream, in its positions. Each part is told as soon as its beginning has been
/// read, no earlier: as a header tells it.
private func pieces(_ stream: [UInt8], _ parts: [Part], reads: [Int]) -> [Piece] {
    let history = CuttingRule.historyBytes
    var cutter = SteeredCutter(rule: rule)
    var decider = PlainDecider()
    var window = [UInt8](repeating: 0, count: history)
    var found: [Piece] = []
    var (position, moved, turn, told) = (0, 0, 0, 0)
    repeat {
        let count = min(reads[turn % reads.count], stream.count - position)
        turn += 1
        window += stream[position..<(position + count)]
        position += count
        while told < parts.count, parts[told].range.lowerBound <= position {
            cutter.add(parts[told].range, parts[told].content, at: parts[told].offset)
            told += 1
        }
        var now: [Piece] = []
        let end = window.count
        (window + [UInt8](repeating: 0xAA, count: 64)).withUnsafeBufferPointer {
            cutter.cut(
                $0.baseAddress!, end: end, isLast: position == stream.count, decider: &decider,
                into: &now)
        }
        for piece in now {
            if case .chunk(let range) = piece {
                let shift = moved - history
                found.append(.chunk((range.lowerBound + shift)..<(range.upperBound + shift)))
            } else {
                found.append(piece)
            }
        }
        let kept = cutter.keepFrom
        window.removeFirst(kept)
        cutter.rebase(by: kept)
        moved += kept
    } while position < stream.count
    return found
}

/// An archive: short headers, files of every length, pages that are zero among others, text.
private func archive(_ random: inout SeededRandom) -> (stream: [UInt8], parts: [Part]) {
    var stream: [UInt8] = []
    var parts: [Part] = []
    for _ in 0..<12 {
        stream += random.bytes(random.number(0...900))
        var content: [UInt8] = []
        for _ in 0..<random.number(1...30) {
            switch random.number(0...3) {
            case 0: content += [UInt8](repeating: 0, count: 16_384 * random.number(1...5))
            case 1: content += random.sqlRows(byteCount: 16_384)
            default: content += random.bytes(16_384)
            }
        }
        if random.number(0...2) == 0 { content += random.bytes(random.number(1...9000)) }
        let range = stream.count..<(stream.count + content.count)
        stream += content
        switch random.number(0...3) {
        case 0: break
        case 1: parts.append(Part(range: range, content: .bytes, offset: 0))
        default:
            let offset = random.number(0...3) == 0 ? 512 * random.number(0...100) : 0
            parts.append(Part(range: range, content: .pages, offset: offset))
        }
    }
    return (stream, parts)
}

@Test func `cuts of an archive do not depend on how it arrives`() {
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<5 {
        let (stream, parts) = archive(&random)
        let whole = pieces(stream, parts, reads: [stream.count])
        for reads in [[1 << 20], [65_537], [4096], [1, 7, 100_000], [random.number(500...5000)]] {
            #expect(pieces(stream, parts, reads: reads) == whole)
        }
    }
}

@Test func `each part begins and ends with a cut, and pages are cut where they end`() {
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<5 {
        let (stream, parts) = archive(&random)
        var position = 0
        var cuts: Set<Int> = [0]
        for piece in pieces(stream, parts, reads: [300_000]) {
            let start = position
            switch piece {
            case .chunk(let range):
                #expect(range.lowerBound == position && !range.isEmpty)
                position = range.upperBound
            case .zeros(let count):
                #expect(count >= CuttingRule.zeroRunMinimum)
                #expect(stream[position..<(position + count)].allSatisfy { $0 == 0 })
                position += count
            }
            cuts.insert(position)
            for part in parts where part.content == .pages && part.range.contains(start) {
                let end = part.offset + position - part.range.lowerBound
                #expect(
                    end.isMultiple(of: SteeredCutter.pagesBytes)
                        || position == part.range.upperBound)
                if case .chunk = piece { #expect(position - start <= SteeredCutter.pagesBytes) }
            }
        }
        #expect(position == stream.count)
        for part in parts {
            #expect(cuts.contains(part.range.lowerBound) && cuts.contains(part.range.upperBound))
        }
    }
}

@Test func `a file is cut alike wherever it stands in an archive`() {
    var random = SeededRandom(seed: announcedSeed())
    let file = random.bytes(1_000_000)
    for content in [SteeredCutter.Content.pages, .bytes] {
        var shapes: Set<[Int]> = []
        for _ in 0..<6 {
            let before = random.bytes(random.number(0...200_000))
            let stream = before + file + random.bytes(random.number(0...5000))
            let range = before.count..<(before.count + file.count)
            let found = pieces(
                stream, [Part(range: range, content: content, offset: 0)], reads: [70_000])
            shapes.insert(
                found.compactMap { piece in
                    guard case .chunk(let chunk) = piece, range.contains(chunk.lowerBound) else {
                        return nil
                    }
                    return chunk.upperBound - range.lowerBound
                })
        }
        #expect(shapes.count == 1, "\(content)")
    }
}

@Test func `without parts nothing is different`() {
    var random = SeededRandom(seed: announcedSeed())
    let stream = random.bytes(500_000) + [UInt8](repeating: 0, count: 50_000) + random.bytes(99_999)
    var cutter = Cutter(rule: rule)
    var decider = PlainDecider()
    var expected: [Piece] = []
    let history = CuttingRule.historyBytes
    let window =
        [UInt8](repeating: 0, count: history) + stream + [UInt8](repeating: 0xAA, count: 64)
    window.withUnsafeBufferPointer {
        cutter.cut(
            $0.baseAddress!, end: history + stream.count, isLast: true, decider: &decider,
            into: &expected)
    }
    let shifted = expected.map { piece -> Piece in
        guard case .chunk(let range) = piece else { return piece }
        return .chunk((range.lowerBound - history)..<(range.upperBound - history))
    }
    #expect(pieces(stream, [], reads: [40_000]) == shifted)
}
