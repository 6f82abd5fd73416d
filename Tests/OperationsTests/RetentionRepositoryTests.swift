import Faults
import ObjectStorage
import Operations
import Sealing
import Snapshots
import Testing
import Vault
import WireFormat

/// Policies, holds and acknowledgements as a repository keeps them.
@Suite struct RetentionRepositoryTests {
    private func pattern(_ text: String) -> SeriesPattern { SeriesPattern(text) }

    private func daily(_ count: UInt32) -> RetentionRules { rules { $0.keepDaily = count } }

    /// Opens with a key of another kind, made for this.
    private func open(_ repository: TestRepository, _ kind: KeySlot.KeyKind) throws -> Vault {
        _ = try repository.open().addKey(kind, key(kind.rawValue + 100), label: nil)
        return try repository.open(key(kind.rawValue + 100), cache: "\(kind)")
    }

    private func records(_ repository: TestRepository, _ kind: Record.Kind) throws -> [ObjectName] {
        try repository.store.list(.records(kind)).map { $0.name }
    }

    @Test func `the last policy of a pattern counts, and its number rises`() throws {
        let repository = try TestRepository()
        let vault = try repository.open()
        for count: UInt32 in 1...3 { _ = try vault.setPolicy(pattern("shop"), daily(count)) }
        _ = try vault.setPolicy(pattern("*"), .gfs)
        let policies = try vault.policies(unreadable: .refused)
        #expect(policies.all.map { $0.pattern.text } == ["shop", "*"])
        #expect(policies.policy(for: "shop")?.rules == daily(3))
        #expect(policies.policy(for: "shop")?.version == 3)
        try vault.removePolicy("shop")
        #expect(try vault.policies(unreadable: .refused).policy(for: "shop")?.rules == .gfs)
        #expect(throws: RetentionError.self) { try vault.removePolicy("shop") }
        #expect(try vault.setPolicy(pattern("shop"), daily(9)).version == 5)
        #expect(try records(repository, .policy).count == 6)
    }

