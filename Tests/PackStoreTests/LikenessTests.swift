import PackStore
import TestSupport
import Testing

private func found(_ bytes: [UInt8], in source: [UInt8]) -> (picked: Int, common: Int) {
    let samples = source.withUnsafeBytes { Samples(of: $0) }
    let picked = bytes.withUnsafeBytes { Samples.picked($0) }
    return (picked.count, samples.found(in: picked))
}

@Test func `all of what a source has is found in it, and one window in 256 is looked at`() {
    var random = SeededRandom(seed: announcedSeed())
    for source in [random.bytes(300_000), random.sqlRows(byteCount: 300_000)] {
        let (picked, common) = found(source, in: source)
        #expect(picked == common)
        #expect((source.count / 512...source.count / 128).contains(picked), "\(picked)")
        // A part of it, though it begins elsewhere: but for the first window nothing is lost.
        let part = found(Array(source[10_007..<50_000]), in: source)
        #expect(part.picked - part.common <= 4, "\(part)")
    }
    #expect(found([], in: random.bytes(100)) == (0, 0))
    #expect(found(random.bytes(1000), in: []).common == 0)
}

@Test func `of random bytes hardly anything is found in others`() {
    var random = SeededRandom(seed: announcedSeed())
    let (picked, common) = found(random.bytes(1_000_000), in: random.bytes(200_000))
    // 3000 bits of 131,072 are set: one in forty is met by chance.
    #expect(common * 20 < picked, "\(common) of \(picked)")
}

@Test func `as much is found as two have in common`() {
    var random = SeededRandom(seed: announcedSeed())
    let source = random.bytes(200_000)
    for part in [0, 1, 2, 4, 8] {
        // So many eighths are the source's.
        let bytes = Array(source.prefix(25_000 * part)) + random.bytes(25_000 * (8 - part))
        let (picked, common) = found(bytes, in: source)
        let share = Double(common) / Double(picked)
        #expect(abs(share - Double(part) / 8) < 0.08, "\(part) eighths: \(share)")
    }
    // Edits 2000 bytes apart spoil 32 windows each.
    var edited = source
    for place in stride(from: 100, to: edited.count, by: 2000) { edited[place] ^= 1 }
    let (picked, common) = found(edited, in: source)
    #expect(common * 100 > picked * 93, "\(common) of \(picked)")
}

// MARK: alignment

/// Rows that have a number each, so that no two are alike, and their places.
private func rows(_ random: inout SeededRandom, _ count: Int, _ grown: Int = 0) -> [[UInt8]] {
    (0..<count).map { number in
        let text = random.bytes(60).map { 0x61 + $0 % 26 }
        return Array("(\(number),'\(String(decoding: text, as: UTF8.self))'),\n".utf8)
    }
}

private func find(_ source: [UInt8], in base: [UInt8]) -> (source: Int, base: Int)? {
    source.withUnsafeBytes { source in base.withUnsafeBytes { Alignment.find(source, in: $0) } }
}

@Test func `a place is found wherever the content was moved to`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let base = random.bytes(1_000_000)
    for _ in 0..<20 {
        let start = random.number(0...700_000)
        let source = Array(base[start..<(start + random.number(2000...250_000))])
        let (own, other) = try #require(find(source, in: base))
        #expect(other - own == start)
        // As far behind as there is one: what comes next begins there.
        #expect(own > source.count * 9 / 10)
    }
}

@Test func `a place is found though all rows have grown by a few percent`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let old = rows(&random, 3000)
    for column in [",1", ",12", ",NULL"] {
        let new = old[500..<2500].map { $0.dropLast(3) + Array("\(column)),\n".utf8) }
        let (source, base) = (Array(new.joined()), Array(old.joined()))
        let (own, other) = try #require(find(source, in: base), "\(column)")
        #expect(source[own..<(own + 32)] == base[other..<(other + 32)])
        // The same row: its number and text are nowhere else.
        #expect(other > base.count / 2)
    }
}

@Test func `a place is found though each short row is a statement now`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let old = (0..<6000).map { number in
        let code = String(random.next(), radix: 16)
        return Array("(\(number),\(number % 97).25,'2024-02-29 00:00:00','\(code)')".utf8)
    }
    let base = Array(old.joined(separator: ",".utf8))
    for count in [800, 3000] {
        let source = old[1000..<(1000 + count)].flatMap {
            Array("INSERT INTO `orders` VALUES ".utf8) + $0 + Array(";\n".utf8)
        }
        let (own, other) = try #require(find(source, in: base))
        #expect(source[own..<(own + 32)] == base[other..<(other + 32)])
        #expect(own > source.count * 9 / 10)
    }
}

@Test func `no place is found in what is unrelated, nor with too little`() {
    var random = SeededRandom(seed: announcedSeed())
    let base = random.bytes(500_000)
    #expect(find(random.bytes(250_000), in: base) == nil)
    #expect(find(random.sqlRows(byteCount: 250_000), in: base) == nil)
    #expect(find(Array(base[1000..<1400]), in: base) == nil)
    #expect(find(Array(base[..<100_000]), in: []) == nil)
    #expect(find([], in: base) == nil)
}

@Test func `what stands in many rows does not lead astray`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let common = Array("'the same text in every row, long enough for a sample',".utf8)
    let old = rows(&random, 4000).flatMap { $0 + common + common + common }
    for _ in 0..<20 {
        let start = random.number(0...(old.count - 260_000))
        let source = Array(old[start..<(start + 250_000)])
        if let (own, other) = find(source, in: old) { #expect(other - own == start) }
    }
    // Nothing but that: no place is better than any other.
    let same = Array(repeatElement(common, count: 5000).joined())
    #expect(find(Array(same.prefix(200_000)), in: same) == nil)
}
