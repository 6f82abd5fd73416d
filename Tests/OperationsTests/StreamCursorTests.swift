import CLinux
import Files
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test func `a file is given wherever it lies, in chunks, zeros and chunks that repeat`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let block = random.bytes(131_072)
    let content =
        random.bytes(900_000) + [UInt8](repeating: 0, count: 200_000) + block + block + block
        + random.bytes(3_000_000) + [UInt8](repeating: 0, count: 70_000)
    // Small files share chunks, so their edges lie anywhere.
    try Directories(.kernel).make(repository.path("tree"), mode: 0o755)
    var files: [(name: String, bytes: [UInt8])] = []
    var start = 0
    while start < content.count {
        let count = random.number(0...4) == 0 ? random.number(1...400_000) : random.number(1...6000)
        let end = min(content.count, start + count)
        files.append((String(10_000 + files.count), Array(content[start..<end])))
        try writeFile(
            Array(content[start..<end]), repository.path("tree") / files[files.count - 1].name)
        start = end
    }
    _ = try repository.addFiles(FileSelection(paths: [repository.path("tree")]))
    let vault = try repository.open()
    let snapshot = try Reference("files").resolve(in: History.load(vault))
    let prefix = String("\(repository.directory.path)/tree/".drop { $0 == "/" })
    let output = repository.path("output")
    for (name, bytes) in files {
        let file = try Descriptor(creating: output, calls: .kernel)
        _ = try writeStream(
            of: snapshot, member: Path(prefix + name), to: file.number, from: vault)
        #expect(try repository.contents(output) == bytes, "\(name)")
        try Directories(.kernel).remove(output)
    }
}

@Test func `one file of many is given without reading the others`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let store = CountingStore(MemoryStore())
    let repository = try TestRepository(store: store)
    let files = (0..<12).map { (path: "f\($0)", bytes: random.bytes(2_000_000)) }
    try repository.add(
        TestArchive.tar(files.map { .init($0.path, $0.bytes) }), to: "archive")
    try Directories(.kernel).make(repository.path("tree"), mode: 0o755)
    for file in files { try writeFile(file.bytes, repository.path("tree") / file.path) }
    _ = try repository.addFiles(
        FileSelection(paths: [repository.path("tree")]), to: "files")

    let prefix = String("\(repository.directory.path)/tree/".drop { $0 == "/" })
    for (series, prefix) in [("archive", ""), ("files", prefix)] {
        _ = store.take()
        #expect(try repository.cat(member: "\(prefix)f7", of: series) == files[7].bytes)
        // Its own two megabytes, a segment at both ends, directories and the list.
        let read = store.take()
        #expect(read > 2_000_000 && read < 7_000_000, "\(series): \(read)")
    }
}
