import CLinux
import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

extension TestRepository {
    @discardableResult
    fileprivate func restoreInPlace(
        _ series: String, to path: Path, deletes: Bool = false, include: [String] = [],
        through store: (any ObjectStore)? = nil
    ) throws -> RestoreOutcome {
        let vault = try open(through: store)
        let snapshot = try Reference(series).resolve(in: History.load(vault))
        return try restore(
            RestoreRequest(
                snapshot: snapshot, target: path, include: include, inPlace: true,
                deletes: deletes), from: vault)
    }
}

/// Every path below a directory: kind, mode, time, content or target, and which names are one file.
private func tree(_ top: Path) throws -> [String: String] {
    var found: [String: String] = [:]
    var inodes: [UInt64: String] = [:]
    func walk(_ path: Path, _ name: String) throws {
        let directories = Directories(.kernel)
        guard let status = try directories.status(path) else { return }
        var text = "\(status.kind) \(status.st_mode & 0o7777)"
        switch status.kind {
        case .file:
            let bytes = try directories.contents(of: path, limit: 64 << 20)
            var hasher = Hasher()
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
            text += " \(bytes.count) \(hasher.finalize()) \(status.st_mtim.tv_sec)"
            let first = inodes[UInt64(status.st_ino)] ?? name
            inodes[UInt64(status.st_ino)] = first
            text += " \(first)"
        case .symbolicLink:
            var target = [CChar](repeating: 0, count: 4096)
            let count = SystemCalls.kernel.readlink(path, &target, target.count)
            text += " \(target[..<max(0, count)])"
        case .directory:
            for child in try directories.names(path) ?? [] {
                try walk(path / child, "\(name)/\(child)")
            }
            // What was made in it changed its time until the end.
            text += " \(status.st_mtim.tv_sec)"
        default: break
        }
        found[name] = text
    }
    try walk(top, "")
    return found
}

/// What happens to files between a backup and the day when it is wanted.
private func harm(_ top: Path, _ names: [String], _ random: inout SeededRandom) throws {
    let name = names[random.number(0...(names.count - 1))]
    let path = top / Path(name)
    let directories = Directories(.kernel)
    // What became a directory stays one.
    if try directories.status(path)?.kind == .directory { return }
    switch random.number(0...7) {
    case 0, 1, 2:
        guard try directories.status(path)?.kind == .file else { return }
        let file = try Descriptor(changing: path, calls: .kernel)
        let size = Int(try file.status().st_size)
        guard size > 0 else { return }
        let at = random.number(0...(size - 1))
        try random.bytes(min(size - at, 1 + at % 5000)).withUnsafeBytes {
            try file.write($0, at: at)
        }
    case 3:
        guard try directories.status(path)?.kind == .file else { return }
        let file = try Descriptor(changing: path, calls: .kernel)
        try file.truncate(to: random.number(0...300_000))
    case 4: try directories.remove(path)
    case 5:
        try directories.remove(path)
        #expect(symlink("/etc/passwd", "\(path)") == 0)
    case 6:
        try directories.remove(path)
        #expect(mkdir("\(path)", 0o700) == 0)
        try writeFile([1], path / "inside")
    default:
        // A second name for what should be two files.
        let other = top / Path(names[random.number(0...(names.count - 1))])
        guard other != path, try directories.status(other)?.kind == .file else { return }
        try directories.remove(path)
        _ = link("\(other)", "\(path)")
    }
}

private func fill(_ top: Path, _ random: inout SeededRandom) throws -> [String] {
    #expect(mkdir("\(top)", 0o755) == 0)
    #expect(mkdir("\(top / "d")", 0o750) == 0)
    var names: [String] = []
    for (number, size) in [0, 5, 3000, 8192, 40_000, 100_000, 262_144, 700_000].enumerated() {
        for directory in ["", "d/"] {
            let name = "\(directory)f\(number)"
            var bytes = random.bytes(size)
            if number == 6 { bytes.replaceSubrange(30_000..<200_000, with: repeatElement(0, count: 170_000)) }
            try writeFile(bytes, top / Path(name))
            names.append(name)
        }
    }
    #expect(link("\(top / "f3")", "\(top / "d/second")") == 0)
    #expect(symlink("f1", "\(top / "link")") == 0)
    return names + ["d/second", "link"]
}

