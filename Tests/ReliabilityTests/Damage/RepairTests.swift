import Faults
import Files
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// What befalls an object.
private enum Harm: String, CaseIterable, CustomTestStringConvertible {
    case flipped, truncated, removed

    var testDescription: String { rawValue }

    func befall(_ name: ObjectName, in store: MemoryStore, _ random: inout SeededRandom) throws {
        let count = try store.byteCount(of: name) ?? 0
        let place = random.number(0...(count - 1))
        let change = UInt8(random.number(1...255))
        switch self {
        case .flipped: store.tamper(name) { $0[place] ^= change }
        case .truncated: store.tamper(name) { $0.removeLast(count - place) }
        case .removed: try store.remove(name)
        }
    }
}

private let repository = Result { try DamagedRepository() }

extension ObjectName {
    /// The folder that it lies in.
    fileprivate var kind: Substring { description.prefix { $0 != "/" } }
}

/// Some of each kind; all of them in a long run.
private func chosen(_ names: [ObjectName], _ random: inout SeededRandom) -> [ObjectName] {
    guard !isLong else { return names }
    return Dictionary(grouping: names) { $0.kind }.sorted { $0.key < $1.key }.flatMap { _, names in
        var left = names
        return (0..<min(3, names.count)).map { _ in
            left.remove(at: random.number(0...(left.count - 1)))
        }
    }
}

/// What stands in the place of lost bytes is zeros, and nothing else is.
private func expect(
    _ restored: [UInt8], _ saved: [UInt8], butFor lost: [Range<Int>], _ what: String
) {
    var wanted = saved
    for range in lost { for place in range { wanted[place] = 0 } }
    #expect(restored == wanted, "\(what): what is left is wrong")
}

@Test(arguments: Harm.allCases)
private func `what a repair leaves is whole, or named to the byte, and the same data heal it`(
    _ harm: Harm
) throws {
    let damaged = try repository.get()
    var random = SeededRandom(seed: announcedSeed() &+ UInt64(harm.rawValue.count))
    var (count, repairs, partial, lostBytes, givenUp) = (0, 0, 0, 0, 0)
    for name in chosen(damaged.names, &random) where name.kind != "keys" {
        let what = "\(name) \(harm)"
        let store = damaged.store()
        // It saw everything when it was whole.
        let cache = TemporaryDirectory()
        _ = try History.load(damaged.open(store, cache: cache))
        try harm.befall(name, in: store, &random)
        let left = try store.byteCount(of: name).map { _ in try store.get(name) }
        func repair(accepting: Bool = false) throws -> CheckOutcome {
            try check(
                CheckRequest(
                    readDataPercent: 100, acceptRollback: accepting, repairs: true),
                damaged.open(store, cache: cache))
        }
        count += 1
        var outcome = try repair()
        var done = outcome.repairs
        if outcome.exitCode == .unknownVersion {
            #expect(outcome.repairs.isEmpty, "\(what): of a version that is not known")
            continue
        }
        if outcome.exitCode == .rolledBack {
            #expect(
                harm == .removed && (name.kind == "commits" || name.kind == "records")
                    || name.kind == "records", "\(what): rolled back")
            outcome = try repair(accepting: true)
            done += outcome.repairs
        }
        #expect(
            outcome.exitCode == (outcome.losses.isEmpty ? .done : .damage),
            "\(what): \(outcome.exitCode), \(outcome.damages), \(outcome.notes)")
        repairs += done.count
        if let left, !done.isEmpty {
            let place = done.compactMap { line -> String? in
                guard line.hasPrefix("\(name) is set-aside/") else { return nil }
                return line.split(separator: " ")[2].split(separator: "/", maxSplits: 1).last.map {
                    String($0)
                }
            }
            let aside = try #require(place.first, "\(what): \(done)")
            #expect(try store.get(.setAside(aside)) == left, "\(what): set aside as it was")
        }
        // Nothing is missed, by those who saw it all and by those who come anew.
        _ = try History.load(damaged.open(store, cache: cache))
        let history = try History.load(damaged.open(store))
        for (snapshot, bytes) in damaged.saved {
            let id = snapshot.id
            guard history.snapshots.contains(where: { $0.id == id }) else {
                #expect(name == .snapshot(.shared, id), "\(what)")
                givenUp += 1
                continue
            }
            guard let lost = outcome.losses.first(where: { $0.snapshot.id == id }) else {
                let restored = try damaged.repository.cat("\(id)", vault: damaged.open(store))
                #expect(restored == bytes, "\(what)")
                continue
            }
            partial += 1
            #expect(throws: (any Error).self) {
                try damaged.repository.cat("\(id)", vault: damaged.open(store))
            }
            let directory = TemporaryDirectory()
            let target = Path(directory.path) / "restored"
            var request = RestoreRequest(snapshot: snapshot, target: target)
            request.allowsDamage = true
            let restore = try restore(request, from: damaged.open(store))
            #expect(
                restore.losses.filter { $0.role == .data }
                    == lost.losses.filter { $0.role == .data }, "\(what)")
            let ranges = restore.losses.filter { $0.role == .data }.map { $0.range }
            lostBytes += ranges.reduce(0) { $0 + $1.count }
            expect(
                try Directories(.kernel).contents(of: target, limit: 1 << 24), bytes,
                butFor: ranges,
                what)
        }
        // The same data come again.
        let vault = try damaged.open(store, cache: cache)
        for (snapshot, bytes) in damaged.saved {
            try damaged.repository.add(bytes, to: snapshot.head.series, vault: vault)
        }
        for (snapshot, bytes) in damaged.saved
        where history.snapshots.contains(where: { $0.id == snapshot.id }) {
            let restored = try damaged.repository.cat("\(snapshot.id)", vault: damaged.open(store))
            #expect(restored == bytes, "\(what): not healed")
        }
        let healed = try damaged.check(damaged.open(store))
        #expect(healed.exitCode == .done, "\(what): \(healed.damages), \(healed.notes)")
    }
    print(
        "# repair: \(count) objects \(harm.rawValue), \(repairs) repairs; \(partial) snapshots lost \(lostBytes) bytes, each named, \(givenUp) given up; the rest whole, all healed by the same data; seed \(testSeed)"
    )
    #expect(count > 6)
}

