import Faults
import Files
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

private let hour: Int64 = 3_600_000

/// A snapshot that has nothing but what groups are made of.
private func made(
    _ series: String, _ group: String?, hours: Double, id: UInt8, domain: DomainID = .shared,
    completeness: Head.Completeness = .complete
) -> Snapshot {
    let started = Int64(hours * Double(hour))
    var head = Head(
        series: series, kind: .full, time: started, started: started, ended: started,
        completeness: completeness, evidence: .both,
        writer: ObjectID([UInt8](repeating: 1, count: 16)), sequence: 1)
    head.group = group
    return Snapshot(
        domain: domain, id: ObjectID([UInt8](repeating: id, count: 16)), head: head)
}

/// Occurrences as the first bytes of their snapshots' ids.
private func folded(_ snapshots: [Snapshot]) -> [[UInt8]] {
    Groups.occurrences(of: snapshots).map { $0.snapshots.map { $0.id.bytes[0] } }
}

private let other = DomainID([UInt8](repeating: 3, count: 8))

@Suite struct Folding {
    @Test func `an occurrence ends where a series comes that it has`() {
        let snapshots = [
            made("a", "n", hours: 0, id: 1), made("b", "n", hours: 1, id: 2),
            made("a", "n", hours: 2, id: 3), made("b", "n", hours: 3, id: 4),
            made("b", "n", hours: 3.5, id: 5),
        ]
        #expect(folded(snapshots) == [[1, 2], [3, 4], [5]])
        #expect(folded(snapshots.reversed()) == [[1, 2], [3, 4], [5]])
    }

    @Test func `what is begun more than twelve hours after the first is another`() {
        let first = made("a", "n", hours: 0, id: 1)
        #expect(folded([first, made("b", "n", hours: 12, id: 2)]) == [[1, 2]])
        #expect(folded([first, made("b", "n", hours: 12.001, id: 2)]) == [[1], [2]])
        // It is the first that counts, not the one before.
        #expect(
            folded([first, made("b", "n", hours: 8, id: 2), made("c", "n", hours: 13, id: 3)])
                == [[1, 2], [3]])
    }

    @Test func `groups and domains are apart, and what has no group is in none`() {
        #expect(
            folded([
                made("a", "n", hours: 0, id: 1), made("b", "m", hours: 1, id: 2),
                made("c", nil, hours: 2, id: 3), made("d", "n", hours: 3, id: 4, domain: other),
                made("e", "n", hours: 4, id: 5),
            ]) == [[1, 5], [2], [4]])
    }

    @Test func `incomplete snapshots belong, and equal times go by the id`() {
        #expect(
            folded([
                made("b", "n", hours: 0, id: 2), made("a", "n", hours: 0, id: 1),
                made("c", "n", hours: 1, id: 3, completeness: .incomplete),
            ]) == [[1, 2, 3]])
    }

    @Test func `no clock makes it overflow`() {
        var (first, last) = (made("a", "n", hours: 0, id: 1), made("b", "n", hours: 0, id: 2))
        func at(_ snapshot: Snapshot, _ time: Int64) -> Snapshot {
            var head = snapshot.head
            (head.started, head.time) = (time, time)
            return Snapshot(domain: snapshot.domain, id: snapshot.id, head: head)
        }
        (first, last) = (at(first, .min), at(last, .max))
        #expect(folded([last, first]) == [[1], [2]])
    }
}

private func history(_ snapshots: [Snapshot]) -> History {
    History(snapshots: snapshots.sorted { ($0.head.time, $0.id) < ($1.head.time, $1.id) })
}

/// The first bytes of the ids that a reference means.
private func meant(_ text: String, _ history: History) throws -> [UInt8] {
    switch try Reference(text).meaning(in: history) {
    case .snapshot(let snapshot): [snapshot.id.bytes[0]]
    case .occurrence(let occurrence): occurrence.snapshots.map { $0.id.bytes[0] }
    }
}

@Suite struct GroupReferences {
    private let nights = history([
        made("a", "n", hours: 24, id: 1), made("b", "n", hours: 25, id: 2),
        made("a", "n", hours: 48, id: 3), made("b", "n", hours: 49, id: 4),
    ])

