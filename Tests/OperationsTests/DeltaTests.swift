import Faults
import Files
import Glibc
import Operations
import PackStore
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

private let nights = isLong ? 30 : 12

@Test(arguments: 1...8, [0, 2])
func `nights made of deltas come back bit for bit, in any order, whatever was forgotten`(
    depth: Int, workers: Int
) throws {
    let seed = announcedSeed() &+ UInt64(depth * 10 + workers)
    var random = SeededRandom(seed: seed)
    let limits = DeltaLimits(
        depth: depth, closureFrames: random.number(2...64),
        closureBytes: random.number(1...12) << 20)
    let repository = try TestRepository(surroundings: testSurroundings(workers: workers))
    let vault = try repository.open()
    var table = Nights(
        seed: seed &+ 1, byteCount: 400_000...1_500_000, isDump: depth.isMultiple(of: 2))
    var saved: [(id: String, stream: [UInt8])] = []
    var born: [ObjectID: Int] = [:]
    for night in 0..<nights {
        let stream = table.stream
        let outcome = try repository.add(stream, to: "shop", vault: vault) {
            $0.deltaLimits = limits
            // Edits anywhere leave dumps that nobody would call whole.
            $0.allowIncomplete = true
            $0.parent = saved.last.map { Reference($0.id) }
        }
        let id = outcome.snapshot.id.description
        #expect(try repository.cat(id, vault: vault) == stream, "night \(night)")
        for pack in try repository.packs where born[pack] == nil { born[pack] = night }
        saved.append((id, stream))
        table.pass()
    }
    let audit = try DeltaAudit(vault, born: born, limits: limits)
    #expect(audit.problems.isEmpty, "\(audit.problems.prefix(3))")
    print("\(limits): \(audit)")
    #expect(audit.dataDeltas > nights, "\(audit)")
    #expect(audit.greatestDepth >= min(depth, 3) || limits.closureFrames < 8, "\(audit)")
    let (looked, useless) = try uselessDeltas(vault)
    #expect(looked > 0 && useless.isEmpty, "of \(looked): \(useless.prefix(3))")

    // A reader that has seen none of it yet.
    let other = try repository.open(cache: "other")
    for (id, stream) in saved.shuffled(using: &random) {
        #expect(try repository.cat(id, vault: other) == stream)
    }
    let earlier = saved.prefix(nights / 2).map { Reference($0.id) }
    _ = try forget(ForgetRequest(references: earlier, allowEmpty: true), in: vault)
    for (id, stream) in saved.dropFirst(nights / 2).shuffled(using: &random) {
        #expect(try repository.cat(id, vault: vault) == stream)
    }
    let outcome = try check(CheckRequest(readDataPercent: 100), vault)
    #expect(outcome.exitCode == .done && outcome.damages.isEmpty, "\(outcome)")
}

@Test func `random bytes against a random parent make no delta`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    for _ in 0..<3 {
        let outcome = try repository.add(random.bytes(1_500_000), to: "s")
        #expect(outcome.deltas == (0, 0, 0))
    }
    let audit = try DeltaAudit(repository.open())
    #expect(audit.dataDeltas + audit.inlineDeltas == 0)
}

@Test func `a stream that is nearly its parent costs little more than its changes`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var stream = random.bytes(4_000_000)
    let first = try repository.add(stream, to: "s")
    for _ in 0..<100 { stream[random.number(0...(stream.count - 1))] ^= 1 }
    let second = try repository.add(stream, to: "s")
    #expect(second.deltas.frames > 10 && second.deltas.storedBytes < 60 * 100)
    // Directories name every new chunk by 25 bytes, and padding adds an eighth.
    let bound = second.deltas.storedBytes + 40 * second.chunksNew + 8000
    #expect(second.snapshot.head.bytesStored < bound)
    #expect(second.snapshot.head.bytesStored * 100 < first.snapshot.head.bytesStored)
    #expect(try repository.cat("s") == stream)
}

