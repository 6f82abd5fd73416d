import Operations
import Snapshots
import Testing
import WireFormat

private let start = utc("2026-03-01T04:00")

/// Nights from March 1, 2026, a Sunday.
private func nights(
    _ count: Int, _ made: inout Made, domain: DomainID = .shared,
    _ change: (Int, inout Head) -> Void = { _, _ in }
) -> [Snapshot] {
    (0..<count).map { night in
        made.snapshot("shop", start + Int64(night) * days, domain: domain) { change(night, &$0) }
    }
}

@Suite struct RetentionRulesTests {
    @Test func `reasons count from the newest, and rules unite`() throws {
        var made = Made()
        let all = nights(15, &made)
        let decided = try Decided(
            all,
            rules {
                $0.keepLast = 2
                $0.keepDaily = 3
                $0.keepWeekly = 5
            })
        #expect(
            decided.reasons(all[14]) == ["newest", "last 1 of 2", "daily 1 of 3", "weekly 1 of 5"])
        #expect(decided.reasons(all[13]) == ["last 2 of 2", "daily 2 of 3"])
        #expect(decided.reasons(all[7]) == ["weekly 2 of 5"])
        #expect(decided.reasons(all[0]) == ["weekly 3 of 5"])
        #expect(decided.reasons(all[5]) == ["no rule keeps it"] && !decided.keeps(all[5]))
        #expect(decided.kept == [0, 7, 12, 13, 14].map { all[$0].id })
    }

    @Test func `the first of a slot stands for it, and where that is missing the next`() throws {
        var made = Made()
        var all = nights(15, &made)
        let again = made.snapshot("shop", all[7].head.time + hours)
        all.insert(again, at: 8)
        let weekly = rules { $0.keepWeekly = 2 }
        #expect(try Decided(all, weekly).kept == [all[7].id, all[15].id])
        all.remove(at: 7)
        #expect(try Decided(all, weekly).kept == [again.id, all[14].id])
    }

    @Test func `all keeps every slot there is, and counts them without an end`() throws {
        var made = Made()
        let all = nights(10, &made)
        let decided = try Decided(all, rules { $0.keepDaily = RetentionRules.all })
        #expect(decided.kept.count == 10)
        #expect(decided.reasons(all[0]) == ["daily 10"])
    }

    @Test func `what is incomplete or shrunk stands for nothing`() throws {
        var made = Made()
        let all = nights(4, &made) { night, head in
            if night == 1 { head.completeness = .incomplete }
            if night == 3 { head.flags.insert(.shrunk) }
        }
        let decided = try Decided(
            all,
            rules {
                $0.keepDaily = 2
                $0.keepLast = 2
            })
        #expect(decided.kept == [all[0].id, all[2].id])
        #expect(decided.reasons(all[1]) == ["incomplete: fills no slot"])
        #expect(decided.reasons(all[3]) == ["shrunk: fills no slot"])
        #expect(decided.reasons(all[2]).first == "newest")
    }

    @Test func `what nobody can tell stands only where nothing complete does`() throws {
        var made = Made()
        let first = made.snapshot("shop", start) { $0.completeness = .unknown }
        let second = made.snapshot("shop", start + hours)
        let third = made.snapshot("shop", start + days) { $0.completeness = .unknown }
        let decided = try Decided([first, second, third], rules { $0.keepDaily = 9 })
        #expect(!decided.keeps(first))
        #expect(decided.reasons(second) == ["newest", "daily 2 of 9"])
        #expect(decided.reasons(third) == ["newest", "daily 1 of 9"])
    }

    @Test func `the newest complete one stays whatever the rules, and of none whatever is newest`()
        throws
    {
        var made = Made()
        var all = nights(5, &made) { night, head in
            if night > 2 { head.completeness = .incomplete }
        }
        let tagged = rules { $0.keepTags = ["none has it"] }
        #expect(try Decided(all, tagged).kept == [all[2].id])
        all.removeSubrange(0..<3)
        #expect(try Decided(all, tagged).kept == [all[1].id])
    }

    @Test func `tags and what is young stay, also what is incomplete`() throws {
        var made = Made()
        let all = nights(20, &made) { night, head in
            if night == 3 { head.tags = ["before-upgrade"] }
            if night == 17 { head.completeness = .incomplete }
        }
        let decided = try Decided(
            all,
            rules {
                $0.keepTags = ["before-upgrade"]
                $0.keepWithin = CalendarSpan(3, .days)
            })
        #expect(decided.kept == [3, 17, 18, 19].map { all[$0].id })
        #expect(decided.reasons(all[3]) == ["tag before-upgrade"])
        #expect(decided.reasons(all[18]) == ["within 3d"])
    }

    @Test func `hosts share slots unless each is to have its own`() throws {
        var made = Made()
        let all = nights(6, &made) { night, head in head.host = "db\(night % 2)" }
        var given = rules { $0.keepLast = 1 }
        #expect(try Decided(all, given).kept == [all[5].id])
        given.byHost = true
        #expect(try Decided(all, given).kept == [all[4].id, all[5].id])
    }

    @Test func `series are apart, also of one name with other keys`() throws {
        var made = Made()
        let all = [
            made.snapshot("shop", start), made.snapshot("blog", start + days),
            made.snapshot("shop", start + 2 * days, domain: host),
        ]
        #expect(try Decided(all, rules { $0.keepLast = 1 }).kept.count == 3)
    }

    @Test func `a series without a policy keeps everything, and what is not asked about stays`()
        throws
    {
        var made = Made()
        let all =
            nights(3, &made) + [made.snapshot("blog", start), made.snapshot("blog", start + days)]
        let last = rules { $0.keepLast = 1 }
        let decided = try Decided(all, last) {
            $0.policies = Policies([Policy(pattern: SeriesPattern("shop"), rules: last)])
        }
        #expect(decided.reasons(all[3]) == ["no policy"] && decided.plan.dropped.count == 2)
        let asked = try Decided(all, last) { $0.asked = ["blog"] }
        #expect(asked.plan.decisions.map { $0.snapshot.head.series } == ["blog", "blog"])
        #expect(asked.plan.dropped.map { $0.id } == [all[3].id])
    }

    @Test func `a policy that only expects drops nothing`() throws {
        var made = Made()
        let all = nights(3, &made)
        let decided = try Decided(all, rules { $0.expectEvery = CalendarSpan(1, .days) })
        #expect(decided.kept.count == 3 && decided.reasons(all[0]) == ["no rule"])
    }

    @Test func `the order of the input and of equal times changes nothing`() throws {
        var made = Made()
        let all = nights(40, &made) + nights(40, &made)
        let first = try Decided(all, .gfs)
        for _ in 0..<5 {
            let other = try Decided(all.shuffled(), .gfs)
            #expect(other.kept == first.kept)
            #expect(all.allSatisfy { other.reasons($0) == first.reasons($0) })
        }
    }
}

