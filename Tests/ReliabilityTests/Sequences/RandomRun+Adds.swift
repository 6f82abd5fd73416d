import Faults
import Files
import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

extension RandomRun {
    /// The next state of a series.
    private func next(_ series: String) -> Content {
        guard var material = materials[series] else {
            preconditionFailure("\(series) is no series")
        }
        let other = one(of: materials.sorted { $0.key < $1.key }.map { $0.value })
        material.change(
            &random, other: other.shape == material.shape || material.shape == .raw ? other : nil)
        materials[series] = material
        return material.content
    }

    private func input(_ content: Content) throws -> AddRequest.Source {
        let path = path("input")
        try writeFile(content.stream ?? [], path)
        return .file(path)
    }

    /// Writes down what was saved.
    private func record(
        _ outcome: AddOutcome, _ content: Content, in site: Site, number: Int, _ request: AddRequest
    ) throws {
        let snapshot = outcome.snapshot
        note("\(site.name) \(snapshot.id.short) (\(request.series))")
        guard snapshot.head.series == request.series, snapshot.head.group == request.group,
            snapshot.head.origin == nil
        else { throw Fault("\(site.name): the head of \(snapshot.id.short) is not what was asked") }
        figures.saved += 1
        if outcome.deltas.frames > 0 { figures.deltas += 1 }
        site.ledger.add(
            Entry(
                snapshot: snapshot, content: content,
                origin: Head.Origin(repository: site.id, snapshot: snapshot.id), isCopy: false,
                number: number))
    }

    private func save(
        _ content: Content, as request: AddRequest, in site: Site, client: String
    ) throws {
        number += 1
        let outcome: AddOutcome
        do {
            outcome = try Operations.add(request, to: site.open(client))
        } catch  where content.stream == [] {
            // Nothing at all is no backup.
            figures.refused += 1
            return note("nothing, refused")
        }
        guard content.stream != [] else { throw Fault("nothing was saved as something") }
        try record(outcome, content, in: site, number: number, request)
    }

    /// Ways to save that must make no difference to what comes back.
    private func vary(_ request: inout AddRequest, in site: Site, _ domain: DomainID) {
        if happens(oneIn: 6) { request.deltaLimits = nil }
        if happens(oneIn: 2) { request.carriesLittle = false }
        if happens(oneIn: 6) { request.level = random.number(1...5) }
        if happens(oneIn: 6) { request.tags = ["t\(random.number(0...2))"] }
        if happens(oneIn: 10) { request.host = "db2" }
        let earlier = site.ledger.series(request.series, domain)
        guard !earlier.isEmpty else { return }
        if happens(oneIn: 6) {
            let parent = one(of: earlier)
            request.parent = Reference("\(parent.id)")
            note("against \(parent.id.short)")
        }
        let hasFull = earlier.contains {
            $0.head.kind == .full && $0.head.completeness != .incomplete
        }
        if hasFull, happens(oneIn: 5) {
            request.kind = one(of: [.incremental, .differential])
            request.parent = nil
        }
    }

    func addStream() throws {
        let site = site()
        let series = one(of: ["shop", "shop", "shop", "raw", "raw", "blog", "base"])
        let content = next(series)
        var request = AddRequest(series: series, source: try input(content))
        vary(&request, in: site, .shared)
        try save(content, as: request, in: site, client: client())
    }

    func addFiles() throws {
        try addFiles(to: site(), client: client(), group: nil)
    }

    private func addFiles(to site: Site, client: String, group: String?) throws {
        tree.change(&random)
        var request = AddRequest(
            series: "files", source: .files(FileSelection(paths: [tree.root])))
        request.group = group
        if happens(oneIn: 6) { request.deltaLimits = nil }
        try save(.tree(tree.nodes), as: request, in: site, client: client)
    }

