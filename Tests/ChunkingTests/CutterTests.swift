import Chunking
import TestSupport
import Testing

private let text = CuttingRule(
    number: 1, candidates: .rowEnds, minimum: 4096, average: 16_384, maximum: 65_536)
private let general = CuttingRule(
    number: 2, candidates: .general, minimum: 8192, average: 32_768, maximum: 131_072)

/// The pieces of a stream that arrives in reads of the sizes given, over and over.
private func pieces(_ stream: [UInt8], _ rule: CuttingRule, reads: [Int]) -> [Piece] {
    pieces(stream, Cutter(rule: rule), reads: reads)
}

private func lengths(_ pieces: [Piece]) -> [Int] {
    pieces.map { piece in
        switch piece {
        case .chunk(let range): range.count
        case .zeros(let count): count
        }
    }
}

/// SQL with everything that makes cutting hard: long lines, binary, runs of zeros of every length.
private func mixedStream(_ random: inout SeededRandom) -> [UInt8] {
    var stream: [UInt8] = []
    for _ in 0..<24 {
        switch random.number(0...5) {
        case 0: stream += random.sqlRows(byteCount: random.number(0...200_000))
        case 1: stream += random.bytes(random.number(0...200_000))
        case 2: stream += [UInt8](repeating: 0, count: random.number(0...60_000))
        case 3: for _ in 0..<random.number(0...20_000) { stream += Array("(1,'x'),".utf8) }
        case 4: stream += [UInt8](repeating: 0x41, count: random.number(0...300_000))
        default: stream += [UInt8](repeating: 0, count: 16_384 + random.number(-2...2))
        }
    }
    return stream
}

@Test(arguments: [text, general])
func `cuts do not depend on how the stream arrives`(_ rule: CuttingRule) {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    for _ in 0..<6 {
        let stream = mixedStream(&random)
        let whole = pieces(stream, rule, reads: [max(1, stream.count)])
        for reads in [[1 << 20], [65_537], [4096], [1, 7, 100_000], [random.number(500...5000)]] {
            #expect(pieces(stream, rule, reads: reads) == whole)
        }
    }
}

@Test(arguments: [text, general])
func `pieces follow each other from the first byte to the last`(_ rule: CuttingRule) {
    var random = SeededRandom(seed: testSeed &+ 1)
    let stream = mixedStream(&random)
    var position = 0
    for piece in pieces(stream, rule, reads: [100_000]) {
        switch piece {
        case .chunk(let range):
            #expect(range.lowerBound == position && !range.isEmpty)
            #expect(range.count <= rule.maximum)
            position = range.upperBound
        case .zeros(let count):
            #expect(count >= CuttingRule.zeroRunMinimum)
            #expect(stream[position..<(position + count)].allSatisfy { $0 == 0 })
            position += count
        }
    }
    #expect(position == stream.count)
}

@Test func `runs of zeros are found to the byte, one of 16,383 is none`() {
    var random = SeededRandom(seed: testSeed &+ 2)
    for length in [16_383, 16_384, 16_385, 100_000] {
        for offset in [0, 1, 4095, 4096, 50_001] {
            let stream =
                random.bytes(offset).map { $0 | 1 } + [UInt8](repeating: 0, count: length) + [
                    1, 2, 3,
                ]
            let zeros = pieces(stream, general, reads: [10_000]).filter {
                if case .zeros = $0 { true } else { false }
            }
            #expect(zeros == (length < 16_384 ? [] : [.zeros(length)]))
        }
    }
}

@Test func `text is cut behind row ends`() {
    var random = SeededRandom(seed: testSeed &+ 3)
    let stream = random.sqlRows(byteCount: 2_000_000)
    for case .chunk(let range) in pieces(stream, text, reads: [1 << 20]).dropLast() {
        #expect(stream[range.upperBound - 1] == UInt8(ascii: "\n"))
    }
}

@Test func `one long line of rows is cut between rows`() {
    var random = SeededRandom(seed: testSeed &+ 4)
    var stream = Array("INSERT INTO t VALUES ".utf8)
    for key in 0..<60_000 { stream += Array("(\(key),'\(random.next())'),".utf8) }
    for case .chunk(let range) in pieces(stream, text, reads: [300_000]).dropLast() {
        #expect(Array(stream[(range.upperBound - 2)...range.upperBound]) == Array("),(".utf8))
    }
}

@Test(arguments: [(text, 12_000...22_000), (general, 26_000...46_000)])
func `chunks have about the average length`(_ rule: CuttingRule, _ expected: ClosedRange<Int>) {
    var random = SeededRandom(seed: testSeed &+ 5)
    let stream = rule == text ? random.sqlRows(byteCount: 8_000_000) : random.bytes(8_000_000)
    let found = lengths(pieces(stream, rule, reads: [1 << 20]))
    #expect(expected.contains(stream.count / found.count))
}

@Test(arguments: [text, general])
func `a change moves only the cuts around it`(_ rule: CuttingRule) {
    var random = SeededRandom(seed: testSeed &+ 6)
    let stream = rule == text ? random.sqlRows(byteCount: 3_000_000) : random.bytes(3_000_000)
    var changed = stream
    changed.insert(contentsOf: Array("an insertion of some bytes\n".utf8), at: 1_500_000)
    let before = Set(chunks(stream, rule))
    let after = chunks(changed, rule)
    #expect(after.filter { !before.contains($0) }.count <= 4)
}

private func chunks(_ stream: [UInt8], _ rule: CuttingRule) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for case .chunk(let range) in pieces(stream, rule, reads: [1 << 20]) {
        found.append(Array(stream[range]))
    }
    return found
}

@Test func `a stream of nothing has no pieces`() {
    #expect(pieces([], text, reads: [1]) == [])
}