    @Test func `a group's name means its last occurrence, with a date the last until then`() throws
    {
        #expect(try meant("n", nights) == [3, 4])
        #expect(try meant("n@latest", nights) == [3, 4])
        #expect(try meant("n@1970-01-03T00:00Z", nights) == [3, 4])
        #expect(try meant("n@1970-01-02T23:59Z", nights) == [1, 2])
        // Half of it is not to be had by a time within it.
        #expect(try meant("n@1970-01-02T00:30Z", nights) == [1, 2])
        #expect(throws: OperationError.self) { try meant("n@1970-01-01T23:59Z", nights) }
        #expect(throws: OperationError.self) { try meant("n@soon", nights) }
        #expect(throws: OperationError.self) { try meant("m", nights) }
    }

    @Test func `a series wins over a group of its name`() throws {
        let both = history(nights.snapshots + [made("n", nil, hours: 1, id: 9)])
        #expect(try meant("n", both) == [9])
    }

    @Test func `the shared domain wins, and between others one must choose`() throws {
        let apart = nights.snapshots.map {
            Snapshot(domain: other, id: $0.id, head: $0.head)
        }
        let third = made("a", "n", hours: 72, id: 7, domain: DomainID([2, 2, 2, 2, 2, 2, 2, 2]))
        #expect(try meant("n", history(apart)) == [3, 4])
        #expect(
            try meant("n", history(apart + [made("a", "n", hours: 1, id: 8)])) == [8])
        do {
            _ = try meant("n", history(apart + [third]))
            Issue.record("two domains have it")
        } catch let error as OperationError {
            #expect(error.message.contains("07070707, 03030303, 04040404"), "\(error.message)")
        }
    }

    @Test func `where one snapshot is wanted the members are named`() throws {
        do {
            _ = try Reference("n").resolve(in: nights)
            Issue.record("a group is no snapshot")
        } catch let error as OperationError {
            #expect(error.message.contains("03030303 (a), 04040404 (b)"), "\(error.message)")
        }
    }
}

/// A day of a group: two streams and a tree. What is left out is missing.
private func night(
    _ repository: TestRepository, _ vault: Vault, without missing: String? = nil,
    group: String = "nightly"
) throws -> [Snapshot] {
    var random = SeededRandom(seed: testSeed)
    let tree = Path(repository.directory.path) / "tree"
    try Directories(.kernel).make(tree, mode: 0o755)
    try writeFile(random.bytes(30_000), tree / "file")
    var saved: [Snapshot] = []
    for series in ["globals", "shop/db"] where series != missing {
        saved.append(
            try repository.add(mysqlDump(&random, rowBytes: 40_000), to: series, vault: vault) {
                $0.group = group
            }.snapshot)
    }
    var request = AddRequest(
        series: "uploads/all", source: .files(FileSelection(paths: [tree])))
    request.group = group
    if missing != request.series { saved.append(try add(request, to: vault).snapshot) }
    return saved
}

@Test func `a group is restored whole, each of it under the name of its series`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    _ = try night(repository, vault)
    let saved = try night(repository, vault)
    guard
        case .occurrence(let occurrence) = try Reference("nightly").meaning(
            in: History.load(vault))
    else {
        Issue.record("the group is not found")
        return
    }
    #expect(occurrence.snapshots.map { $0.id } == saved.map { $0.id })
    let target = Path(repository.directory.path) / "below/restored"
    let request = RestoreRequest(snapshot: saved[0], target: target)
    var told: [(ObjectID, Path)] = []
    try restore(occurrence, like: request, from: vault) { told.append(($0.id, $1.path)) }
    #expect(told.map { $0.0 } == saved.map { $0.id })
    #expect(
        try Directories(.kernel).contents(of: told[1].1, limit: 1 << 20)
            == repository.cat(saved[1].id.description, vault: vault))
    #expect(told[1].1.name.description.hasPrefix("shop-db-"))
    #expect(told[2].1 == target / "uploads-all")
    let file = Path(String("\(repository.directory.path)/tree/file".drop { $0 == "/" }))
    #expect(try Directories(.kernel).status(told[2].1 / file) != nil)

    // One name that is taken, and nothing is begun.
    let second = Path(repository.directory.path) / "second"
    try Directories(.kernel).make(second / "uploads-all", mode: 0o755)
    var again = request
    again.target = second
    #expect(throws: OperationError.self) {
        try restore(occurrence, like: again, from: vault) { _, _ in }
    }
    #expect(try Directories(.kernel).names(second)?.count == 1)
}