@Suite struct RetentionTiesTests {
    @Test func `what is kept keeps what it needs, down to the full`() throws {
        var made = Made()
        var all: [Snapshot] = []
        for night in 0..<4 {
            let needed = all.last?.id
            all.append(
                made.snapshot("shop", start + Int64(night) * days) {
                    $0.kind = needed == nil ? .full : .incremental
                    $0.needs = needed
                })
        }
        let decided = try Decided(all, rules { $0.keepLast = 1 })
        #expect(decided.kept.count == 4)
        #expect(decided.reasons(all[0]) == ["needed by \(all[1].id.short)"])
        #expect(decided.reasons(all[2]) == ["needed by \(all[3].id.short)"])
    }

    @Test func `what was saved together stays together`() throws {
        var made = Made()
        var all: [Snapshot] = []
        for night in 0..<4 {
            for (index, series) in ["shop", "blog"].enumerated() {
                all.append(
                    made.snapshot(series, start + Int64(night) * days + Int64(index) * hours) {
                        $0.group = "nightly"
                        if night == 1 && series == "shop" { $0.tags = ["keep"] }
                    })
            }
        }
        let decided = try Decided(
            all,
            rules {
                $0.keepLast = 1
                $0.keepTags = ["keep"]
            })
        #expect(decided.kept == [3, 7, 2, 6].map { all[$0].id })
        #expect(decided.reasons(all[3]) == ["with \(all[2].id.short) (group nightly)"])
    }

    @Test func `company and chains reach into series that are not asked about`() throws {
        var made = Made()
        let full = made.snapshot("shop", start)
        let increment = made.snapshot("shop/increments", start + days) {
            $0.kind = .incremental
            $0.needs = full.id
        }
        let newer = made.snapshot("shop", start + 2 * days)
        let decided = try Decided([full, increment, newer], rules { $0.keepLast = 1 }) {
            $0.asked = ["shop"]
        }
        #expect(decided.reasons(full) == ["needed by \(increment.id.short)"])
    }
}

