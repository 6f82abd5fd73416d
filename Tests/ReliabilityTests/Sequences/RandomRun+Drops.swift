import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

extension RandomRun {
    /// One, or all that was saved together with it; refused where the ledger says so, and only there.
    func forgetSome() throws {
        let site = site()
        guard !site.ledger.entries.isEmpty else { return }
        let entry = one(of: site.ledger.all)
        var going = [entry]
        if happens(oneIn: 2), let together = site.ledger.occurrence(of: entry) { going = together }
        let allowEmpty = happens(oneIn: 3)
        let ids = Set(going.map { $0.id })
        let refusal = site.ledger.refusal(toForget: ids, allowEmpty: allowEmpty, now: clock.time)
        note("\(site.name) \(going.map(title)), \(refusal ?? "allowed")")
        let request = ForgetRequest(
            references: going.map { Reference("\($0.id)") }, allowEmpty: allowEmpty)
        let vault = try site.open(client())
        if let refusal {
            do {
                _ = try forget(request, in: vault)
            } catch is OperationError {
                figures.refused += 1
                return
            } catch is RetentionError {
                figures.refused += 1
                return
            }
            throw Fault("\(site.name): \(going.map(title)) went, \(refusal)")
        }
        let gone = try forget(request, in: vault)
        guard Set(gone.map { $0.snapshot.id }) == ids else {
            throw Fault("\(site.name): others went than \(going.map(title))")
        }
        site.ledger.remove(ids)
        figures.dropped += ids.count
    }

    func setPolicy() throws {
        let site = site()
        let pattern = one(of: ["*", "*", "shop", "blog", "raw", "base", "files", "chain", "web"])
        guard site.ledger.policies[pattern] != nil, happens(oneIn: 6) else {
            note("\(site.name) \(pattern)")
            return try setPolicy(pattern, in: site)
        }
        note("\(site.name) none for \(pattern)")
        try site.open(one(of: Site.fullClients + ["keeper"])).removePolicy(pattern)
        site.ledger.policies[pattern] = nil
    }

    func setPolicy(_ pattern: String, in site: Site) throws {
        var rules = RetentionRules()
        rules.keepLast = UInt32(one(of: [1, 1, 2, 3]))
        let vault = try site.open(one(of: Site.fullClients + ["keeper"]))
        _ = try vault.setPolicy(SeriesPattern(pattern), rules)
        site.ledger.policies[pattern] = rules.keepLast
    }

    /// Drops what the policies say and frees what nothing needs, at once or later.
    func pruneSite() throws {
        let site = site()
        let mayRebase = !happens(oneIn: 4)
        let vault = try site.open(mayRebase ? client() : "keeper")
        let history = try compareList(site, vault)
        var input = try RetentionInput.load(history, vault, now: clock.time)
        input.really = true
        let plan = try input.plan()
        try plan.check()
        let dropped = Set(plan.dropped.map { $0.id })
        let kept = site.ledger.kept(now: clock.time)
        if let wrong = site.ledger.all.first(where: {
            kept.contains($0.id) && dropped.contains($0.id)
        }) {
            throw Fault("\(site.name): \(title(wrong)) is to go, and must stay")
        }
        if let wrong = site.ledger.all.first(where: {
            $0.snapshot.domain == .shared && !kept.contains($0.id) && !dropped.contains($0.id)
        }) {
            throw Fault("\(site.name): \(title(wrong)) is to stay, and no rule keeps it")
        }
        var request = PruneRequest(history)
        request.dropped = plan.dropped
        request.options.grace = one(of: [
            0, 0, 0, 0, 3_600_000, 86_400_000, 604_800_000,
        ])
        request.options.unusedMax = one(of: [0, 0, 0, 0.1, 0.5, 1])
        request.options.rebases = mayRebase && happens(oneIn: 2)
        if happens(oneIn: 5) { request.options.repackMax = random.number(0...100_000) }
        request.isDryRun = happens(oneIn: 8)
        note(
            "\(site.name) grace \(request.options.grace), unused \(request.options.unusedMax),"
                + " rebase \(request.options.rebases), dry \(request.isDryRun):"
                + " \(plan.dropped.map { $0.id.short }) of \(history.snapshots.count)")
        let before = request.isDryRun ? try site.repository.objectNames : []
        let outcome = try prune(request, vault)
        figures.packsDeleted += outcome.packsDeleted
        if outcome.bytesRebased > 0 && !request.isDryRun { figures.rebased += 1 }
        guard outcome.snapshotsDropped == dropped.count, outcome.kept.isEmpty, outcome.damaged == 0
        else { throw Fault("\(site.name): \(outcome)") }
        if request.isDryRun {
            guard try site.repository.objectNames == before else {
                throw Fault("\(site.name): a dry run changed something")
            }
            return
        }
        site.ledger.remove(dropped)
        figures.dropped += dropped.count
        try compareList(site, vault)
        // Of nothing nothing is left.
        if site.ledger.entries.isEmpty, request.options.grace == 0 {
            guard try site.packs == 0 else {
                throw Fault("\(site.name): packs are left of nothing")
            }
        }
    }

    // MARK: holds

    func addHold() throws {
        let site = site()
        let pattern = one(of: ["*", "shop", "blog", "raw", "base", "files", "chain", "web"])
        let until =
            !happens(oneIn: 3) ? clock.time + Int64(random.number(1...40)) * 86_400_000 : nil
        holdNumber += 1
        let name = "case-\(holdNumber)"
        note("\(site.name) \(name) for \(pattern) until \(until ?? 0)")
        let vault = try site.open(one(of: Site.fullClients + ["keeper"]))
        let outcome = try vault.addHold(
            named: name, patterns: [SeriesPattern(pattern)],
            term: until.map { .until($0) } ?? .forever)
        let held = Set(
            site.ledger.all.filter { Ledger.matches(pattern, $0.head.series) }.map { $0.id })
        guard Set(outcome.held.map { $0.id }) == held, outcome.late.isEmpty else {
            throw Fault("\(site.name): \(name) holds others than it should")
        }
        site.ledger.holds[name] = Ledger.Hold(pattern: pattern, until: until)
    }

    func endHold() throws {
        let site = site()
        let inForce = site.ledger.holds.filter { clock.time < $0.value.until ?? .max }.keys.sorted()
        guard !inForce.isEmpty else { return }
        let name = one(of: inForce)
        note("\(site.name) \(name)")
        let vault = try site.open(one(of: Site.fullClients + ["keeper"]))
        guard try vault.endHold(named: name, reason: nil).count == 1 else {
            throw Fault("\(site.name): \(name) was more than one hold")
        }
        site.ledger.holds[name] = nil
    }
}
