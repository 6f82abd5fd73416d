import Operations
import Snapshots
import TestSupport
import Testing
import WireFormat

/// What the holder of a write key can do to what was there before, by schedules that a seed makes.
///
/// A host saves a night at a time. Then somebody takes it over and adds whatever they like; the
/// store's clock is all they cannot forge. Beside it runs the same host without the attack: what the
/// policy drops there may go here, and nothing else.
@Suite struct RetentionAttackTests {
    /// In parts, which run side by side.
    @Test(arguments: 0..<UInt64(4))
    func `10,000 schedules lose nothing that the policy would not have dropped`(_ part: UInt64)
        throws
    {
        let seed = announcedSeed()
        let count = UInt64(isLong ? 25_000 : 2500)
        for number in part * count..<(part + 1) * count {
            guard let loss = try Attack(seed: seed &+ number).loss() else { continue }
            Issue.record("REPO_TEST_SEED=\(seed &+ number): \(loss)")
            return
        }
    }

    @Test(arguments: [
        ("clock", Protections.clock), ("duration", .duration), ("claims", .claims),
        ("order", .storeOrder), ("within", .within), ("age", .storeAge), ("floods", .floods),
        ("jumps", .jumps), ("share", .share), ("groups", .storeGroups),
    ])
    func `without any one of the protections something is lost`(
        _ name: String, _ protection: Protections
    ) throws {
        let seed = announcedSeed()
        for number in 0..<UInt64(10_000) {
            let attack = Attack(seed: seed &+ number)
            if try attack.loss(Protections.all.subtracting(protection)) != nil { return }
        }
        Issue.record("nothing is lost without \(name): the test cannot fail")
    }
}

/// One schedule.
private struct Attack {
    enum Kind: CaseIterable {
        case past, future, backdated, longAgo, given, copied, extreme
        case giant, empty, flood, replaced, complete, group, tagged, incomplete
    }

    /// Two series of one group, saved one after the other.
    private static let series = ["shop", "blog"]
    private static let begin = utc("2026-01-04T00:00")