@Suite struct RetentionLimitsTests {
    private func hold(_ patterns: [String], _ term: HoldRecord.Term, name: String = "pci") throws
        -> Hold
    {
        try #require(
            Hold(
                id: Made.id(1_000_000),
                record: HoldRecord(
                    name: name, recorded: 0, content: .hold(patterns: patterns, term: term))))
    }

    private let last = rules { $0.keepLast = 1 }

    @Test func `a hold keeps what it means, until its date, its age, or for ever`() throws {
        var made = Made()
        let all = nights(5, &made)
        let now = start + 5 * days
        func kept(_ term: HoldRecord.Term, _ pattern: String = "sh*") throws -> Int {
            let hold = try hold([pattern], term)
            return try Decided(all, last, now: now) { $0.holds = [hold] }.kept.count
        }
        #expect(try kept(.forever) == 5)
        #expect(try kept(.forever, "blog") == 1)
        #expect(try kept(.until(now + 1)) == 5)
        #expect(try kept(.until(now)) == 1)
        #expect(try kept(.age(CalendarSpan(3, .days))) == 2)
        #expect(try kept(.age(CalendarSpan(73, .hours))) == 3)
        let decided = try Decided(all, last, now: now) { $0.holds = [try hold(["*"], .forever)] }
        #expect(decided.reasons(all[0]) == ["hold pci"])
    }

    @Test func `a hold that has ended holds nothing`() throws {
        let record = HoldRecord(
            name: "pci", recorded: 0, content: .hold(patterns: ["*"], term: .forever))
        let end = HoldRecord(name: "pci", recorded: 1, content: .end(of: Made.id(1)))
        let ended = try #require(Hold(id: Made.id(1), record: record, end: end))
        var made = Made()
        let all = nights(3, &made)
        #expect(try Decided(all, last) { $0.holds = [ended] }.kept.count == 1)
        #expect(Hold(id: Made.id(2), record: end) == nil)
    }

    @Test func `the age of what a write key made counts by the store's clock`() throws {
        var made = Made()
        let old = made.snapshot("shop", start, committed: start + 40 * hours, domain: host)
        let hold = try hold(["*"], .age(CalendarSpan(1, .days)))
        #expect(hold.covers(old, now: start + 63 * hours))
        #expect(!hold.covers(old, now: start + 65 * hours))
    }

    @Test func `what is too old goes although rules keep it, but for the newest and what is held`()
        throws
    {
        var made = Made()
        let all = nights(10, &made)
        let given = rules {
            $0.keepDaily = RetentionRules.all
            $0.maxAge = CalendarSpan(4, .days)
        }
        let now = start + 10 * days
        let decided = try Decided(all, given, now: now)
        #expect(decided.kept == all[7...].map { $0.id })
        #expect(decided.reasons(all[0]) == ["older than max-age 4d"])
        let held = try Decided(all, given, now: now) { $0.holds = [try hold(["*"], .forever)] }
        #expect(held.reasons(all[0]) == ["hold pci (older than max-age 4d)"])
        let late = try Decided(all, given, now: now + 90 * days)
        #expect(late.kept == [all[9].id])
        #expect(late.reasons(all[9]) == ["newest (older than max-age 4d)"])
        #expect(try Decided(all, given, now: now + 90 * days) { $0.allowEmpty = true }.kept == [])
    }

    @Test func `max-age alone keeps all that is younger`() throws {
        var made = Made()
        let all = nights(10, &made)
        let decided = try Decided(
            all, rules { $0.maxAge = CalendarSpan(4, .days) }, now: start + 10 * days)
        #expect(decided.kept == all[7...].map { $0.id })
    }

    @Test func `what is too old stays for what needs it, not to keep others company`() throws {
        var made = Made()
        let full = made.snapshot("shop", start) { $0.group = "nightly" }
        let mate = made.snapshot("blog", start + hours) { $0.group = "nightly" }
        let increment = made.snapshot("shop", start + 5 * days) {
            $0.kind = .incremental
            $0.needs = full.id
        }
        let newer = made.snapshot("blog", start + 5 * days)
        let given = rules {
            $0.keepLast = 9
            $0.maxAge = CalendarSpan(4, .days)
        }
        let decided = try Decided([full, mate, increment, newer], given, now: start + 6 * days)
        #expect(
            decided.reasons(full) == ["needed by \(increment.id.short) (older than max-age 4d)"])
        #expect(decided.reasons(mate) == ["older than max-age 4d"])
    }

    @Test func `rules that say nothing, or two things at once, are refused`() throws {
        #expect(throws: RetentionError.self) { try rules { _ in }.check(for: "shop") }
        #expect(throws: RetentionError.self) {
            try rules {
                $0.keepWithin = CalendarSpan(2, .months)
                $0.maxAge = CalendarSpan(30, .days)
            }.check(for: "shop")
        }
        try RetentionRules.gfs.check(for: "shop")
    }
}

