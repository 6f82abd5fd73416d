import Operations
import Snapshots
import Testing
import WireFormat

@Suite struct RetentionClockTests {
    @Test func `a time that the store's clock contradicts fills no slot, and stays`() throws {
        var made = Made()
        let all = nights(3, &made)
        let wrong = [
            made.snapshot("shop", firstNight + 100 * days, committed: firstNight + 3 * days),
            made.snapshot("shop", firstNight - 100 * days, committed: firstNight + 3 * days) {
                $0.started = firstNight + 3 * days - minute
            },
            made.snapshot("shop", .max, committed: firstNight + 3 * days),
            made.snapshot("shop", .min, committed: firstNight + 3 * days) { $0.started = .min },
        ].dropLast()
        let decided = try Decided(all + wrong, rules { $0.keepLast = 1 }, now: firstNight + 4 * days)
        #expect(wrong.allSatisfy { decided.reasons($0) == ["time not believed"] })
        #expect(decided.reasons(all[2]) == ["newest", "last 1 of 1"])
        #expect(!decided.keeps(all[1]))
        #expect(decided.plan.anomalies.count == 3)
    }

    @Test func `a quarter of an hour and the duration are allowed`() throws {
        var made = Made()
        func believed(_ off: Int64, _ duration: Int64, _ domain: DomainID) throws -> Bool {
            let snapshot = made.snapshot("shop", firstNight, committed: firstNight + off, domain: domain) {
                $0.ended = firstNight + duration
            }
            let newer = made.snapshot("shop", firstNight + 200 * days, domain: domain)
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
            let given = made.snapshot("shop", firstNight, committed: firstNight + 90 * days, domain: domain) {
                $0.flags.insert(.timeGiven)
                $0.ended = $0.started
            }
            let copy = made.snapshot(
                "shop", firstNight + days, committed: firstNight + 90 * days, domain: domain
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
        let now = firstNight + 60 * days
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
        let now = firstNight + 60 * days
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
            made.snapshot("shop", firstNight + 60 * days + Int64($0) * minute, domain: host)
        }
        let now = firstNight + 61 * days
        var given = rules { $0.keepLast = 50 }
        given.keepWithin = CalendarSpan(1, .days)
        let decided = try Decided(all + flood, given, now: now)
        #expect(decided.plan.dropped.isEmpty)
        #expect(decided.reasons(all[0]) == ["frozen: flood on 2026-04-30"])
        let ids = Set(decided.plan.anomalies.map { $0.snapshot.id })
        #expect(!ids.isEmpty && ids.isSubset(of: Set(flood.map { $0.id })))
        let acknowledged = try Decided(all + flood, given, now: now) { $0.acknowledged = ids }
        #expect(acknowledged.kept.count == 50)
        let next = made.snapshot("shop", firstNight + 62 * days, domain: host)
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
            made.snapshot("shop", firstNight + Int64($0) * hours, domain: host)
        }
        let there = all.filter {
            $0.head.time >= firstNight + 52 * days || $0.head.time % days == 4 * hours
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
        let strange = made.snapshot("shop", firstNight + 60 * days, domain: host) {
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
        let night = firstNight + 60 * days
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
        let later = made.snapshot("shop", firstNight + 63 * days, domain: host) {
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
            made.snapshot("shop", firstNight + 60 * days, domain: host) { $0.bytesRead = 900 << 20 })
        all.append(made.snapshot("shop", firstNight + 61 * days, domain: host))
        var given = last
        given.maxAge = CalendarSpan(10, .days)
        let decided = try Decided(all, given, now: firstNight + 200 * days)
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
        let sunday = made.snapshot("shop", firstNight, domain: host)
        let forged = made.snapshot(
            "shop", firstNight - 4 * hours, committed: firstNight + 26 * hours, domain: host
        ) {
            $0.ended = firstNight + 26 * hours
        }
        let later = made.snapshot("shop", firstNight + 100 * days, domain: host)
        let decided = try Decided([sunday, forged, later], rules { $0.keepWeekly = 9 })
        #expect(decided.reasons(sunday) == ["weekly 2 of 9"])
        #expect(!decided.keeps(forged))
    }

    @Test func `what says it is complete does not push out what came before it in its slot`() throws
    {
        var made = Made()
        let honest = made.snapshot("shop", firstNight, domain: host) { $0.completeness = .unknown }
        let forged = made.snapshot("shop", firstNight + days, domain: host)
        let later = made.snapshot("shop", firstNight + 100 * days, domain: host)
        let decided = try Decided([honest, forged, later], rules { $0.keepWeekly = 9 })
        #expect(decided.reasons(honest) == ["weekly 2 of 9"])
        #expect(decided.reasons(forged) == ["weekly 2 of 9"])
    }
}