    @Test func `of two policies of one number the later counts, then the greater id`() throws {
        let repository = try TestRepository()
        let vault = try repository.open()
        let context = try vault.requiredContext(.shared)
        func put(_ version: UInt64, _ recorded: Int64, _ count: UInt32) throws -> ObjectID {
            try vault.signedObjects.put(
                .policy,
                PolicyRecord(
                    pattern: "shop", version: version, recorded: recorded, rules: daily(count)
                ).bytes, context)
        }
        _ = try put(7, 5, 1)
        _ = try put(6, 9, 2)
        let first = try put(7, 6, 3)
        #expect(try vault.policies(unreadable: .refused).all.map { $0.rules } == [daily(3)])
        let second = try put(7, 6, 4)
        #expect(
            try vault.policies(unreadable: .refused).all.map { $0.rules } == [
                daily(first > second ? 3 : 4)
            ])
    }

    @Test func `a maintain key sets policies and holds, a write key does not and sees none`() throws
    {
        let repository = try TestRepository()
        try repository.add([1, 2, 3], to: "shop")
        let maintain = try open(repository, .maintain)
        _ = try maintain.setPolicy(pattern("*"), .gfs)
        #expect(
            try maintain.addHold(named: "pci", patterns: [pattern("*")], term: .forever).held.count
                == 1)
        let write = try open(repository, .write)
        #expect(!write.seesRetention)
        #expect(try write.policies(unreadable: .refused).all.isEmpty)
        #expect(try write.allHolds(unreadable: .refused).isEmpty)
        for attempt in [
            { _ = try write.setPolicy(SeriesPattern("*"), .gfs) },
            { try write.removePolicy("*") },
            { _ = try write.addHold(named: "x", patterns: [SeriesPattern("*")], term: .forever) },
            { _ = try write.endHold(named: "pci", reason: nil) },
        ] as [() throws -> Void] {
            do {
                try attempt()
                Issue.record("a write key may")
            } catch {
                #expect(explanation(of: error).hasPrefix("this key cannot "))
            }
        }
    }

    @Test func `a hold is an object, and so is its end`() throws {
        let repository = try TestRepository(store: MemoryStore(now: tick()))
        let added = try repository.add([1, 2, 3], to: "shop").snapshot
        try repository.add([4], to: "blog")
        let vault = try repository.open()
        let outcome = try vault.addHold(
            named: "pci", patterns: [pattern("sh*")], term: .age(CalendarSpan(1, .years)),
            reason: "audit", source: "a standard")
        #expect(outcome.held.map { $0.id } == [added.id] && outcome.late.isEmpty)
        #expect(throws: RetentionError.self) {
            try vault.addHold(named: "pci", patterns: [pattern("*")], term: .forever)
        }
        let listed = try #require(History.load(vault).snapshots.first { $0.id == added.id })
        let now = try #require(listed.committed)
        #expect(try vault.holds(covering: listed, now: now).map { $0.name } == ["pci"])
        #expect(try vault.holds(covering: listed, now: now + 366 * days).isEmpty)
        #expect(try vault.endHold(named: "pci", reason: "over").count == 1)
        #expect(try vault.holds(covering: listed, now: now).isEmpty)
        let all = try vault.allHolds(unreadable: .refused)
        #expect(all.count == 1 && all[0].end?.reason == "over" && all[0].record.reason == "audit")
        #expect(try records(repository, .hold).count == 2)
        #expect(throws: RetentionError.self) { try vault.endHold(named: "pci", reason: nil) }
        _ = try vault.addHold(named: "pci", patterns: [pattern("*")], term: .forever)
    }

    @Test func `a hold that comes too late says so`() throws {
        let repository = try TestRepository()
        let (first, second) = (
            try repository.add([1], to: "shop").snapshot,
            try repository.add([2], to: "shop").snapshot
        )
        let vault = try repository.open()
        try vault.signedObjects.put(
            Tombstone(
                target: .snapshot, reason: .pruned, domain: .shared, id: first.id, time: 0))
        let outcome = try vault.addHold(named: "x", patterns: [pattern("shop")], term: .forever)
        #expect(outcome.held.map { $0.id } == [second.id])
        #expect(outcome.late.map { $0.id } == [first.id])
    }

    @Test func `forget refuses what is held, naming the hold, and a hold that nobody can read`()
        throws
    {
        let store = MemoryStore()
        let repository = try TestRepository(store: store)
        let first = try repository.add([1], to: "shop").snapshot
        try repository.add([2], to: "shop")
        let vault = try repository.open()
        let hold = try vault.addHold(named: "case-17", patterns: [pattern("*")], term: .forever)
            .hold
        let request = ForgetRequest(references: [Reference("\(first.id)")])
        do {
            _ = try forget(request, in: vault)
            Issue.record("it went")
        } catch let error as RetentionError {
            #expect(error.message == "\(first.id.short) (shop) is held by case-17")
            #expect(error.hint?.contains("repo hold remove case-17") == true)
        }
        store.tamper(.record(.hold, hold.id)) { $0[100] ^= 1 }
        do {
            _ = try forget(request, in: vault)
            Issue.record("it went")
        } catch let error as RetentionError {
            #expect(error.message.hasPrefix("records/holds/\(hold.id) cannot be read, so nothing"))
        }
        #expect(try vault.allHolds(unreadable: .told).isEmpty)
        try store.remove(.record(.hold, hold.id))
        #expect(try forget(request, in: vault).count == 1)
    }

    @Test func `a policy that is of a later version stops what would drop`() throws {
        let repository = try TestRepository()
        let vault = try repository.open()
        let policy = PolicyRecord(pattern: "shop", version: 1, recorded: 0, rules: .gfs)
        var fields = FieldWriter()
        fields.field(.critical(1000), [1])
        try vault.signedObjects.put(
            .policy, policy.bytes + fields.bytes, vault.requiredContext(.shared))
        let history = try History.load(vault)
        do {
            _ = try RetentionInput.load(history, vault, now: 0)
            Issue.record("it is understood")
        } catch let error as RetentionError {
            #expect(error.exitCode == .unknownVersion)
        }
        #expect(
            try RetentionInput.load(history, vault, now: 0, unreadable: .told).policies.all.isEmpty)
    }

    @Test func `what was acknowledged is believed, also of a write key`() throws {
        let repository = try TestRepository()
        let write = try open(repository, .write)
        for (time, byte) in [("2020-01-05", 1), ("2020-01-06", 2)] as [(String, UInt8)] {
            try repository.add([byte], to: "shop", vault: write) { $0.time = utc(time) }
        }
        let vault = try repository.open()
        _ = try vault.setPolicy(pattern("*"), daily(5))
        func load() throws -> RetentionInput {
            try RetentionInput.load(History.load(vault), vault, now: utc("2030-01-01"))
        }
        let before = try load()
        #expect(try before.plan().decisions.allSatisfy { $0.reasons[0] == "time not believed" })
        let anomalies = try before.anomalies(of: ["shop"])
        #expect(anomalies.count == 2)
        try vault.acknowledge(anomalies)
        let after = try load()
        #expect(
            try after.plan().decisions.map { $0.reasons } == [
                ["daily 2 of 5"], ["newest", "daily 1 of 5"],
            ])
        #expect(try after.anomalies(of: ["shop"]).isEmpty)
        #expect(try vault.acknowledged().count == 2)
    }

    @Test func `a snapshot knows when the store got its commit`() throws {
        let store = MemoryStore(now: { 1_234_567 })
        let repository = try TestRepository(store: store)
        try repository.add([1], to: "shop")
        #expect(try History.load(repository.open()).snapshots.map { $0.committed } == [1_234_567])
    }

    @Test func `words mean a series, a pattern, or the series of a group`() throws {
        let repository = try TestRepository()
        for series in ["shop", "shop/logs", "blog"] {
            try repository.add(Array(series.utf8), to: series) { $0.group = "nightly" }
        }
        let history = try History.load(repository.open())
        func series(_ text: String) throws -> [String] {
            try RetentionInput.series(meantBy: text, in: history).sorted()
        }
        #expect(try series("shop") == ["shop"])
        #expect(try series("shop*") == ["shop", "shop/logs"])
        #expect(try series("nightly") == ["blog", "shop", "shop/logs"])
        #expect(throws: RetentionError.self) { try series("shpo") }
    }

    @Test func `what a write key adds is compared with what was there, gone or not`() throws {
        let repository = try TestRepository()
        let write = try open(repository, .write)
        let added = try repository.add([1], to: "shop", vault: write).snapshot
        try repository.add([2], to: "shop", vault: write)
        let vault = try repository.open()
        _ = try forget(ForgetRequest(references: [Reference("\(added.id)")]), in: vault)
        let input = try RetentionInput.load(History.load(vault), vault, now: 0)
        #expect(input.forgotten == [SeriesName("shop", added.domain): [added.head.time]])
    }
}