@Suite struct RetentionClockTests {
    @Test func `a time that the store's clock contradicts fills no slot, and stays`() throws {
        var made = Made()
        let all = nights(3, &made)
        let wrong = [
            made.snapshot("shop", start + 100 * days, committed: start + 3 * days),
            made.snapshot("shop", start - 100 * days, committed: start + 3 * days) {
                $0.started = start + 3 * days - minute
            },
            made.snapshot("shop", .max, committed: start + 3 * days),
            made.snapshot("shop", .min, committed: start + 3 * days) { $0.started = .min },
        ].dropLast()
        let decided = try Decided(all + wrong, rules { $0.keepLast = 1 }, now: start + 4 * days)
        #expect(wrong.allSatisfy { decided.reasons($0) == ["time not believed"] })
        #expect(decided.reasons(all[2]) == ["newest", "last 1 of 1"])
        #expect(!decided.keeps(all[1]))
        #expect(decided.plan.anomalies.count == 3)
    }

    @Test func `a quarter of an hour and the duration are allowed`() throws {
        var made = Made()
        func believed(_ off: Int64, _ duration: Int64, _ domain: DomainID) throws -> Bool {
            let snapshot = made.snapshot("shop", start, committed: start + off, domain: domain) {
                $0.ended = start + duration
            }
            let newer = made.snapshot("shop", start + 200 * days, domain: domain)
            return !(try Decided([snapshot, newer], rules { $0.keepLast = 9 })).reasons(snapshot)
                .contains("time not believed")
        }
        for domain in [DomainID.shared, host] {
            #expect(try believed(20 * hours + 15 * minute, 20 * hours, domain))
            #expect(try !believed(20 * hours + 16 * minute, 20 * hours, domain))
            #expect(try believed(-15 * minute, 0, domain))
            #expect(try !believed(-16 * minute, 0, domain))
        }
        #expect(try believed(100 * hours, 100 * hours, .shared))
        #expect(
            try !believed(100 * hours, 100 * hours, host), "a write key claims two days at most")
    }

    @Test func `a given time and a copy's are believed of a full key, and not of a write key`()
        throws
    {
        var made = Made()
        for domain in [DomainID.shared, host] {
            let given = made.snapshot("shop", start, committed: start + 90 * days, domain: domain) {
                $0.flags.insert(.timeGiven)
                $0.ended = $0.started
            }
            let copy = made.snapshot(
                "shop", start + days, committed: start + 90 * days, domain: domain
            ) {
                $0.origin = .init(repository: Made.id(1), snapshot: Made.id(2))
                $0.ended = $0.started
            }
            let decided = try Decided([given, copy], rules { $0.keepDaily = 5 })
            let isShared = domain == .shared
            #expect(
                decided.reasons(given)
                    == (isShared ? ["daily 2 of 5"] : ["time not believed", "within 30d"]))
            #expect(decided.reasons(copy).contains("time not believed") == !isShared)
            let acknowledged = try Decided([given, copy], rules { $0.keepDaily = 5 }) {
                $0.acknowledged = [given.id, copy.id]
            }
            #expect(acknowledged.reasons(given).contains("daily 2 of 5"))
        }
    }
}

@Suite struct RetentionProtectionTests {
    private let last = rules { $0.keepLast = 1 }

    private func kept(_ snapshots: [Snapshot], _ given: RetentionRules, now: Int64? = nil) throws
        -> Int
    {
        try Decided(snapshots, given, now: now).kept.count
    }

