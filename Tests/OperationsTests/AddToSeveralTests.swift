import Faults
import Files
import ObjectStorage
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

private func file(_ bytes: [UInt8], _ directory: TemporaryDirectory) throws -> Path {
    let path = Path(directory.path) / "input"
    try writeFile(bytes, path)
    return path
}

private func repository(_ number: UInt64, store: (any ObjectStore)? = nil) throws
    -> TestRepository
{
    try TestRepository(store: store, surroundings: testSurroundings(seed: testSeed &+ number))
}

@Test func `a stream is read once and saved in each repository`() throws {
    let repositories = [try repository(1), try repository(2), try repository(3)]
    let directory = TemporaryDirectory()
    var nights = Nights(seed: announcedSeed(), byteCount: 3_000_000...6_000_000)
    for night in 0..<4 {
        let stream = nights.stream
        // A command that can be read once, and counts how often it was started.
        let path = try file(stream, directory)
        let counter = Path(directory.path) / "started"
        let script = "echo x >> \(counter); cat \(path)"
        let request = AddRequest(
            series: "shop", source: .command(["/bin/sh", "-c", script].map { Array($0.utf8) }))
        let results = add(request, toAll: try repositories.map { try $0.open() })
        for (result, repository) in zip(results, repositories) {
            let outcome = try result.get()
            #expect(outcome.manifest.producer?.program == "sh")
            #expect(outcome.exitStatusKnown)
            #expect(try repository.cat("shop") == stream)
        }
        // A copy knows them for the same.
        let copied = try Operations.copy(
            CopyRequest(), from: repositories[0].open(), to: repositories[1].open())
        #expect(copied.already == night + 1 && copied.objectsSent == 0)
        let started = try Directories(.kernel).contents(of: counter, limit: 1000)
        #expect(started.count == 2 * (night + 1))
        nights.pass()
    }
}

@Test func `a repository that fails at any write lets the other go on`() throws {
    let directory = TemporaryDirectory()
    var random = SeededRandom(seed: announcedSeed())
    let bytes = random.bytes(9_000_000)
    for writes in 0..<4 {
        for failing in 0..<2 {
            let gate = StoppingStore(MemoryStore())
            let broken = try repository(10, store: gate)
            let sound = try repository(11)
            gate.allow(writes: writes)
            let pair = failing == 0 ? [broken, sound] : [sound, broken]
            let request = AddRequest(
                series: "shop", source: .file(try file(bytes, directory)))
            let results = add(request, toAll: try pair.map { try $0.open() })
            #expect(throws: StoppingStore.Stopped.self) { try results[failing].get() }
            _ = try results[1 - failing].get()
            #expect(try sound.cat("shop") == bytes)
            #expect(try check(CheckRequest(readDataPercent: 100), sound.open()).damages == [])
        }
    }
}

@Test func `a stream that was cut off is refused by both, and a failing command too`() throws {
    let directory = TemporaryDirectory()
    let pair = [try repository(20), try repository(21)]
    var random = SeededRandom(seed: announcedSeed())
    let dump = mysqlDump(&random, rowBytes: 500_000)
    let path = try file(Array(dump.dropLast(100)), directory)
    for source in [
        AddRequest.Source.file(path),
        .command(["/bin/sh", "-c", "cat \(path); exit 3"].map { Array($0.utf8) }),
        .command(["/does/not/exist"].map { Array($0.utf8) }),
    ] {
        let request = AddRequest(series: "shop", source: source)
        for result in add(request, toAll: try pair.map { try $0.open() }) {
            do {
                _ = try result.get()
                Issue.record("saved")
            } catch let error as any Explained {
                #expect(error.exitCode == .incompleteStream)
            }
        }
    }
    for repository in pair { #expect(try History.load(repository.open()).snapshots.isEmpty) }
}

@Test func `files are saved in both, and by a write key, which cannot copy, too`() throws {
    let directory = TemporaryDirectory()
    let pair = [try repository(30), try repository(31)]
    var random = SeededRandom(seed: announcedSeed())
    let tree = Path(directory.path) / "tree"
    try Directories(.kernel).make(tree)
    for number in 0..<20 {
        try writeFile(random.bytes(random.number(0...50_000)), tree / "f\(number)")
    }
    let request = AddRequest(series: "files", source: .files(FileSelection(paths: [tree])))
    let results = add(request, toAll: try pair.map { try $0.open() })
    #expect(try results.map { try $0.get().files?.count } == [21, 21])
    for repository in pair { _ = try repository.open().addKey(.write, key(5), label: nil) }
    let writers = try pair.map { try $0.open(key(5), cache: "writer") }
    let again = add(request, toAll: writers)
    #expect(try again.map { try $0.get().files?.count } == [21, 21])
    for repository in pair {
        #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).damages == [])
        #expect(try History.load(repository.open()).snapshots.count == 2)
    }
}
