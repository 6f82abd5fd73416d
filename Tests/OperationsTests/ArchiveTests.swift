import DumpFormats
import Faults
import Files
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// Two tablespaces and some small files, as a backup finds them night by night.
private struct Backups {
    private var random: SeededRandom
    private(set) var files: [(path: String, bytes: [UInt8])] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        for (path, pages) in [("shop/t.ibd", 160), ("shop/u.ibd", 90), ("base/5/1259", 24)] {
            files.append((path, (0..<pages).flatMap { _ in page() }))
        }
        files.append(("shop/empty.frm", []))
        files.append(("shop/db.opt", Array("default-character-set=utf8mb4\n".utf8)))
        files.append(("ib_logfile0", random.bytes(300_000)))
    }

    private mutating func page() -> [UInt8] {
        random.number(0...9) == 0
            ? [UInt8](repeating: 0, count: 16_384) : random.bytes(16_384)
    }

    /// Some bytes of one page in eight are others.
    mutating func pass() {
        for file in files.indices where files[file].path.contains("/") {
            for page in 0..<(files[file].bytes.count / 16_384) where random.number(0...7) == 0 {
                let place = page * 16_384 + random.number(0...16_000)
                for byte in place..<(place + 20) { files[file].bytes[byte] ^= 0x55 }
            }
        }
    }

    var tar: [UInt8] {
        TestArchive.tar(files.map { TestArchive.Part($0.path, $0.bytes) })
    }

    /// Files in parts, as several threads would send them, in no fixed order.
    mutating func xbstream() -> [UInt8] {
        var left = files.map { (path: $0.path, bytes: $0.bytes[...]) }
        var parts: [TestArchive.Part] = []
        while !left.isEmpty {
            let index = random.number(0...(left.count - 1))
            let offset = left[index].bytes.startIndex
            let part = left[index].bytes.prefix(65_536 * random.number(1...9))
            left[index].bytes.removeFirst(part.count)
            parts.append(TestArchive.Part(left[index].path, Array(part), at: offset))
            if left[index].bytes.isEmpty { left.remove(at: index) }
        }
        return TestArchive.xbstream(parts)
    }
}

private func catMember(_ path: String, _ repository: TestRepository, _ vault: Vault) throws
    -> [UInt8]
{
    let output = Path(repository.directory.path) / "member"
    try Directories(.kernel).remove(output)
    let file = try Descriptor(creating: output, calls: .kernel)
    let snapshot = try Reference("s").resolve(in: History.load(vault, acceptRollback: false))
    _ = try writeStream(of: snapshot, member: Path(path), to: file.number, from: vault)
    return try Directories(.kernel).contents(of: output, limit: 1 << 30)
}