    @Test func `with a write key nothing goes that the store got within thirty days`() throws {
        var made = Made()
        let now = start + 60 * days
        let all = nights(60, &made, domain: host)
        #expect(try kept(all, last, now: now) == 30)
        #expect(try kept(nights(60, &made), last, now: now) == 1)
        var given = last
        given.keepWithin = CalendarSpan(10, .days)
        #expect(try kept(all, given, now: now) == 10)
        given.keepWithin = nil
        given.maxAge = CalendarSpan(5, .days)
        #expect(try kept(all, given, now: now) == 5)
    }

    @Test func `more than thirty percent at once are refused unless somebody means it`() throws {
        var made = Made()
        let now = start + 60 * days
        let all = nights(44, &made, domain: host)
        func refusals(_ snapshots: [Snapshot], _ within: UInt32, really: Bool = false) throws -> Int
        {
            try Decided(snapshots, rules { $0.keepWithin = CalendarSpan(within, .days) }, now: now)
            {
                $0.really = really
            }.plan.refusals.count
        }
        #expect(try refusals(all, 47) == 0)
        #expect(try refusals(all, 46) == 1)
        #expect(try refusals(all, 46, really: true) == 0)
        #expect(try refusals(nights(44, &made), 46) == 0)
        #expect(try refusals(Array(all.suffix(2)), 17) == 0, "one may always go")
    }

