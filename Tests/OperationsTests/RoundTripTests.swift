import Faults
import ObjectStorage
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test(arguments: [0, 2])
func `what goes in comes back bit for bit`(workers: Int) throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let repository = try TestRepository(surroundings: testSurroundings(workers: workers))
    let streams: [String: [UInt8]] = [
        "one": [42], "small": random.bytes(5000), "rows": random.sqlRows(byteCount: 3_000_000),
        "random": random.bytes(2_500_000), "zeros": [UInt8](repeating: 0, count: 5_000_000),
        "mixed": random.bytes(100_000) + [UInt8](repeating: 0, count: 40_000)
            + random.sqlRows(byteCount: 200_000),
        "repeats": Array(repeatElement(random.bytes(70_000), count: 30).joined()),
    ]
    for (series, bytes) in streams.sorted(by: { $0.key < $1.key }) {
        try repository.add(bytes, to: series)
    }
    for (series, bytes) in streams { #expect(try repository.cat(series) == bytes, "\(series)") }
}

@Test func `an empty stream is refused and nothing is committed`() throws {
    let repository = try TestRepository()
    let error = #expect(throws: (any Error).self) { try repository.add([], to: "empty") }
    #expect((error as? any Explained)?.exitCode == .incompleteStream)
    #expect(try History.load(repository.open()).snapshots.isEmpty)
}

@Test func `a small add is two objects`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let before = try repository.objectNames.count
    try repository.add(mysqlDump(&random, rowBytes: 20_000), to: "small")
    #expect(try repository.objectNames.count == before + 2)
}

@Test func `the same dump again stores a thousandth at most`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let dump = mysqlDump(&random, rowBytes: 20_000_000)
    let first = try repository.add(dump, to: "shop")
    #expect(first.snapshot.head.bytesNew > 19_000_000)
    let again = try repository.add(dump, to: "shop")
    #expect(again.snapshot.head.bytesStored < dump.count / 1000)
    let other = try repository.add(dump, to: "other/series")
    #expect(other.snapshot.head.bytesStored < dump.count / 1000)
    #expect(try repository.cat("other/series") == dump)
}

@Test func `what a snapshot says it stored is what the repository grew by`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    func size() throws -> Int {
        try Folder.Root.allCases.reduce(0) {
            try $0 + repository.store.list(.all($1)).reduce(0) { $0 + $1.byteCount }
        }
    }
    for bytes in [random.bytes(100), random.sqlRows(byteCount: 5_000_000)] {
        let before = try size()
        let outcome = try repository.add(bytes, to: "s")
        #expect(try size() - before == outcome.snapshot.head.bytesStored)
    }
}

@Test func `a dump tells of itself`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let outcome = try repository.add(mysqlDump(&random, rowBytes: 1000), to: "shop")
    let head = outcome.snapshot.head
    #expect(head.format == "mysqldump")
    #expect(head.completeness == .complete && head.evidence == .trailer)
    #expect(head.position?.file == "mariadb-bin.000003" && head.position?.offset == 389)
    let vault = try repository.open()
    let tables = try readTables(of: outcome.snapshot, in: vault)
    #expect(tables.map { $0.name } == ["orders"])
}

@Test func `a dump cut off anywhere is refused`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let dump = mysqlDump(&random, rowBytes: 30_000)
    let vault = try repository.open()
    for _ in 0..<40 {
        let cut = random.number(1...(dump.count - 30))
        let error = #expect(throws: (any Error).self) {
            try repository.add(Array(dump[..<cut]), to: "shop", vault: vault)
        }
        #expect((error as? any Explained)?.exitCode == .incompleteStream)
    }
    #expect(try History.load(vault).snapshots.isEmpty)
    let allowed = try repository.add(Array(dump[..<20_000]), to: "shop", vault: vault) {
        $0.allowIncomplete = true
    }
    #expect(allowed.snapshot.head.completeness == .incomplete)
    #expect(!allowed.reservations.isEmpty)
}

