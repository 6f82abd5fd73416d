import Testing

@testable import Terminal

@Test(arguments: [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_949, "999.9 kB"),
    (999_950, "1.0 MB"),
    (412_300_000, "412.3 MB"), (700_100_000, "700.1 MB"), (1 << 40, "1.1 TB"), (Int.max, "9.2 EB"),
])
func `sizes in sentences count by thousands`(bytes: Int, text: String) {
    #expect(Figures.size(bytes) == text)
}

@Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_524, "1023.9 KiB"),
    (1_048_575, "1.0 MiB"),
    (1_288_490_189, "1.2 GiB"), (Int.max, "8.0 EiB"),
])
func `sizes in tables count by 1,024`(bytes: Int, text: String) {
    #expect(Figures.tableSize(bytes) == text)
}

@Test(arguments: [
    (0.0, "0 ms"), (0.04, "40 ms"), (1.3, "1.3 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"),
    (125, "2 min 5 s"),
    (3725, "1 h 2 min"),
])
func `durations`(seconds: Double, text: String) {
    #expect(Figures.duration(seconds) == text)
}

@Test func `shares, clocks and counts`() {
    #expect(Figures.percent(28, of: 7001) == "0.4 %")
    #expect(Figures.percent(1, of: 1_000_000) == "<0.1 %")
    #expect(Figures.percent(0, of: 10) == "0.0 %")
    #expect(Figures.percent(12, of: 100) == "12 %")
    #expect(Figures.percent(301, of: 300) == "100 %")
    #expect(Figures.percent(1, of: 0) == "0 %")
    #expect(Figures.clock(7) == "0:07")
    #expect(Figures.clock(3723) == "1:02:03")
    #expect(Figures.count(1_234_567) == "1,234,567")
    #expect(Figures.count(1, "snapshot") == "1 snapshot")
    #expect(Figures.count(0, "snapshot") == "0 snapshots")
}