@Test func `files that were harmed in any way are put right in place`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let source = repository.path("source")
    let names = try fill(source, &random)
    let wanted = try tree(source)
    let below = Path(bytes: Array(source.bytes.dropFirst()))
    _ = try repository.addFiles(FileSelection(paths: [source]))
    let target = repository.path("out")
    try repository.restoreInPlace("files", to: target)
    #expect(try tree(target / below) == wanted, "into nothing")
    for round in 0..<20 {
        for _ in 0..<random.number(1...6) { try harm(target / below, names, &random) }
        try repository.restoreInPlace("files", to: target, deletes: true)
        #expect(try tree(target / below) == wanted, "round \(round)")
    }
    #expect(try repository.restoreInPlace("files", to: target).inPlace?.written == 0)
}

@Test func `what the snapshot does not have stays unless it may go, and only in its directories`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let source = repository.path("source")
    _ = try fill(source, &random)
    let wanted = try tree(source)
    let below = Path(bytes: Array(source.bytes.dropFirst()))
    _ = try repository.addFiles(FileSelection(paths: [source]))
    let target = repository.path("out")
    try repository.restoreInPlace("files", to: target)
    try writeFile([1], target / "mine")
    try writeFile([1], (target / below).parent / "mine")
    try writeFile([1], target / below / "extra")
    #expect(mkdir("\(target / below / "d/more")", 0o700) == 0)
    try writeFile([1], target / below / "d/more/inside")

    let kept = try repository.restoreInPlace("files", to: target)
    #expect(kept.notes.contains { $0.hasPrefix("2 more") }, "\(kept.notes)")
    #expect(try Directories(.kernel).status(target / below / "d/more/inside") != nil)
    try repository.restoreInPlace("files", to: target, deletes: true)
    #expect(try tree(target / below) == wanted)
    #expect(try Directories(.kernel).status(target / "mine") != nil)
    #expect(try Directories(.kernel).status((target / below).parent / "mine") != nil)
}

@Test func `nothing is written through a link, and nothing where a directory stands unasked`() throws {
    let repository = try TestRepository()
    let source = repository.path("source")
    #expect(mkdir("\(source)", 0o700) == 0)
    try writeFile([1, 2, 3], source / "a")
    let below = Path(bytes: Array(source.bytes.dropFirst()))
    _ = try repository.addFiles(FileSelection(paths: [source]))
    let target = repository.path("out")
    try repository.restoreInPlace("files", to: target)
    try writeFile([9, 9, 9], repository.path("victim"))
    let directories = Directories(.kernel)
    try directories.remove(target / below / "a")
    #expect(symlink("\(repository.path("victim"))", "\(target / below / "a")") == 0)
    try repository.restoreInPlace("files", to: target)
    #expect(try repository.contents(repository.path("victim")) == [9, 9, 9])
    #expect(try directories.status(target / below / "a")?.kind == .file)

    try directories.remove(target / below / "a")
    #expect(mkdir("\(target / below / "a")", 0o700) == 0)
    try writeFile([7], target / below / "a/inside")
    #expect(throws: OperationError.self) { try repository.restoreInPlace("files", to: target) }
    #expect(try repository.contents(target / below / "a/inside") == [7])
}

@Test func `a stream becomes the file again, whatever it became`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let dump = mysqlDump(&random, rowBytes: 2_000_000)
    try repository.add(dump, to: "shop")
    let target = repository.path("shop.sql")
    try repository.restoreInPlace("shop", to: target)
    #expect(try repository.contents(target) == dump)
    for _ in 0..<8 {
        try harm(repository.path("."), ["shop.sql"], &random)
        guard try Directories(.kernel).status(target)?.kind == .file else {
            unlink("\(target / "inside")")
            _ = rmdir("\(target)")
            unlink("\(target)")
            try repository.restoreInPlace("shop", to: target)
            continue
        }
        try repository.restoreInPlace("shop", to: target)
        #expect(try repository.contents(target) == dump)
    }
    let file = try Descriptor(changing: target, calls: .kernel)
    try [UInt8](repeating: 35, count: 10).withUnsafeBytes { try file.write($0, at: 1_000_000) }
    let outcome = try repository.restoreInPlace("shop", to: target)
    #expect((outcome.inPlace?.written ?? 0) <= 128 << 10)
}

