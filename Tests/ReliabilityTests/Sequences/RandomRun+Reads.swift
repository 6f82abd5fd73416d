import Faults
import Files
import Glibc
import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

extension RandomRun {
    /// A snapshot, and a client that can read it.
    private func drawn(where fits: (Entry) -> Bool = { _ in true }) throws -> (
        site: Site, entry: Entry, snapshot: Snapshot, vault: Vault
    )? {
        let site = site()
        let entries = site.ledger.all.filter(fits)
        guard !entries.isEmpty else { return nil }
        let entry = one(of: entries)
        note("\(site.name) \(title(entry))")
        let vault = try site.open(client())
        let snapshot = try Reference("\(entry.id)").resolve(in: History.load(vault))
        return (site, entry, snapshot, vault)
    }

    /// To a place that is free, over something else, or in place of an older state.
    func restoreOne() throws {
        guard let (site, entry, snapshot, vault) = try drawn() else { return }
        let target = path("restored")
        removeTree(target)
        unlink("\(target)")
        figures.restored += 1
        var request = RestoreRequest(snapshot: snapshot, target: target)
        if case .stream(let bytes, nil) = entry.content {
            switch random.number(0...2) {
            case 0: break
            case 1:
                try writeFile(random.bytes(100), target)
                request.overwrite = true
            default:
                var other = bytes
                for _ in 0..<random.number(0...20) where !other.isEmpty {
                    other[random.number(0...(other.count - 1))] = UInt8(random.number(0...255))
                }
                other.removeLast(random.number(0...other.count))
                try writeFile(other, target)
                request.inPlace = true
            }
        }
        _ = try restore(request, from: vault)
        try compare(entry, at: target, in: site)
    }

    /// Of an archive one member, of a tree one file.
    func restorePart() throws {
        guard
            let (site, entry, snapshot, vault) = try drawn(where: {
                switch $0.content {
                case .stream(_, let members): members?.isEmpty == false
                case .tree(let nodes): nodes.values.contains { $0.bytes != nil }
                }
            })
        else { return }
        let files: [String: [UInt8]]
        let top: String
        switch entry.content {
        case .stream(_, let members): (files, top) = (members ?? [:], "")
        case .tree(let nodes):
            (files, top) = (nodes.compactMapValues { $0.bytes }, "\(tree.root)")
        }
        let name = one(of: files.keys.sorted())
        figures.restored += 1
        let member = top.isEmpty ? name : "\(top.dropFirst())/\(name)"
        guard try cat(snapshot, member: member, vault) == files[name] else {
            throw Fault("\(site.name): \(name) of \(title(entry)) is another")
        }
        let target = path("part")
        removeTree(target)
        let pattern = "\(Path(name).name)"
        _ = try restore(
            RestoreRequest(snapshot: snapshot, target: target, include: [pattern]), from: vault)
        let found = try readTree(Path("\(target)\(top)"))?.filter { $0.value != .directory }
        guard let bytes = files[name], found == [name: .file(bytes)] else {
            throw Fault(
                "\(site.name): of \(title(entry)), \(name) came as \(found?.keys.sorted() ?? [])")
        }
    }

    func restoreGroup() throws {
        let site = site()
        let together = site.ledger.occurrences()
        guard !together.isEmpty else { return }
        let wanted = one(of: together)
        let vault = try site.open(client())
        let history = try History.load(vault)
        guard let snapshot = history.snapshots.first(where: { $0.id == wanted[0].id }),
            let occurrence = history.occurrence(holding: snapshot),
            Set(occurrence.snapshots.map { $0.id }) == Set(wanted.map { $0.id })
        else { throw Fault("\(site.name): the group of \(title(wanted[0])) is another") }
        let target = path("group")
        removeTree(target)
        try restore(
            occurrence, like: RestoreRequest(snapshot: snapshot, target: target), from: vault
        ) { snapshot, outcome in
            guard let entry = site.ledger.entries[snapshot.id] else { return }
            self.figures.restored += 1
            try self.compare(entry, at: outcome.path, in: site)
        }
    }

    func checkSite() throws {
        let site = site()
        note(site.name)
        let vault = try site.open(client())
        try compareList(site, vault)
        if happens(oneIn: 2) { return try expectSound(site, vault) }
        // What a key can say that opens no data.
        let outcome = try check(CheckRequest(readDataPercent: nil), site.open("keeper"))
        guard outcome.exitCode == .done, outcome.damages.isEmpty,
            outcome.snapshots == site.ledger.entries.count
        else { throw Fault("\(site.name): \(outcome.damages)") }
    }

    // MARK: caches

    func loseCache() throws {
        let (site, client) = (site(), one(of: Site.clients))
        note("\(site.name) \(client)")
        removeTree(site.cache(client))
    }

    func keepCache() throws {
        let (site, client) = (site(), one(of: Site.clients))
        note("\(site.name) \(client)")
        site.setAside[client] = try readTree(site.cache(client))
    }

    /// A machine that was put back to an older state.
    func oldCache() throws {
        let site = site()
        guard !site.setAside.isEmpty else { return }
        let client = one(of: site.setAside.keys.sorted())
        note("\(site.name) \(client)")
        try writeTree(site.setAside[client] ?? [:], site.cache(client))
    }
}

extension TreeNode {
    var bytes: [UInt8]? {
        if case .file(let bytes) = self { bytes } else { nil }
    }
}