@Test func `two series of one name in a directory are refused before anything is written`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let tree = Path(repository.directory.path) / "tree"
    try Directories(.kernel).make(tree, mode: 0o755)
    for series in ["a/b", "a-b"] {
        var request = AddRequest(series: series, source: .files(FileSelection(paths: [tree])))
        request.group = "n"
        _ = try add(request, to: vault)
    }
    let occurrence = try #require(History.load(vault).occurrences(of: "n").first)
    let target = Path(repository.directory.path) / "restored"
    do {
        try restore(
            occurrence, like: RestoreRequest(snapshot: occurrence.snapshots[0], target: target),
            from: vault
        ) { _, _ in }
        Issue.record("two directories have one name")
    } catch let error as OperationError {
        #expect(error.message == "a/b and a-b would both be restored as a-b")
    }
    #expect(try Directories(.kernel).status(target) == nil)
}

@Test func `a directory that a series names is below the target`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    var request = AddRequest(
        series: "..",
        source: .files(FileSelection(paths: [Path(repository.directory.path) / "cache"])))
    request.group = "n"
    _ = try add(request, to: vault)
    let occurrence = try #require(History.load(vault).occurrences(of: "n").first)
    let target = Path(repository.directory.path) / "restored/here"
    #expect(throws: OperationError.self) {
        try restore(
            occurrence, like: RestoreRequest(snapshot: occurrence.snapshots[0], target: target),
            from: vault
        ) { _, _ in }
    }
    #expect(try Directories(.kernel).status(target) == nil)
}

private func forgetting(_ names: [String], _ vault: Vault, allowEmpty: Bool = false) throws
    -> [ForgetDecision]
{
    try forget(
        ForgetRequest(references: names.map { Reference($0) }, allowEmpty: allowEmpty), in: vault)
}

@Test func `a group is dropped whole or not at all`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let first = try night(repository, vault)
    let second = try night(repository, vault, without: "shop/db")
    do {
        _ = try forgetting([first[0].id.description], vault)
        Issue.record("the rest of the group would stay")
    } catch let error as OperationError {
        #expect(error.message.contains("belongs to group nightly, of which \(first[1].id.short)"))
        #expect(error.hint?.contains("repo forget nightly@20") == true, "\(error.hint ?? "")")
        #expect(error.hint?.contains(first.map { $0.id.short }.joined(separator: " ")) == true)
    }
    // The last good shop/db is in the first night: all of it stays.
    do {
        _ = try forgetting(["nightly@\(Times.utc(first[0].head.time))"], vault)
        Issue.record("the last good snapshot of shop/db would go")
    } catch OperationError.lastGoodSnapshot(let series, _) {
        #expect(series == "shop/db")
    }
    #expect(try History.load(vault).snapshots.count == 5)

    let dropped = try forgetting(["nightly"], vault)
    #expect(Set(dropped.map { $0.snapshot.id }) == Set(second.map { $0.id }))
    #expect(dropped.allSatisfy { $0.reason == "group nightly" })
    // All members by their ids are as good as the name.
    #expect(
        try forgetting(first.map { $0.id.description }, vault, allowEmpty: true).count == 3)
    #expect(try History.load(vault).snapshots.isEmpty)
}

@Test(arguments: ["a@b", "-n", "two words", "", "line\nbreak"])
func `what cannot be the name of a group is refused`(_ name: String) throws {
    let repository = try TestRepository()
    let error = #expect(throws: OperationError.self) {
        try repository.add([1, 2, 3], to: "s") { $0.group = name }
    }
    #expect(error?.exitCode == .usage)
    #expect(error?.message.contains("name of a group") == true)
}
