import Faults
import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

extension RandomRun {
    /// To a repository of the same keys as it is sealed, to one of others, or into the domain of a write key.
    func copy() throws {
        let source = site()
        let target = one(of: sites.filter { $0 !== source })
        let asWriter = happens(oneIn: 6)
        let domain = asWriter ? target.writerDomain : nil
        let isVerbatim = !asWriter && [source.name, target.name].sorted() == ["a", "b"]
        var request = CopyRequest(readsBack: !happens(oneIn: 3))
        var chosen = source.ledger.all
        switch random.number(0...3) {
        case 0 where !chosen.isEmpty:
            let entry = one(of: chosen)
            request.references = [Reference("\(entry.id)")]
            chosen = [entry]
        case 1 where !chosen.isEmpty:
            let series = one(of: Set(chosen.map { $0.head.series }).sorted())
            request.references = [Reference(series)]
            chosen.removeAll { $0.head.series != series }
        default: break
        }
        // With all that they cannot be restored without.
        var wanted = chosen
        var ids = Set(chosen.map { $0.id })
        while let needed = wanted.compactMap({ $0.head.needs }).first(where: { !ids.contains($0) })
        {
            guard let entry = source.ledger.entries[needed] else {
                throw Fault("\(source.name): \(needed.short) is needed and not there")
            }
            wanted.append(entry)
            ids.insert(needed)
        }
        wanted = missing(wanted, in: target, domain)
        note(
            "\(source.name) to \(target.name)\(asWriter ? " with its write key" : ""),"
                + " \(request.references.map { $0.text }): \(wanted.map { $0.id.short })")

        let outcome = try Operations.copy(
            request, from: try source.open(client()),
            to: try target.open(asWriter ? "writer" : client()))
        guard outcome.isVerbatim == isVerbatim, outcome.exitCode == .done else {
            throw Fault("to \(target.name): \(outcome)")
        }
        let copied = Set(outcome.copied.map { $0.source.id })
        guard copied == Set(wanted.map { $0.id }), copied.count == outcome.copied.count else {
            throw Fault(
                "to \(target.name): copied were \(outcome.copied.map { $0.source.id.short })")
        }
        guard outcome.already == chosen.count(where: { !copied.contains($0.id) }) else {
            throw Fault("to \(target.name): \(outcome.already) were there already")
        }
        figures.copied += copied.count
        for (snapshot, original) in outcome.copied {
            guard let entry = source.ledger.entries[original.id] else { continue }
            try compareHeads(snapshot, entry, domain ?? entry.snapshot.domain, target)
            target.ledger.add(
                Entry(
                    snapshot: snapshot, content: entry.content, origin: entry.origin, isCopy: true,
                    number: entry.number))
        }
        for (snapshot, original) in outcome.copied {
            try compareNeeds(snapshot, original, source, target)
        }
    }

    /// What must be copied: what is not there, and what that needs.
    /// - Parameter domain: of the write key that it goes with; nil for a full one.
    private func missing(_ all: [Entry], in target: Site, _ domain: DomainID?) -> [Entry] {
        var missing: [ObjectID: Entry] = [:]
        var before = -1
        while missing.count > before {
            before = missing.count
            let needed = Set(missing.values.compactMap { $0.head.needs })
            for entry in all {
                let isThere = target.ledger.hasCopy(
                    of: entry, in: domain ?? entry.snapshot.domain,
                    isNeeded: needed.contains(entry.id), seesAll: domain == nil)
                if !isThere { missing[entry.id] = entry }
            }
        }
        return Array(missing.values)
    }

    /// A copy is of the same series and time, and says where it is from.
    private func compareHeads(
        _ copy: Snapshot, _ entry: Entry, _ domain: DomainID, _ target: Site
    ) throws {
        let (head, from) = (copy.head, entry.head)
        guard head.series == from.series, head.group == from.group, head.time == from.time,
            head.kind == from.kind, head.completeness == from.completeness,
            head.flags == from.flags, head.bytesRead == from.bytesRead, head.tags == from.tags,
            head.origin == entry.origin, copy.domain == domain
        else { throw Fault("\(target.name): the copy of \(title(entry)) says something else") }
    }

    /// It needs the copy of what it needed.
    private func compareNeeds(
        _ copy: Snapshot, _ original: Snapshot, _ source: Site, _ target: Site
    ) throws {
        let needed = original.head.needs.flatMap { source.ledger.entries[$0] }
        let there = copy.head.needs.flatMap { target.ledger.entries[$0] }
        guard (copy.head.needs == nil) == (original.head.needs == nil),
            there?.content == needed?.content, there?.number == needed?.number
        else { throw Fault("\(target.name): the copy of \(original.id.short) needs another") }
    }
}
