import Files
import Operations
import TestSupport
import Testing
import WireFormat

@Suite struct SpanTests {
    @Test func `spans are read and written as people type them`() throws {
        for (text, span) in [
            ("90m", CalendarSpan(90, .minutes)), ("12h", CalendarSpan(12, .hours)),
            ("30d", CalendarSpan(30, .days)), ("2w", CalendarSpan(2, .weeks)),
            ("6mo", CalendarSpan(6, .months)), ("1000y", CalendarSpan(1000, .years)),
        ] {
            #expect(try CalendarSpan(parsing: text) == span)
            #expect(span.text == text)
        }
    }

    @Test(arguments: [
        "", "d", "30", "0d", "-1d", "1.5d", "30 d", "30D", "1y6mo", "1001y", "99999999999d", "１d",
        "4294967295mo", "1M",
    ])
    func `what is none is refused with what one is like`(_ text: String) {
        #expect(throws: RetentionError.self) { try CalendarSpan(parsing: text) }
    }

    @Test func `days are of 24 hours, months and years those of the calendar`() {
        let cases = [
            ("2024-02-29T12:30", CalendarSpan(1, .years), "2025-02-28T12:30"),
            ("2024-02-29T12:30", CalendarSpan(4, .years), "2028-02-29T12:30"),
            ("2026-01-31T00:00", CalendarSpan(1, .months), "2026-02-28T00:00"),
            ("2026-11-30T23:59", CalendarSpan(3, .months), "2027-02-28T23:59"),
            ("2026-03-28T12:00", CalendarSpan(1, .days), "2026-03-29T12:00"),
            ("2026-03-28T12:00", CalendarSpan(36, .hours), "2026-03-30T00:00"),
        ]
        for (from, span, to) in cases { #expect(span.after(utc(from)) == utc(to), "\(from)") }
        #expect(CalendarSpan(1, .months).before(utc("2026-03-31T05:00")) == utc("2026-02-28T05:00"))
        #expect(
            CalendarSpan(13, .months).before(utc("2026-01-15T05:00")) == utc("2024-12-15T05:00"))
    }

    @Test func `no time and no span makes it overflow`() {
        for unit in CalendarSpan.Unit.allCases {
            for time in [Int64.min, -1, 0, utc("2026-11-21"), .max] {
                let span = CalendarSpan(.max, unit)
                #expect(span.after(time) >= time && span.before(time) <= time)
            }
        }
    }
}

@Suite struct PatternTests {
    @Test func `a star is any characters, slashes too, and a question mark is one`() {
        let cases: [(String, [String], [String])] = [
            ("shop", ["shop"], ["shop/x", "sho", "shops", ""]),
            ("shop/*", ["shop/", "shop/a", "shop/a/b"], ["shop", "myshop/a"]),
            ("*", ["", "a", "a/b"], []), ("*/logical", ["a/logical", "a/b/logical"], ["logical"]),
            ("sh?p", ["shop", "shöp"], ["shp", "shoop"]), ("a*b*c", ["abc", "axbbyc"], ["abcd"]),
            ("**", ["x"], []), ("[a]", ["[a]"], ["a"]),
        ]
        for (pattern, yes, no) in cases {
            for name in yes { #expect(SeriesPattern(pattern).matches(name), "\(pattern) \(name)") }
            for name in no { #expect(!SeriesPattern(pattern).matches(name), "\(pattern) \(name)") }
        }
    }

    @Test func `a pattern of many stars takes no time`() {
        let pattern = SeriesPattern(String(repeating: "*a", count: 100) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 255)))
    }

    @Test func `the most specific holds: the name, then the longest beginning, then most letters`()
    {
        let all = ["*", "*/logical", "s*", "shop/*", "shop/*l", "shop/?og*", "shop/logical"]
        let policies = Policies(
            all.shuffled().map { Policy(pattern: SeriesPattern($0), rules: .gfs) })
        #expect(
            policies.matching("shop/logical").map { $0.pattern.text } == [
                "shop/logical", "shop/?og*", "shop/*l", "shop/*", "s*", "*/logical", "*",
            ])
        #expect(policies.policy(for: "blog/logical")?.pattern.text == "*/logical")
        #expect(Policies().policy(for: "shop") == nil)
    }

    @Test(arguments: ["", "a b", "a\nb", "shop@latest", String(repeating: "x", count: 256)])
    func `what can mean no series is refused`(_ text: String) {
        #expect(throws: RetentionError.self) { try SeriesPattern(checking: text) }
    }
}

