import Chunking
import TestSupport
import Testing

private struct Part {
    let range: Range<Int>
    let content: SteeredCutter.Content
    let offset: Int
}

private let rule = CuttingRule(
    number: 4, candidates: .general, minimum: 8192, average: 32_768, maximum: 131_072)

/// The pieces of a stream. Each part is told as soon as its beginning has been read, no earlier: as a
/// header tells it.
private func pieces(_ stream: [UInt8], _ parts: [Part], reads: [Int]) -> [Piece] {
    var told = 0
    return pieces(stream, SteeredCutter(rule: rule), reads: reads) { cutter, position in
        while told < parts.count, parts[told].range.lowerBound <= position {
            cutter.add(parts[told].range, parts[told].content, at: parts[told].offset)
            told += 1
        }
    }
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
    let expected = pieces(stream, Cutter(rule: rule), reads: [stream.count])
    #expect(pieces(stream, [], reads: [40_000]) == expected)
}