@Test func `without limits no deltas are made`() throws {
    let repository = try TestRepository()
    var table = Nights(seed: announcedSeed(), byteCount: 400_000...600_000)
    for _ in 0..<3 {
        let outcome = try repository.add(table.stream, to: "s") { $0.deltaLimits = nil }
        #expect(outcome.deltas == (0, 0, 0))
        #expect(try repository.cat("s") == table.stream)
        table.pass()
    }
    let audit = try DeltaAudit(repository.open())
    #expect(audit.dataDeltas + audit.inlineDeltas + audit.listDeltas == 0)
}

@Test func `a large file changed a little is stored as deltas, and restored whole`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let tree = repository.path("tree")
    #expect(mkdir("\(tree)", 0o700) == 0)
    var table = Nights(seed: testSeed &+ 1, byteCount: 2_000_000...3_000_000)
    var files = ["a": random.bytes(50_000), "large": table.stream, "z": random.bytes(300)]
    for (name, bytes) in files { try writeFile(bytes, tree / Path(name)) }
    _ = try repository.addFiles(FileSelection(paths: [tree]))
    for night in 1...3 {
        table.pass()
        files["large"] = table.stream
        // What stands before it has grown: nothing lies where it lay.
        files["a"]?.append(contentsOf: random.bytes(10_000))
        for (name, bytes) in files { try writeFile(bytes, tree / Path(name)) }
        let outcome = try repository.addFiles(FileSelection(paths: [tree]))
        #expect(outcome.deltas.frames > 0, "night \(night)")
        try repository.restoreFiles(to: "out\(night)")
        let below = Path(bytes: Array("\(tree)".utf8.dropFirst()))
        for (name, bytes) in files {
            let restored = repository.path("out\(night)") / below / Path(name)
            #expect(try repository.contents(restored) == bytes, "night \(night), \(name)")
        }
    }
    let audit = try DeltaAudit(repository.open())
    #expect(audit.problems.isEmpty, "\(audit.problems.prefix(3))")
}

@Test func `small adds hold deltas in their manifests, and nothing stands on those`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var stream = random.sqlRows(byteCount: 600_000)
    try repository.add(stream, to: "s")
    var inline = 0
    for night in 1...6 {
        // Night after night in the same place: what is new stands in what last night's manifest
        // holds.
        for place in [1000, 300_000 + night] { stream[place] = UInt8(random.number(0x61...0x7a)) }
        let outcome = try repository.add(stream, to: "s")
        if outcome.manifest.inline != nil { inline += 1 }
        // As little as on the first of them, though it stands on nothing that is carried.
        #expect(outcome.deltas.rawBytes == outcome.snapshot.head.bytesNew, "night \(night)")
        #expect(outcome.snapshot.head.bytesStored < 3000, "night \(night)")
        #expect(try repository.cat("s") == stream)
    }
    let audit = try DeltaAudit(repository.open())
    #expect(audit.problems.isEmpty, "\(audit.problems.prefix(3))")
    #expect(inline == 6 && audit.inlineDeltas > 0, "\(inline), \(audit.inlineDeltas)")
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .done)
}

@Test func `the list of a stream is stored as deltas, too`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var stream = mysqlDump(&random, rowBytes: 40_000_000)
    func listBytes() throws -> Int {
        let context = try vault.requiredContext(.shared)
        return try repository.packs.reduce(0) { sum, id in
            let (_, pack) = try PackDirectories.read(id, context)
            return sum + (pack.contentClass == .list ? pack.fileBytes : 0)
        }
    }
    let first = try repository.add(stream, to: "s", vault: vault)
    #expect(first.chunks > 2000)
    let before = try listBytes()
    // No node of the list is spared: the one is as long as the other.
    for place in stride(from: 5000, to: stream.count, by: 400_000) {
        let digit = stream[place...].firstIndex { (0x30...0x39).contains($0) }
        stream[try #require(digit)] ^= 1
    }
    try repository.add(stream, to: "s", vault: vault)
    let added = try listBytes() - before
    print("the list took \(before) bytes, then \(added)")
    #expect(added > 0 && added * 4 < before)
    #expect(try DeltaAudit(vault).listDeltas > 0)
    #expect(try repository.cat("s", vault: vault) == stream)
}