    @Test func `a flood freezes what was there, until somebody acknowledges it`() throws {
        var made = Made()
        let all = nights(60, &made, domain: host)
        let flood = (0..<25).map {
            made.snapshot("shop", start + 60 * days + Int64($0) * minute, domain: host)
        }
        let now = start + 61 * days
        var given = rules { $0.keepLast = 50 }
        given.keepWithin = CalendarSpan(1, .days)
        let decided = try Decided(all + flood, given, now: now)
        #expect(decided.plan.dropped.isEmpty)
        #expect(decided.reasons(all[0]) == ["frozen: flood on 2026-04-30"])
        let ids = Set(decided.plan.anomalies.map { $0.snapshot.id })
        #expect(!ids.isEmpty && ids.isSubset(of: Set(flood.map { $0.id })))
        let acknowledged = try Decided(all + flood, given, now: now) { $0.acknowledged = ids }
        #expect(acknowledged.kept.count == 50)
        let next = made.snapshot("shop", start + 62 * days, domain: host)
        #expect(
            try Decided(all + flood + [next], given) { $0.acknowledged = ids }.plan.anomalies
                .isEmpty, "nor does it freeze anything the night after")
        #expect(try kept(all + flood.prefix(15), given, now: now) == 50, "a busy week is none")
        #expect(try kept(nights(60, &made), given, now: now) == 50)
    }

    @Test func `what was dropped before belongs to what is usual`() throws {
        var made = Made()
        // Every hour for eight weeks, of which all but the last four days is thinned out.
        let all = (0..<(56 * 24)).map {
            made.snapshot("shop", start + Int64($0) * hours, domain: host)
        }
        let there = all.filter {
            $0.head.time >= start + 52 * days || $0.head.time % days == 4 * hours
        }
        let gone = Set(all.map { $0.id }).subtracting(there.map { $0.id })
        let times = all.filter { gone.contains($0.id) }.map { $0.head.time }
        let given = rules { $0.keepDaily = 3 }
        #expect(try !Decided(there, given).plan.anomalies.isEmpty)
        let decided = try Decided(there, given) {
            $0.forgotten = [SeriesName("shop", host): times]
        }
        #expect(decided.plan.anomalies.isEmpty)
    }

    /// Sizes in MiB: of the snapshot, of what is new in it; whether that is a jump.
    private static let jumps: [(Int, Int, Bool)] = [
        (400, 2, true), (399, 2, false), (25, 1, true), (26, 1, false), (0, 0, true),
        (100, 90, true), (100, 9, false), (100, 0, false),
    ]

    @Test(arguments: jumps)
    func `a jump in size or in new data freezes what was there`(
        _ size: Int, _ new: Int, _ isOne: Bool
    ) throws {
        var made = Made()
        var all = nights(60, &made, domain: host)
        let strange = made.snapshot("shop", start + 60 * days, domain: host) {
            $0.bytesRead = size << 20
            $0.bytesNew = new << 20
        }
        all.append(strange)
        let decided = try Decided(all, last)
        #expect(decided.plan.dropped.isEmpty == isOne)
        #expect(decided.plan.anomalies.count == (isOne ? 1 : 0))
    }

    @Test func `only the same kind and format is compared, and tiny ones cry no wolf`() throws {
        var made = Made()
        let all = nights(60, &made, domain: host)
        let night = start + 60 * days
        let others = [
            made.snapshot("shop", night, domain: host) {
                $0.format = "raw"
                $0.bytesRead = 900 << 20
            },
            made.snapshot("shop", night, domain: host) {
                $0.kind = .incremental
                $0.bytesRead = 3 << 20
            },
        ]
        #expect(try Decided(all + others, last).plan.anomalies.isEmpty)
        let tiny = nights(60, &made, domain: host) { night, head in
            head.bytesRead = night == 59 ? 900_000 : 1000
            head.bytesNew = head.bytesRead
        }
        #expect(try Decided(tiny, last).plan.anomalies.isEmpty)
        let increments = nights(60, &made, domain: host) { night, head in
            head.kind = night == 0 ? .full : .incremental
            head.bytesRead = night == 0 ? 1 << 30 : (night % 7 + 1) * (20 << 20)
            head.bytesNew = head.bytesRead / 20
        }
        #expect(try Decided(increments, last).plan.anomalies.isEmpty, "days are busy or quiet")
    }

    @Test func `what was acknowledged is what is usual from then on`() throws {
        var made = Made()
        let all = nights(63, &made, domain: host) { night, head in
            if night >= 60 { head.bytesRead = 900 << 20 }
        }
        let first = try Decided(all, last)
        #expect(first.plan.anomalies.map { $0.snapshot.id } == all[60...].map { $0.id })
        let later = made.snapshot("shop", start + 63 * days, domain: host) {
            $0.bytesRead = 910 << 20
        }
        let then = try Decided(all + [later], last) {
            $0.acknowledged = Set(all[60...].map { $0.id })
        }
        #expect(then.plan.anomalies.isEmpty)
    }

    @Test func `what is frozen outlives max-age, and what froze it stays, too`() throws {
        var made = Made()
        var all = nights(60, &made, domain: host)
        all.append(
            made.snapshot("shop", start + 60 * days, domain: host) { $0.bytesRead = 900 << 20 })
        all.append(made.snapshot("shop", start + 61 * days, domain: host))
        var given = last
        given.maxAge = CalendarSpan(10, .days)
        let decided = try Decided(all, given, now: start + 200 * days)
        #expect(decided.plan.dropped.isEmpty)
        #expect(
            decided.reasons(all[60]) == [
                "frozen: jump in size on 2026-04-30 (older than max-age 10d)"
            ])
    }

    @Test func `no clock of anybody makes it overflow`() throws {
        var made = Made()
        let extremes: [Int64] = [.min, .min + 1, -1, 0, .max - 1, .max]
        var all = nights(12, &made, domain: host)
        for time in extremes {
            for committed in extremes {
                all.append(
                    made.snapshot("shop", time, committed: committed, domain: host) {
                        ($0.started, $0.ended) = (.min, .max)
                        $0.group = "nightly"
                    })
            }
        }
        for now in extremes {
            for acknowledged in [[], Set(all.map { $0.id })] {
                _ = try Decided(all, .gfs, now: now) {
                    $0.acknowledged = acknowledged
                    $0.forgotten = [SeriesName("shop", host): extremes]
                }
            }
        }
    }

    @Test func `no claimed time takes a slot from what was there before`() throws {
        var made = Made()
        // Sunday's, and what Monday's thief says began before it.
        let sunday = made.snapshot("shop", start, domain: host)
        let forged = made.snapshot(
            "shop", start - 4 * hours, committed: start + 26 * hours, domain: host
        ) {
            $0.ended = start + 26 * hours
        }
        let later = made.snapshot("shop", start + 100 * days, domain: host)
        let decided = try Decided([sunday, forged, later], rules { $0.keepWeekly = 9 })
        #expect(decided.reasons(sunday) == ["weekly 2 of 9"])
        #expect(!decided.keeps(forged))
    }

    @Test func `what says it is complete does not push out what came before it in its slot`() throws
    {
        var made = Made()
        let honest = made.snapshot("shop", start, domain: host) { $0.completeness = .unknown }
        let forged = made.snapshot("shop", start + days, domain: host)
        let later = made.snapshot("shop", start + 100 * days, domain: host)
        let decided = try Decided([honest, forged, later], rules { $0.keepWeekly = 9 })
        #expect(decided.reasons(honest) == ["weekly 2 of 9"])
        #expect(decided.reasons(forged) == ["weekly 2 of 9"])
    }
}