@Test(arguments: ["tar", "xbstream"])
func `members of an archive are put right in place`(_ kind: String) throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var members: [(String, [UInt8])] = []
    for (number, size) in [10, 3000, 50_000, 163_840, 1_000_000].enumerated() {
        members.append(("shop/t\(number).ibd", random.bytes(size)))
    }
    var parts: [TestArchive.Part] = []
    for (name, bytes) in members {
        for start in stride(from: 0, to: bytes.count, by: kind == "tar" ? bytes.count : 60_000) {
            let end = kind == "tar" ? bytes.count : min(bytes.count, start + 60_000)
            parts.append(.init(name, Array(bytes[start..<end]), at: start))
        }
    }
    // Parts of one file stay in order; others come between.
    let mixed = parts.sorted { ($0.offset, $0.path) < ($1.offset, $1.path) }
    let archive = kind == "tar" ? TestArchive.tar(parts) : TestArchive.xbstream(mixed)
    try repository.add(archive, to: "phys")
    let target = repository.path("out")
    try repository.restoreInPlace("phys", to: target)
    let wanted = try tree(target)
    for (name, bytes) in members { #expect(try repository.contents(target / Path(name)) == bytes) }
    for round in 0..<12 {
        for _ in 0..<random.number(1...3) { try harm(target, members.map { $0.0 }, &random) }
        try writeFile([1], target / "extra")
        try repository.restoreInPlace("phys", to: target, deletes: true)
        for (name, bytes) in members {
            #expect(
                try repository.contents(target / Path(name)) == bytes, "round \(round), \(name)")
        }
        #expect(try tree(target).keys.sorted() == wanted.keys.sorted())
    }
    #expect(try repository.restoreInPlace("phys", to: target).inPlace?.written == 0)
}

@Test func `only some files are put right where only some are wanted`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let source = repository.path("source")
    _ = try fill(source, &random)
    let below = Path(bytes: Array(source.bytes.dropFirst()))
    _ = try repository.addFiles(FileSelection(paths: [source]))
    let target = repository.path("out")
    // `d/second` is another name of `f3`, which comes later in the catalog.
    try repository.restoreInPlace("files", to: target, include: ["*/d/*"])
    #expect(
        try repository.contents(target / below / "d/second") == repository.contents(source / "f3"))
    #expect(try Directories(.kernel).status(target / below / "f3") == nil)
    try writeFile([1, 2], target / below / "d/f5")
    try repository.restoreInPlace("files", to: target, include: ["f5"])
    for name in ["d/f5", "f5"] {
        #expect(
            try repository.contents(target / below / Path(name))
                == repository.contents(source / Path(name)))
    }
}

@Test func `somebody who goes on writing to it is noticed`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let dump = mysqlDump(&random, rowBytes: 600_000)
    let target = Path("\(TemporaryDirectory().path)-busy")
    defer { unlink("\(target)") }
    // Whenever the file is flushed somebody writes to it.
    let gate = GatedCalls { call, _ in
        guard call.name == "fsync", call.path == target,
            let file = try? Descriptor(changing: target, calls: .kernel)
        else { return nil }
        try? [UInt8](repeating: 1, count: 4).withUnsafeBytes { try file.write($0, at: 300_000) }
        return nil
    }
    let repository = try TestRepository(surroundings: testSurroundings(calls: gate.calls))
    try repository.add(dump, to: "shop")
    #expect(throws: ChangedWhileRestored.self) {
        try repository.restoreInPlace("shop", to: target)
    }
}
