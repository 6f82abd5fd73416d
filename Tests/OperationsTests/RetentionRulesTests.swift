import Operations
import Snapshots
import Testing
import WireFormat

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
        let first = made.snapshot("shop", firstNight) { $0.completeness = .unknown }
        let second = made.snapshot("shop", firstNight + hours)
        let third = made.snapshot("shop", firstNight + days) { $0.completeness = .unknown }
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
            made.snapshot("shop", firstNight), made.snapshot("blog", firstNight + days),
            made.snapshot("shop", firstNight + 2 * days, domain: host),
        ]
        #expect(try Decided(all, rules { $0.keepLast = 1 }).kept.count == 3)
    }

    @Test func `a series without a policy keeps everything, and what is not asked about stays`()
        throws
    {
        var made = Made()
        let all =
            nights(3, &made) + [made.snapshot("blog", firstNight), made.snapshot("blog", firstNight + days)]
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
                made.snapshot("shop", firstNight + Int64(night) * days) {
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
                    made.snapshot(series, firstNight + Int64(night) * days + Int64(index) * hours) {
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
        let full = made.snapshot("shop", firstNight)
        let increment = made.snapshot("shop/increments", firstNight + days) {
            $0.kind = .incremental
            $0.needs = full.id
        }
        let newer = made.snapshot("shop", firstNight + 2 * days)
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
        let now = firstNight + 5 * days
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
        let old = made.snapshot("shop", firstNight, committed: firstNight + 40 * hours, domain: host)
        let hold = try hold(["*"], .age(CalendarSpan(1, .days)))
        #expect(hold.covers(old, now: firstNight + 63 * hours))
        #expect(!hold.covers(old, now: firstNight + 65 * hours))
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
        let now = firstNight + 10 * days
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
            all, rules { $0.maxAge = CalendarSpan(4, .days) }, now: firstNight + 10 * days)
        #expect(decided.kept == all[7...].map { $0.id })
    }

    @Test func `what is too old stays for what needs it, not to keep others company`() throws {
        var made = Made()
        let full = made.snapshot("shop", firstNight) { $0.group = "nightly" }
        let mate = made.snapshot("blog", firstNight + hours) { $0.group = "nightly" }
        let increment = made.snapshot("shop", firstNight + 5 * days) {
            $0.kind = .incremental
            $0.needs = full.id
        }
        let newer = made.snapshot("blog", firstNight + 5 * days)
        let given = rules {
            $0.keepLast = 9
            $0.maxAge = CalendarSpan(4, .days)
        }
        let decided = try Decided([full, mate, increment, newer], given, now: firstNight + 6 * days)
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