@Test func `of a damaged pack only what cannot be had is named as lost`() throws {
    let repository = try TestRepository()
    guard let store = repository.store as? MemoryStore else { return }
    var random = SeededRandom(seed: announcedSeed())
    let bytes = random.bytes(4_000_000)
    let snapshot = try repository.add(bytes, to: "s").snapshot
    let pack = try #require(
        try store.list(.packs(.shared)).max { $0.byteCount < $1.byteCount })
    store.tamper(pack.name) { $0[$0.count / 2] ^= 1 }
    let found = try check(CheckRequest(readDataPercent: 100), repository.open())
    #expect(found.damages.map { $0.object } == ["\(pack.name)"])
    #expect(found.damages.first?.snapshots == [snapshot.id])
    let lost = try #require(found.losses.first)
    // One segment of about a mebibyte.
    #expect(lost.losses.reduce(0) { $0 + $1.range.count } < 1_200_000)
    let target = Path(repository.directory.path) / "restored"
    var request = RestoreRequest(snapshot: snapshot, target: target)
    request.allowsDamage = true
    #expect(try restore(request, from: repository.open()).losses == lost.losses)
    expect(
        try Directories(.kernel).contents(of: target, limit: 1 << 24), bytes,
        butFor: lost.losses.map { $0.range }, "\(pack.name)")
}

@Test func `of damaged files what is left comes back, and the others are named`() throws {
    let repository = try TestRepository(inMemory: true)
    guard let store = repository.store as? MemoryStore else { return }
    var random = SeededRandom(seed: announcedSeed())
    let top = Path(repository.directory.path) / "top"
    try Directories(.kernel).make(top)
    var saved: [String: [UInt8]] = [:]
    for number in 0..<40 {
        let name = "file-\(number)"
        saved[name] = random.bytes(random.number(0...200_000))
        try writeFile(saved[name] ?? [], top / name)
    }
    let snapshot = try Operations.add(
        AddRequest(series: "files", source: .files(FileSelection(paths: [top]))),
        to: repository.open()
    ).snapshot
    let pack = try #require(
        try store.list(.packs(.shared)).max { $0.byteCount < $1.byteCount })
    store.tamper(pack.name) { $0[$0.count / 2] ^= 1 }
    func restored(_ name: String, allowsDamage: Bool) throws -> RestoreOutcome {
        var request = RestoreRequest(
            snapshot: snapshot, target: Path(repository.directory.path) / name)
        request.allowsDamage = allowsDamage
        return try restore(request, from: repository.open(cache: name))
    }
    #expect(throws: (any Error).self) { try restored("refused", allowsDamage: false) }
    let outcome = try restored("back", allowsDamage: true)
    #expect(!outcome.losses.isEmpty && !outcome.damagedParts.isEmpty)
    var hit = 0
    for (name, bytes) in saved {
        let part = outcome.damagedParts.first {
            String(decoding: $0.path, as: UTF8.self).hasSuffix("/\(name)")
        }
        let path = try #require(
            try find(name, below: Path(repository.directory.path) / "back"), "\(name)")
        let back = try Directories(.kernel).contents(of: path, limit: 1 << 20)
        expect(back, bytes, butFor: part?.ranges ?? [], name)
        if part != nil { hit += 1 }
    }
    #expect(hit == outcome.damagedParts.count && hit < saved.count)
    #expect(
        outcome.damagedParts.flatMap { $0.ranges }.reduce(0) { $0 + $1.count }
            == outcome.losses.reduce(0) { $0 + $1.range.count })
}

/// A file of a name, anywhere below a directory.
private func find(_ name: String, below top: Path) throws -> Path? {
    for child in try Directories(.kernel).names(top) ?? [] {
        let path = top / child
        if "\(child)" == name { return path }
        if try Directories(.kernel).status(path)?.kind == .directory,
            let found = try find(name, below: path)
        {
            return found
        }
    }
    return nil
}
