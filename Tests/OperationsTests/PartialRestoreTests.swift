import Files
import Glibc
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// Contents of many lengths: long files have chunks of their own, short ones share them; zeros and
/// repetitions stand between.
private func contents(_ random: inout SeededRandom, count: Int) -> [[UInt8]] {
    (0..<count).map { number in
        switch number % 7 {
        case 0: random.bytes(random.number(1...300))
        case 1: []
        case 2: [UInt8](repeating: 0, count: random.number(1...200_000))
        case 3: Array(repeatElement(Array(1...250), count: random.number(1...600)).joined())
        default: random.bytes(random.number(2_000...90_000))
        }
    }
}

private func name(_ number: Int) -> String { "f\(number < 10 ? "00" : number < 100 ? "0" : "")\(number)" }

/// Restores what matches, and says what came.
private func restored(
    _ pattern: String, of reference: String, _ repository: TestRepository, _ number: Int
) throws -> Path {
    let vault = try repository.open()
    let target = Path(repository.directory.path) / "restored\(number)"
    let snapshot = try Reference(reference).resolve(in: History.load(vault))
    _ = try restore(
        RestoreRequest(snapshot: snapshot, target: target, include: [pattern]), from: vault)
    return target
}

private func bytes(_ path: Path) throws -> [UInt8]? {
    guard try Directories(.kernel).status(path) != nil else { return nil }
    return try Directories(.kernel).contents(of: path, limit: 1 << 24)
}

@Test func `of files and members those that are wanted come back, and little else is read`() throws {
    let store = CountingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    var random = SeededRandom(seed: announcedSeed())
    let all = contents(&random, count: 150)
    let tree = Path(repository.directory.path) / "tree"
    try Directories(.kernel).make(tree)
    for (number, content) in all.enumerated() { try writeFile(content, tree / name(number)) }
    _ = try add(
        AddRequest(series: "files", source: .files(FileSelection(paths: [tree]))),
        to: repository.open())
    try repository.add(
        TestArchive.tar(all.enumerated().map { .init(name($0), $1) }), to: "archive")
    // Members of an xbstream interleave.
    try repository.add(
        TestArchive.xbstream(
            all.enumerated().flatMap { number, content -> [TestArchive.Part] in
                let middle = content.count / 2
                return [
                    .init(name(number), Array(content[..<middle])),
                    .init(name(number), Array(content[middle...]), at: middle),
                ]
            }), to: "stream")
    let total = try repository.store.list(.packs(.shared)).reduce(0) { $0 + $1.byteCount }
    var runs = 0
    for (reference, top) in [("files", "\(tree)"), ("archive", ""), ("stream", "")] {
        for pattern in ["f004", "f01?", "f*7", "f1*", "f?[0-4]*", "f000", "f001", "nothing"] {
            runs += 1
            _ = store.take()
            let target = try restored(pattern, of: reference, repository, runs)
            let read = store.take()
            var wanted = 0
            for (number, content) in all.enumerated() {
                let path = Path("\(target)\(top)/\(name(number))")
                let isWanted = fnmatch(pattern, name(number), 0) == 0
                #expect(try bytes(path) == (isWanted ? content : nil), "\(reference) \(pattern)")
                wanted += isWanted ? content.count : 0
            }
            // A segment holds more than the file that is wanted of it.
            if pattern == "f004" || pattern == "nothing" {
                #expect(read < total / 4, "\(reference) \(pattern): \(read) of \(total)")
            }
        }
    }
}