    /// Two dumps and a tree, or some of them.
    func addGroup() throws {
        let (site, client) = (site(), client())
        for series in ["shop", "blog", "files"] where !happens(oneIn: 6) {
            if series == "files" {
                try addFiles(to: site, client: client, group: "nightly")
            } else {
                let content = next(series)
                var request = AddRequest(series: series, source: try input(content))
                request.group = "nightly"
                try save(content, as: request, in: site, client: client)
            }
            clock.time += Int64(happens(oneIn: 2) ? 1 : random.number(1...600_000))
        }
    }

    /// A full backup as mariabackup makes it, or an increment of any that is there.
    func addToChain() throws {
        let site = site()
        let linkable = site.ledger.series("chain", .shared).filter {
            $0.head.sequenceNumbers.map { $0.from == 0 } == true || $0.head.needs != nil
        }
        let parent = linkable.isEmpty || happens(oneIn: 4) ? nil : one(of: linkable)
        let from = parent?.head.sequenceNumbers?.to ?? 0
        logNumber += UInt64(random.number(1...1000))
        let type = parent == nil ? "full-backuped" : "incremental"
        let checkpoints =
            "backup_type = \(type)\nfrom_lsn = \(from)\nto_lsn = \(logNumber)\n"
            + "last_lsn = \(logNumber)\n"
        let pages = random.bytes(random.number(1...(happens(oneIn: 3) ? 80_000 : 2_000)))
        let bytes = TestArchive.xbstream([.init("shop/t.ibd", pages)], checkpoints: checkpoints)
        let content = Content.stream(
            bytes,
            members: [
                "shop/t.ibd": pages, "xtrabackup_checkpoints": Array(checkpoints.utf8),
                "xtrabackup_info": Array("tool_name = mariabackup\n".utf8),
            ])
        let request = AddRequest(series: "chain", source: try input(content))
        try save(content, as: request, in: site, client: client())
        guard let saved = site.ledger.all.last(where: { $0.number == number }) else { return }
        let needed = saved.head.needs.flatMap { site.ledger.entries[$0] }
        guard (saved.head.needs == nil) == (parent == nil),
            needed?.head.sequenceNumbers?.to == parent?.head.sequenceNumbers?.to
        else { throw Fault("\(site.name): \(title(saved)) goes on from the wrong one") }
    }

    func addWithWriteKey() throws {
        let site = site()
        let series = one(of: ["shop", "web"])
        let content = next(series == "web" ? "raw" : "shop")
        var request = AddRequest(series: series, source: try input(content))
        vary(&request, in: site, site.writerDomain)
        // It sees no snapshots but its own, and opens none of them.
        try save(content, as: request, in: site, client: "writer")
    }

    /// Of one stream, read once.
    func addToTwo() throws {
        let content = next("blog")
        guard content.stream != [] else { return }
        let request = AddRequest(series: "blog", source: try input(content))
        let pair = happens(oneIn: 2) ? [sites[0], sites[2]] : [sites[1], sites[0]]
        number += 1
        let client = client()
        let results = Operations.add(request, toAll: try pair.map { try $0.open(client) })
        for (site, result) in zip(pair, results) {
            try record(try result.get(), content, in: site, number: number, request)
        }
    }

    /// Refused, or saved as what it is where somebody says so.
    func addCutOff() throws {
        let site = site()
        let whole = mysqlDump(&random, rowBytes: random.number(1_000...60_000))
        let content = Content.stream(Array(whole.dropLast(random.number(100...500))), members: nil)
        var request = AddRequest(series: "shop", source: try input(content))
        request.allowIncomplete = happens(oneIn: 2)
        guard !request.allowIncomplete else {
            try save(content, as: request, in: site, client: client())
            guard
                site.ledger.all.last(where: { $0.number == number })?.head.completeness
                    == .incomplete
            else { throw Fault("\(site.name): what was cut off counts as whole") }
            return
        }
        do {
            _ = try Operations.add(request, to: site.open(client()))
        } catch let error as any Explained where error.exitCode == .incompleteStream {
            figures.refused += 1
            return
        }
        throw Fault("\(site.name): what was cut off was saved")
    }
}
