import Faults
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// A repository in which a prune has everything to do that there is to be done.
private struct Littered {
    let repository: FarRepository
    /// What stays, with its bytes, and what is given up.
    let kept: [(snapshot: Snapshot, bytes: [UInt8])]
    let dropped: [(snapshot: Snapshot, bytes: [UInt8])]
    /// What was never committed.
    let abandoned: ObjectID
    let contents: FakeS3.Contents

    init() throws {
        let repository = try FarRepository(pageEntries: 5)
        var random = SeededRandom(seed: 79)
        var dropped: [(snapshot: Snapshot, bytes: [UInt8])] = []
        var kept = dropped
        func add(
            _ bytes: [UInt8], to series: String,
            _ list: inout [(snapshot: Snapshot, bytes: [UInt8])]
        ) throws {
            list.append((try repository.add(bytes, to: series), bytes))
        }
        func refused(
            _ isMeant: @escaping @Sendable (FakeS3.Request) -> Bool, _ body: () throws -> Void
        ) {
            #expect(throws: (any Error).self) {
                try repository.with({
                    isMeant($0) ? .refuse(status: 403, code: "AccessDenied") : nil
                }) { try body() }
            }
        }
        // A run that was stopped left packs that it had condemned, another one a snapshot.
        let gone = try repository.add(random.bytes(120_000), to: "gone")
        refused {
            $0.method == "DELETE" && $0.path.contains("/packs/")
        } _: {
            try Littered.prune([gone], repository.open())
        }
        try add(random.bytes(130_000), to: "left", &dropped)
        refused {
            $0.method == "DELETE" && $0.path.contains("/snapshots/")
        } _: {
            try Littered.prune(dropped.map { $0.snapshot }, repository.open())
        }
        // A pack of which a segment stays, one of which nothing does, and a delta on what goes.
        let shared = random.bytes(100_000)
        try add(shared + random.bytes(1_500_000), to: "large", &dropped)
        try add(shared, to: "small", &kept)
        try add(random.bytes(110_000), to: "other", &dropped)
        var rows = random.bytes(200_000)
        try add(rows, to: "shop", &dropped)
        rows.replaceSubrange(90_000..<90_100, with: repeatElement(1, count: 100))
        try add(rows, to: "shop", &kept)
        // Its commit never came.
        refused {
            $0.method == "PUT" && $0.path.contains("/commits/")
        } _: {
            _ = try repository.add(random.bytes(90_000), to: "never")
        }
        let vault = try repository.open()
        let counted = Set((kept + dropped).map { $0.snapshot.id })
        abandoned = try #require(
            try SnapshotStore(vault.requiredContext(.shared)).manifests()
                .first { !counted.contains($0) })
        (self.repository, self.kept, self.dropped) = (repository, kept, dropped)
        contents = repository.server.contents
    }

    @discardableResult
    static func prune(_ dropped: [Snapshot], _ vault: Vault) throws -> PruneOutcome {
        var request = PruneRequest(try History.load(vault))
        request.options.grace = 0
        request.options.keepIncomplete = 0
        request.options.unusedMax = 0
        request.dropped = dropped
        return try Operations.prune(request, vault)
    }

    /// A run over all that is given up and still there.
    func prune(_ vault: Vault) throws -> PruneOutcome {
        let there = Set(try repository.snapshots().map { $0.id })
        return try Self.prune(dropped.map { $0.snapshot }.filter { there.contains($0.id) }, vault)
    }

    func keys(_ folder: String) -> [String] {
        repository.server.keys.filter { $0.contains("/\(folder)/") }
    }
}

/// Every twelfth request in turn that a prune makes goes wrong, each in a repository of the same state; with
/// LONG=1 every third.
@Test(arguments: faults.indices)
func `a prune whose any request goes wrong loses nothing, and the next one ends what it began`(
    _ index: Int
) throws {
    let fault = faults[index]
    let littered = try Littered()
    let repository = littered.repository
    var requests = 0
    do {
        let vault = try repository.open()
        let indexes = littered.keys("index").count
        let before = repository.server.requests.count
        let outcome = try Littered.prune(littered.dropped.map { $0.snapshot }, vault)
        requests = repository.server.requests.count - before
        #expect(outcome.snapshotsDropped == 4 && outcome.snapshotsAbandoned == 1)
        #expect(outcome.packsCondemned > 2 && outcome.packsDeleted > outcome.packsCondemned)
        #expect(outcome.bytesRewritten > 100_000 && littered.keys("index").count < indexes)
        #expect(requests > 60)
    }
    // A connection of the fake store keeps its thread until the store ends: too many, and none starts.
    let step = isLong ? 3 : 12
    for number in stride(from: index % step, to: requests, by: step) {
        repository.server.contents = littered.contents
        let vault = try repository.open()
        let start = repository.server.requests.count
        let what = "request \(number), \(fault)"
        var isDone = false
        do {
            _ = try repository.with({ $0.index == start + number ? fault : nil }) {
                try Littered.prune(littered.dropped.map { $0.snapshot }, vault)
            }
            isDone = true
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "\(what): \(error)")
        }
        let asked = repository.server.requests.dropFirst(start + number).first ?? "none"
        let there = Set(try repository.snapshots().map { $0.id })
        for (snapshot, bytes) in littered.dropped where there.contains(snapshot.id) {
            #expect(!isDone, "\(what), \(asked)")
            #expect(try repository.cat(snapshot) == bytes, "\(what), \(asked)")
        }
        let next = try littered.prune(repository.open())
        if isDone {
            // What says that it is done is done.
            #expect(
                next.snapshotsDropped + next.snapshotsAbandoned + next.packsCondemned
                    + next.packsDeleted + next.bytesRewritten == 0, "\(what), \(asked)")
        }
        try littered.expectClean("\(what), \(asked)")
    }
}

extension Littered {
    /// Whether nothing is left of what was given up, and all of the rest.
    fileprivate func expectClean(_ what: String) throws {
        let vault = try repository.open()
        let stays = Set(kept.map { $0.snapshot.id })
        #expect(try Set(History.load(vault).snapshots.map { $0.id }) == stays, "\(what)")
        for (snapshot, bytes) in kept {
            #expect(try repository.cat(snapshot) == bytes, "\(what)")
        }
        #expect(keys("tombstones") == [], "\(what)")
        #expect(keys("commits").count == kept.count, "\(what)")
        #expect(keys("snapshots").count == kept.count, "\(what)")
        let recorded = try History.forgottenSnapshots(vault)
        #expect(recorded.isSuperset(of: dropped.map { $0.snapshot.id } + [abandoned]), "\(what)")
        #expect(try check(CheckRequest(readDataPercent: 100), vault).exitCode == .done, "\(what)")
    }
}