@Suite struct ZoneTests {
    /// A zone's file with no listed changes but for its last lines.
    private func zone(_ footer: String, _ change: (inout [UInt8]) -> Void = { _ in }) throws
        -> ZoneOffsets
    {
        let directory = TemporaryDirectory()
        func block(_ footer: String) -> [UInt8] {
            var bytes = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
            for count: UInt8 in [0, 0, 0, 0, 1, 4] { bytes += [0, 0, 0, count] }
            return bytes + [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        }
        var bytes = block("") + block("") + Array("\n\(footer)\n".utf8)
        change(&bytes)
        try writeFile(bytes, Path(directory.path) / "Zone")
        return try TimeZones(.kernel, directory: Path(directory.path)).zone("Zone")
    }

    private func offset(_ zone: ZoneOffsets, _ time: String) -> Int64 {
        zone.offset(at: utc(time) / 1000)
    }

    @Test func `rules for all years to come are those of POSIX`() throws {
        let berlin = try zone("CET-1CEST,M3.5.0,M10.5.0/3")
        #expect(offset(berlin, "2026-03-29T00:59") == 3600)
        #expect(offset(berlin, "2026-03-29T01:00") == 7200)
        #expect(offset(berlin, "2026-10-25T00:59") == 7200)
        #expect(offset(berlin, "2026-10-25T01:00") == 3600)
        let sydney = try zone("AEST-10AEDT,M10.1.0,M4.1.0/3")
        #expect(offset(sydney, "2026-01-01T00:00") == 11 * 3600)
        #expect(offset(sydney, "2026-07-01T00:00") == 10 * 3600)
        let dublin = try zone("IST-1GMT0,M10.5.0,M3.5.0/1")
        #expect(offset(dublin, "2026-01-01T00:00") == 0)
        #expect(offset(dublin, "2026-07-01T00:00") == 3600)
        let nuuk = try zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")
        #expect(offset(nuuk, "2026-03-29T00:59") == -7200)
        #expect(offset(nuuk, "2026-03-29T01:00") == -3600)
        #expect(offset(try zone("<+0545>-5:45"), "2026-01-01T00:00") == 5 * 3600 + 45 * 60)
        let julian = try zone("AAA0BBB,J60/0,J61/0")
        #expect(offset(julian, "2024-03-01T00:00") == 3600)
        #expect(offset(julian, "2024-02-29T23:59") == 0)
        #expect(offset(try zone("AAA0BBB,59/0,60/0"), "2024-02-29T12:00") == 3600)
        #expect(offset(try zone(""), "2026-01-01T00:00") == 0)
    }

    @Test func `the first and the last second that can be told have an offset`() throws {
        // Of the year that holds them not every day has a number of seconds.
        for rule in ["AAA-1BBB,M1.1.0,M12.5.0", "AAA-1BBB,M12.5.0,M1.1.0", "AAA1BBB,0,365/24"] {
            let zone = try zone(rule)
            for seconds in [Int64.min, .min + 3600, .max - 3600, .max] {
                #expect(abs(zone.offset(at: seconds)) <= 7200, "\(rule) at \(seconds)")
            }
        }
    }

    @Test func `what is damaged is no zone, and reading it ends`() throws {
        for footer in ["CE", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M10.5.0", "CET-25", "CET-1 "] {
            #expect(throws: RetentionError.self, "\(footer)") { try zone(footer) }
        }
        var random = SeededRandom(seed: announcedSeed())
        let real = try Directories(.kernel).contents(
            of: "/usr/share/zoneinfo/Europe/Berlin", limit: 1 << 16)
        for _ in 0..<2000 {
            let damaged = random.mutated(real, splicing: real)
            _ = try? zone("") { $0 = damaged }.offset(at: 1_800_000_000)
        }
        #expect(throws: RetentionError.self) { try zone("") { $0.removeLast(10) } }
        #expect(throws: RetentionError.self) {
            try zone("") { $0 += [UInt8](repeating: 1, count: 1 << 16) }
        }
    }

    @Test(arguments: [
        "Nowhere/Place", "../etc/passwd", "/etc/localtime", "Europe/../Europe/Berlin", ".", "",
        "Europe", "Europe/Berlin/", "a b",
    ])
    func `a name that is none is refused, wherever it would lead`(_ name: String) {
        #expect(throws: RetentionError.self) { try zones.zone(name) }
    }

    @Test func `UTC needs no file`() throws {
        let nowhere = TimeZones(.kernel, directory: "/nowhere")
        #expect(try nowhere.zone(nil) == .utc && nowhere.zone("UTC") == .utc)
        #expect(throws: RetentionError.self) { try nowhere.zone("Europe/Berlin") }
    }
}