@Test(arguments: [StreamFormat.tar, .xbstream])
func `an archive comes back as it was, and its members as files`(_ format: StreamFormat) throws {
    var backups = Backups(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    for night in 0..<4 {
        let archive = format == .tar ? backups.tar : backups.xbstream()
        let outcome = try repository.add(archive, to: "s", vault: vault)
        #expect(outcome.snapshot.head.format == format.rawValue)
        #expect(outcome.snapshot.head.completeness == .complete)
        #expect(try repository.cat("s", vault: vault) == archive, "night \(night)")
        for (path, bytes) in backups.files {
            #expect(try catMember(path, repository, vault) == bytes, "\(path)")
        }
        let target = Path(repository.directory.path) / "restored\(night)"
        let restored = try restore(
            RestoreRequest(snapshot: outcome.snapshot, target: target), from: vault)
        #expect(restored.notes.isEmpty && restored.files >= backups.files.count)
        for (path, bytes) in backups.files {
            let file = try Directories(.kernel).contents(of: target / Path(path), limit: 1 << 30)
            #expect(file == bytes, "\(path)")
        }
        backups.pass()
    }
    #expect(try check(CheckRequest(readDataPercent: 100), vault).damages.isEmpty)
}

@Test func `pages are deltas of themselves, in whatever order their files come`() throws {
    var backups = Backups(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    try repository.add(backups.xbstream(), to: "s", vault: vault)
    for night in 0..<5 {
        backups.pass()
        let outcome = try repository.add(backups.xbstream(), to: "s", vault: vault)
        #expect(outcome.deltas.frames > 0)
        // A block of two pages costs its twenty bytes and what it takes to name it.
        let part = Double(outcome.deltas.storedBytes) / Double(outcome.deltas.rawBytes)
        #expect(part < 0.02, "night \(night): \(outcome.deltas)")
        // Headers, and nothing of pages, are stored plain.
        let plain = outcome.manifest.head.bytesNew - outcome.deltas.rawBytes
        #expect(plain < 40_000, "night \(night): \(plain)")
    }
}

@Test func `the same files in another archive are known`() throws {
    let backups = Backups(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    try repository.add(backups.tar, to: "s", vault: vault)
    let turned = TestArchive.tar(backups.files.reversed().map { .init($0.path, $0.bytes) })
    let outcome = try repository.add(turned, to: "other", vault: vault)
    #expect(outcome.manifest.head.bytesNew < 60_000, "\(outcome.manifest.head)")
}

@Test func `chosen members are restored, a second name with its content`() throws {
    let backups = Backups(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let outcome = try repository.add(backups.tar, to: "s", vault: vault)
    let target = Path(repository.directory.path) / "some"
    let restored = try restore(
        RestoreRequest(snapshot: outcome.snapshot, target: target, include: ["shop/*.ibd"]),
        from: vault)
    #expect(restored.files == 2)
    #expect(try Directories(.kernel).status(target / "ib_logfile0") == nil)
    let file = try Directories(.kernel).contents(of: target / "shop/u.ibd", limit: 1 << 30)
    #expect(file == backups.files[1].bytes)
    #expect(throws: OperationError.self) { try catMember("shop/none.ibd", repository, vault) }
    // What stands there is left alone unasked.
    #expect(throws: (any Error).self) {
        try restore(
            RestoreRequest(snapshot: outcome.snapshot, target: target, include: ["shop/*.ibd"]),
            from: vault)
    }
}

@Test func `an archive that was mutated comes back as it came`() throws {
    var random = SeededRandom(seed: announcedSeed())
    var backups = Backups(seed: testSeed)
    let (tar, xbstream) = (backups.tar, backups.xbstream())
    var repository = try TestRepository()
    var vault = try repository.open()
    for round in 0..<(isLong ? 10_000 : 200) {
        // What is added looks at all that was added before.
        if round.isMultiple(of: 50) {
            repository = try TestRepository()
            vault = try repository.open()
            try repository.add(tar, to: "s", vault: vault)
        }
        var archive = round.isMultiple(of: 2) ? tar : xbstream
        for _ in 0..<random.number(1...4) {
            let place = random.number(0...(archive.count - 1))
            switch random.number(0...4) {
            case 0: archive[place] ^= UInt8(random.number(1...255))
            case 1:
                archive.removeSubrange(place..<min(place + random.number(1...5000), archive.count))
            case 2: archive.insert(contentsOf: random.bytes(random.number(1...5000)), at: place)
            case 3: archive.removeLast(archive.count - place)
            default:
                // Where headers are.
                let head = random.number(0...3000)
                archive[min(head, archive.count - 1)] ^= UInt8(random.number(1...255))
            }
            if archive.isEmpty { archive = [1] }
        }
        let format: StreamFormat = round.isMultiple(of: 2) ? .tar : .xbstream
        let outcome = try repository.add(archive, to: "s", vault: vault) {
            $0.allowIncomplete = true
            $0.format = format
        }
        #expect(try repository.cat("s", vault: vault) == archive, "round \(round)")
        // Members that are listed can be given.
        guard outcome.manifest.stream(.members) != nil else { continue }
        let target = Path(repository.directory.path) / "round\(round)"
        _ = try restore(RestoreRequest(snapshot: outcome.snapshot, target: target), from: vault)
    }
}

/// A tablespace of so many pages in InnoDB's newer format, with the sums that repo expects: those of
/// a real backup are looked at in PagesTests.
private func tablespace(_ random: inout SeededRandom, pages: Int) -> [UInt8] {
    (0..<pages).flatMap { number in
        var page = random.bytes(16_384)
        page.replaceSubrange(0..<8, with: [0, 0, 0, 0, 0, 0, 0, UInt8(number)])
        page[24] = 0x45
        if number == 0 { page.replaceSubrange(54..<58, with: [0, 0, 0, 0x15]) }
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in page.dropLast(4) {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        let end = page.count - 4
        for byte in 0..<4 { page[end + byte] = UInt8(~sum >> (24 - 8 * byte) & 255) }
        return page
    }
}

@Test func `a damaged page is named, kept in the manifest, and refused where that is asked for`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var file = tablespace(&random, pages: 12)
    func archive() -> [UInt8] {
        TestArchive.xbstream([.init("pad", random.bytes(70_000)), .init("shop/t.ibd", file)])
    }
    let sound = try repository.add(archive(), to: "s", vault: vault)
    #expect(sound.reservations.isEmpty)
    #expect(sound.manifest.facts?.notes.contains("pages sound: 12") == true)
    file[7 * 16_384 + 5000] ^= 1
    let outcome = try repository.add(archive(), to: "s", vault: vault)
    let said = try #require(outcome.reservations.first)
    #expect(said.contains("shop/t.ibd page 7"), "\(said)")
    #expect(outcome.manifest.facts?.notes.contains(said) == true)
    #expect(throws: DamagedPages.self) {
        try repository.add(archive(), to: "s", vault: vault) { $0.strictPages = true }
    }
    #expect(try History.load(vault).snapshots.count == 2)
}

@Test func `what could lead out of the target is not listed, and the rest is restored`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var link = TestArchive.tar([.init("a", [])]).prefix(512)
    // A symbolic link to somewhere, and files below it.
    link[156] = UInt8(ascii: "2")
    link.replaceSubrange(157..<161, with: Array("/tmp".utf8))
    let sum = link.enumerated().reduce(0) {
        $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
    }
    let digits = String(sum, radix: 8)
    link.replaceSubrange(
        148..<154, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
    let files = TestArchive.tar([
        .init("a/below", [1]), .init("b", random.bytes(70_000)), .init("c/d", [2, 3]),
        .init("c", [4]),
    ])
    let archive = Array(link) + files
    let outcome = try repository.add(archive, to: "s", vault: vault) { $0.format = .tar }
    #expect(try repository.cat("s", vault: vault) == archive)
    let notes = outcome.manifest.facts?.notes ?? []
    #expect(notes.contains { $0.hasPrefix("2 members cannot") }, "\(notes)")
    let target = Path(repository.directory.path) / "restored"
    let restored = try restore(
        RestoreRequest(snapshot: outcome.snapshot, target: target), from: vault)
    #expect(restored.files == 3)
    #expect(try Directories(.kernel).status(target / "a")?.kind == .symbolicLink)
    #expect(try Directories(.kernel).contents(of: target / "c/d", limit: 10) == [2, 3])
}

@Test func `a name of any length leaves a snapshot that can be read`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let tar = TestArchive.tar([.init("b", [UInt8](repeating: 7, count: 70_000))])
    // GNU's long name: a member of type L that holds the path of the next one.
    for name in [
        Array("../".utf8) + [UInt8](repeating: 0xFF, count: 65_000),
        Array(String(repeating: "a/", count: 32_000).utf8) + [0x62],
    ] {
        var long = TestArchive.tar([.init("././@LongLink", name)])
        long.removeLast(1024)
        long[156] = UInt8(ascii: "L")
        let sum = long[..<512].enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
        }
        let digits = String(sum, radix: 8)
        let padded = String(repeating: "0", count: 6 - digits.count) + digits
        long.replaceSubrange(148..<154, with: Array(padded.utf8))
        let archive = long + tar
        let outcome = try repository.add(archive, to: "s", vault: vault) { $0.format = .tar }
        #expect(try repository.cat("s", vault: repository.open()) == archive)
        let read = try readManifest(of: outcome.snapshot, in: vault)
        #expect(read.facts?.notes.contains { $0.hasSuffix("not listed") } == true)
    }
}

@Test func `a chunk that is missing from a member keeps it off the list, not out of the archive`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let bytes = random.bytes(200_000)
    let archive = TestArchive.xbstream([
        .init("whole", bytes), .init("gap", Array(bytes[..<50_000])),
        .init("gap", Array(bytes[100_000...]), at: 100_000),
    ])
    let outcome = try repository.add(archive, to: "s", vault: vault)
    #expect(try repository.cat("s", vault: vault) == archive)
    #expect(try catMember("whole", repository, vault) == bytes)
    #expect(throws: OperationError.self) { try catMember("gap", repository, vault) }
    #expect(
        outcome.manifest.facts?.notes.contains { $0.hasPrefix("1 members do not") } == true)
}

@Test func `pages of an archive shorter than its head are looked at, too`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var file = tablespace(&random, pages: 2)
    file[20_000] ^= 1
    let archive = TestArchive.xbstream([.init("shop/t.ibd", file)])
    let outcome = try repository.add(archive, to: "s", vault: vault)
    #expect(outcome.reservations.first?.contains("shop/t.ibd page 1") == true)
    #expect(try repository.cat("s", vault: vault) == archive)
}
