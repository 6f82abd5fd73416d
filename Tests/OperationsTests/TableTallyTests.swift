import Operations
import Testing
import WireFormat

private func tally(_ tables: [(String, [Range<Int>])], byteCount: Int = 1000) -> TableTally {
    TableTally(
        tables.map { TableEntry(space: "", name: $0.0, ranges: $0.1) }, byteCount: byteCount)
}

@Test func `bytes are counted in the tables they lie in, and outside`() {
    var counted = tally([("a", [100..<200, 400..<500]), ("b", [200..<300])])
    for range in [50..<120, 150..<210, 290..<450, 900..<1000] { counted.add(range) }
    #expect(counted.tables.map { $0.chunkBytes } == [20 + 50 + 50, 10 + 10])
    #expect(counted.outsideBytes == 50 + 100 + 100)
}

@Test func `tables of one name are one`() {
    let counted = tally([("a", [0..<10]), ("b", [10..<20]), ("a", [20..<25])])
    #expect(counted.tables.map { $0.byteCount } == [15, 10])
}

@Test func `ranges that overlap, or lie behind the end, count once and only what is there`() {
    var counted = tally([("a", [0..<600]), ("b", [500..<(1 << 62)]), ("c", [0..<100])])
    #expect(counted.tables.map { $0.byteCount } == [600, 400, 0])
    counted.add(0..<1000)
    #expect(counted.tables.map { $0.chunkBytes } == [600, 400, 0] && counted.outsideBytes == 0)
}