@Test func `a stream that has shrunk is marked until its new size is accepted`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let vault = try repository.open()
    for _ in 0..<3 { try repository.add(random.bytes(10_000), to: "s", vault: vault) }
    let shrunk = try repository.add(random.bytes(4999), to: "s", vault: vault)
    #expect(shrunk.snapshot.head.flags.contains(.shrunk) && !shrunk.reservations.isEmpty)
    let error = #expect(throws: (any Error).self) {
        try repository.add(random.bytes(4000), to: "s", vault: vault) { $0.refuseShrink = true }
    }
    #expect((error as? any Explained)?.exitCode == .incompleteStream)
    let accepted = try repository.add(random.bytes(4000), to: "s", vault: vault) {
        $0.allowShrink = true
    }
    #expect(!accepted.snapshot.head.flags.contains(.shrunk))
    let next = try repository.add(random.bytes(4000), to: "s", vault: vault)
    #expect(next.reservations.isEmpty)
}

@Test func `snapshots are found by series, time and id`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let day: Int64 = 86_400_000
    var ids: [String] = []
    for number in 0..<3 {
        let outcome = try repository.add([UInt8(number)], to: "shop", vault: vault) {
            $0.time = 1_790_000_000_000 + Int64(number) * day
        }
        ids.append(outcome.snapshot.id.description)
    }
    let history = try History.load(vault)
    func found(_ text: String) throws -> String {
        try Reference(text).resolve(in: history).id.description
    }
    #expect(try found("shop") == ids[2])
    #expect(try found("shop@latest") == ids[2])
    let date = Times.utc(1_790_000_000_000 + day).prefix(10)
    #expect(try found("shop@\(date)") == ids[1])
    #expect(try found(String(ids[0].prefix(8))) == ids[0])
    let error = #expect(throws: OperationError.self) { try Reference("shpo").resolve(in: history) }
    #expect(error?.message.contains("shop") == true)
    #expect(throws: OperationError.self) { try Reference("shop@2020-01-01").resolve(in: history) }
}

@Test func `forgetting leaves a record and never the last good snapshot unasked`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let first = try repository.add([1], to: "s", vault: vault)
    let second = try repository.add([2], to: "s", vault: vault)
    _ = try forget(ForgetRequest(references: [Reference(first.snapshot.id.description)]), in: vault)
    #expect(try History.load(vault).snapshots.map { $0.id } == [second.snapshot.id])
    #expect(throws: OperationError.self) {
        try forget(ForgetRequest(references: [Reference("s")]), in: vault)
    }
    _ = try forget(ForgetRequest(references: [Reference("s")], allowEmpty: true), in: vault)
    #expect(try History.load(vault).snapshots.isEmpty)
    // Removed on purpose is not rolled back, for a client that remembers them too.
    #expect(try check(CheckRequest(readDataPercent: 100), vault).exitCode == .done)
}

@Test func `two adds at once both succeed`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let inputs = (0..<4).map { _ in random.sqlRows(byteCount: 1_500_000) }
    let results = Outcomes()
    let threads = inputs.enumerated().map { number, bytes in
        startThread { [repository] in
            let outcome = Result { try repository.add(bytes + [UInt8(number)], to: "s\(number)") }
            results.add(outcome.map { _ in () })
        }
    }
    for thread in threads { thread.join() }
    #expect(results.failures.isEmpty, "\(results.failures)")
    for (number, bytes) in inputs.enumerated() {
        #expect(try repository.cat("s\(number)") == bytes + [UInt8(number)])
    }
}

@Test func `a lost cache and a lost index are rebuilt`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    let dump = random.sqlRows(byteCount: 3_000_000)
    try repository.add(dump, to: "s")
    for object in try repository.store.list(.all(.index)) {
        try repository.store.remove(object.name)
    }
    let vault = try repository.open(cache: "another")
    #expect(try repository.cat("s", vault: vault) == dump)
    let again = try repository.add(dump, to: "s", vault: vault)
    #expect(again.chunksNew == 0)
}