    private let seed: UInt64
    private var random: SeededRandom
    private var made = Made()
    private let rules: RetentionRules
    private let kinds: [Kind]
    private let nights: Int
    private let attackDays: Int
    private let isUnknown: Bool
    private let hasGroup: Bool
    /// Some nights of shop are kept for a tag, and those of blog because they came with them.
    private let hasTags: Bool
    /// Days of the attack at whose noon somebody prunes.
    private var looks: [Int]

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        func chance(_ percent: Int) -> Bool { random.number(1...100) <= percent }
        nights = random.number(35...60)
        // How far --keep-last reaches goes by how many come; so only what is a flood is tried on it.
        let isFlood = chance(15)
        kinds = (0..<random.number(1...3)).map { _ in
            isFlood ? .flood : Kind.allCases[random.number(0...(Kind.allCases.count - 1))]
        }
        isUnknown = chance(30)
        hasGroup = chance(50)
        // A night whose part was overwritten is none any more.
        hasTags = hasGroup && !kinds.contains(.replaced)
        attackDays = random.number(1...70)
        looks = [random.number(1...attackDays)]
        var rules = RetentionRules()
        rules.keepDaily = UInt32(random.number(0...50))
        rules.keepWeekly = UInt32(random.number(0...10))
        rules.keepMonthly = UInt32(random.number(1...6))
        rules.weekStart = UInt8(random.number(0...1))
        if isFlood { rules.keepLast = UInt32(random.number(30...60)) }
        if chance(50) { rules.keepWithin = CalendarSpan(UInt32(random.number(5...40)), .days) }
        if chance(20) { rules.byHost = true }
        if hasTags { rules.keepTags = ["keep"] }
        self.rules = rules
        self.random = random
    }

    // MARK: what is saved

    private func midnight(_ day: Int) -> Int64 { Self.begin + Int64(day) * days }

    /// What the host saves in a night.
    private mutating func night(_ day: Int) -> [Snapshot] {
        var at = midnight(day) + 2 * hours + Int64(random.number(0...30)) * minute
        return (hasGroup ? Self.series : Array(Self.series.prefix(1))).map { series in
            let took = Int64(random.number(1...40)) * minute
            defer { at += took + minute }
            let size = random.number(90...110) << 20
            return made.snapshot(series, at, committed: at + took, domain: host) {
                $0.bytesRead = size
                $0.bytesNew = size / 50
                $0.host = "db1"
                if isUnknown { $0.completeness = .unknown }
                if hasGroup { $0.group = "nightly" }
                if hasTags && series == "shop" && random.number(0...9) == 0 { $0.tags = ["keep"] }
            }
        }
    }

    /// What somebody adds on a day of the attack, before noon.
    private mutating func attack(_ day: Int, _ kind: Kind) -> [Snapshot] {
        let series = Self.series[hasGroup ? random.number(0...1) : 0]
        let stored = midnight(day) + 3 * hours + Int64(random.number(0...500)) * minute
        let some = Int64(random.number(1...48))
        let machine = ["db1", "db1", "db2"][random.number(0...2)]
        let group = hasGroup && random.number(0...1) == 0
        let began =
            midnight(random.number(0...(day - 1))) + 2 * hours
            + Int64(random.number(0...60)) * minute
        func one(_ time: Int64, _ at: Int64? = nil, _ change: (inout Head) -> Void = { _ in })
            -> Snapshot
        {
            made.snapshot(series, time, committed: at ?? stored, domain: host) {
                $0.host = machine
                if group { $0.group = "nightly" }
                ($0.bytesRead, $0.bytesNew) = (100 << 20, 2 << 20)
                change(&$0)
            }
        }
        switch kind {
        case .past: return [one(stored - some * some * days) { $0.started = stored - minute }]
        case .future: return [one(stored + some * some * hours)]
        case .backdated:
            // In front of what was saved an hour, a day or two before.
            return [one(stored - some * hours)]
        case .longAgo: return [one(stored - some * 30 * days)]
        case .given:
            return [
                one(stored - some * 7 * days) {
                    $0.flags.insert(.timeGiven)
                    $0.ended = $0.started
                }
            ]
        case .copied:
            return [
                one(stored - some * 7 * days) {
                    $0.origin = .init(repository: Made.id(1), snapshot: Made.id(2))
                    $0.ended = $0.started
                }
            ]
        case .extreme:
            let time = [Int64.min, -1, 0, .max - 1, .max][random.number(0...4)]
            return [one(time) { ($0.started, $0.ended) = (.min, .max) }]
        case .giant: return [one(stored - minute) { $0.bytesRead = .max }]
        case .empty: return [one(stored - minute) { ($0.bytesRead, $0.bytesNew) = (0, 0) }]
        case .flood:
            return (0..<random.number(60...80)).map {
                one(stored + Int64($0) * 1000 - minute, stored + Int64($0) * 1000)
            }
        case .complete: return [one(stored - minute)]
        case .group:
            return [
                one(stored - some * hours) {
                    $0.group = "nightly"
                    // Between the parts of some night before.
                    $0.started = began
                    $0.ended = $0.started
                }
            ]
        case .tagged: return [one(stored - minute) { $0.tags = ["a", "b"] }]
        case .incomplete: return [one(stored - minute) { $0.completeness = .incomplete }]
        case .replaced: return []
        }
    }

    // MARK: pruning

    private struct Repository {
        var there: [Snapshot]
        var gone: [SeriesName: [Int64]] = [:]
        var dropped: Set<ObjectID> = []

        /// Drops what is decided; what stood against it is left aside.
        mutating func prune(_ rules: RetentionRules, now: Int64, _ protections: Protections) throws
            -> RetentionPlan
        {
            let plan = try input(there, rules, now: now) {
                $0.forgotten = gone
                $0.protections = protections
            }.plan()
            let going = Set(plan.dropped.map { $0.id })
            for snapshot in plan.dropped {
                gone[snapshot.seriesName, default: []].append(snapshot.head.time)
            }
            gone = gone.mapValues { $0.sorted() }
            dropped.formUnion(going)
            there.removeAll { going.contains($0.id) }
            return plan
        }
    }

    /// What is lost that should not be; nil where nothing is.
    func loss(_ protections: Protections = .all) throws -> String? {
        var this = self
        return try this.run(protections)
    }

    private mutating func run(_ protections: Protections) throws -> String? {
        let before = (0..<nights).flatMap { night($0) }
        var honest = Repository(there: before)
        let noon = midnight(nights - 1) + 12 * hours
        _ = try honest.prune(rules, now: noon, .all)
        var attacked = honest
        let goesOn = random.number(0...1) == 0
        var strange: Set<String> = []
        var precious = Set(before.map { $0.id }).subtracting(honest.dropped)
        for day in nights...(nights + attackDays) {
            let night = night(day)
            honest.there += night
            if goesOn { attacked.there += night }
            let isFirst = day == nights
            for kind in kinds where isFirst || (kind != .flood && random.number(0...3) == 0) {
                let added = attack(day, kind)
                attacked.there += added
                if [.flood, .giant, .empty].contains(kind) {
                    strange.formUnion(added.map { $0.head.series })
                }
                if kind == .replaced, isFirst { precious.remove(replace(&attacked, day)) }
            }
            guard looks.contains(day - nights + 1) || day == nights + attackDays else { continue }
            if let loss = try look(&honest, &attacked, day, precious, strange, protections) {
                return loss
            }
        }
        return nil
    }

    /// Puts another head in the place of one that was there.
    private mutating func replace(_ attacked: inout Repository, _ day: Int) -> ObjectID {
        let index = random.number(0...(attacked.there.count - 1))
        let victim = attacked.there[index]
        attacked.there[index] = Snapshot(
            domain: victim.domain, id: victim.id, head: victim.head,
            committed: midnight(day) + 5 * hours)
        return victim.id
    }

    private func look(
        _ honest: inout Repository, _ attacked: inout Repository, _ day: Int,
        _ precious: Set<ObjectID>, _ strange: Set<String>, _ protections: Protections
    ) throws -> String? {
        let now = midnight(day) + 12 * hours
        let kept = try honest.prune(rules, now: now, .all)
        let all = attacked.there
        let plan = try attacked.prune(rules, now: now, protections)
        let within = (rules.keepWithin ?? CalendarSpan(30, .days)).before(now)
        for snapshot in plan.dropped {
            let committed = snapshot.committed ?? 0
            let name = "\(snapshot.head.series) of \(Times.utc(committed)) at \(Times.utc(now))"
            if committed > within { return "\(name) is young" }
            if abs(snapshot.head.time.subtractingReportingOverflow(committed).partialValue)
                > 48 * hours + 15 * minute
            {
                return "\(name) claims what is not believed"
            }
            guard precious.contains(snapshot.id) else { continue }
            if !honest.dropped.contains(snapshot.id) {
                let why = kept.decisions.first { $0.snapshot.id == snapshot.id }?.reasons ?? []
                return "\(name) would have been kept: \(why), \(kinds), \(rules.words)"
            }
            if strange.contains(snapshot.head.series) { return "\(name) is not frozen" }
        }
        guard plan.refusals.isEmpty else { return nil }
        for series in Self.series {
            let total = all.count { $0.head.series == series }
            let dropped = plan.dropped.count { $0.head.series == series }
            if dropped > 1, dropped * 10 > total * 3 { return "\(dropped) of \(total) go at once" }
        }
        return nil
    }
}
