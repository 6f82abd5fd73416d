import CLinux
import Faults
import Files
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// What differs, a line each, in the order of the lines: `M path mode`.
private func differences(_ first: Snapshot, _ second: Snapshot, _ vault: Vault) throws -> [String] {
    var lines: [String] = []
    let outcome = try diff(first, second, in: vault) { difference in
        let mark =
            switch difference.change {
            case .added: "+"
            case .removed: "-"
            case .content: "M"
            case .metadata: "m"
            }
        let name =
            switch difference.subject {
            case .path(let path): String(decoding: path, as: UTF8.self)
            case .table(let space, let name): "\(space).\(name)"
            case .outsideTables: "outside"
            }
        let aspects = difference.change == .metadata ? difference.metadata.map { $0.rawValue } : []
        lines.append(([mark, name] + aspects).joined(separator: " "))
    }
    let told = outcome.added + outcome.removed + outcome.content + outcome.metadata
    #expect(told == lines.filter { $0 != "M outside" }.count)
    return lines.sorted()
}

/// A tree of files as a model and on disk.
private struct Tree {
    private(set) var files: [String: [UInt8]] = [:]
    private let repository: TestRepository
    private let tops: [String]

    init(_ repository: TestRepository, tops: [String]) throws {
        self.repository = repository
        self.tops = tops
        for top in tops { try Directories(.kernel).make(repository.path(top), mode: 0o755) }
    }

    mutating func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws {
        let path = repository.path(name)
        try writeFile(bytes, path)
        files[name] = bytes
        // The same time for all: what is written anew need not look so.
        #expect(SystemCalls.kernel.changeMode(path, mode) == 0)
        #expect(SystemCalls.kernel.setTimes(path, 1_700_000_000, 0) == 0)
    }

    mutating func remove(_ name: String) throws {
        try Directories(.kernel).remove(repository.path(name))
        files[name] = nil
    }

    /// - Parameter tops: in the order in which they are given.
    func save(_ tops: [String]? = nil, vault: Vault? = nil) throws -> Snapshot {
        for top in self.tops {
            #expect(SystemCalls.kernel.setTimes(repository.path(top), 1_700_000_000, 0) == 0)
        }
        let paths = (tops ?? self.tops).map { repository.path($0) }
        let request = AddRequest(series: "t", source: .files(FileSelection(paths: paths)))
        return try add(request, to: try vault ?? repository.open()).snapshot
    }
}

extension TestRepository {
    /// What paths in a catalog begin with.
    fileprivate var prefix: String { String("\(directory.path)/".drop { $0 == "/" }) }
}

@Test func `files that were added, removed and changed are told apart`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var tree = try Tree(repository, tops: ["tree"])
    for (name, count) in [
        ("same", 100_000), ("changed", 100_000), ("longer", 10), ("gone", 5), ("touched", 30),
        ("closed", 40), ("small", 100), ("linked", 20_000),
    ] { try tree.write("tree/\(name)", random.bytes(count)) }
    let link = repository.path("tree/link")
    #expect(SystemCalls.kernel.symlink("same", link) == 0)
    #expect(SystemCalls.kernel.setTimes(link, 1_700_000_000, 0) == 0)
    let linked = repository.path("tree/linked")
    #expect(SystemCalls.kernel.link(linked, repository.path("tree/second")) == 0)
    let first = try tree.save()
    #expect(try differences(first, first, vault).isEmpty)

    var changed = tree.files["tree/changed"] ?? []
    changed[50_000] ^= 1
    try tree.write("tree/changed", changed)
    try tree.write("tree/longer", random.bytes(11))
    try tree.write("tree/small", random.bytes(100))
    try tree.write("tree/new", [])
    try tree.write("tree/closed", tree.files["tree/closed"] ?? [], mode: 0o600)
    try tree.remove("tree/gone")
    #expect(
        SystemCalls.kernel.setTimes(repository.path("tree/touched"), 1_700_000_001, 0) == 0)
    try Directories(.kernel).remove(link)
    #expect(SystemCalls.kernel.symlink("small", link) == 0)
    #expect(SystemCalls.kernel.setTimes(link, 1_700_000_000, 0) == 0)
    // A name that now comes first makes a second name of the one that was first.
    #expect(SystemCalls.kernel.link(linked, repository.path("tree/a")) == 0)
    let second = try tree.save()
    func named(_ lines: [String]) -> [String] {
        lines.map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return "\(parts[0]) \(repository.prefix)tree/\(parts[1])"
        }.sorted()
    }
    #expect(
        try differences(first, second, vault)
            == named([
                "+ a", "+ new", "- gone", "M changed", "M longer", "M small", "m closed mode",
                "m link target", "m linked link", "m second link", "m touched time",
            ]))
    #expect(
        try differences(second, first, vault)
            == named([
                "- a", "- new", "+ gone", "M changed", "M longer", "M small", "m closed mode",
                "m link target", "m linked link", "m second link", "m touched time",
            ]))
}

/// Changes that a model knows, on files of all sizes, given in another order the second time.
@Test func `what differs is what was changed, whatever shares chunks and in whatever order`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<6 {
        let repository = try TestRepository()
        let vault = try repository.open()
        let tops = ["c", "a", "b"]
        var tree = try Tree(repository, tops: tops)
        for number in 0..<120 {
            let size = [0, 1, 300, 4000, 8191, 8192, 20_000, 150_000][random.number(0...7)]
            let bytes =
                random.number(0...5) == 0
                ? [UInt8](repeating: 0, count: size) : random.bytes(size)
            try tree.write("\(tops[number % 3])/\(number)", bytes)
        }
        let before = tree.files
        let first = try tree.save()
        for name in before.keys.sorted() where random.number(0...3) == 0 {
            var bytes = before[name] ?? []
            switch random.number(0...4) {
            case 0: try tree.remove(name)
            case 1: bytes.insert(7, at: random.number(0...bytes.count))
            case 2 where !bytes.isEmpty: bytes[random.number(0...(bytes.count - 1))] ^= 0x20
            case 3: try tree.write(name + "x", bytes)
            default: break
            }
            if tree.files[name] != nil { try tree.write(name, bytes) }
        }
        let second = try tree.save(["b", "c", "a"])
        let after = tree.files
        var wanted: [String] = []
        for name in Set(before.keys).union(after.keys) where before[name] != after[name] {
            let mark = before[name] == nil ? "+" : after[name] == nil ? "-" : "M"
            wanted.append("\(mark) \(repository.prefix)\(name)")
        }
        #expect(try differences(first, second, vault) == wanted.sorted())
    }
}

@Test func `files that are the same, or other in whole chunks, are told without a byte of them`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var tree = try Tree(repository, tops: ["tree"])
    // Zeros make a run of their own, and one chunk many times over repeats.
    let block = random.bytes(1 << 20)
    try tree.write("tree/1", random.bytes(3_000_000))
    try tree.write("tree/2", [UInt8](repeating: 0, count: 2_000_000) + random.bytes(10_000))
    try tree.write("tree/3", block + block + block)
    for number in 100..<150 { try tree.write("tree/\(number)", random.bytes(900)) }
    let first = try tree.save()
    var bytes = tree.files["tree/1"] ?? []
    bytes[2_000_000] ^= 1
    try tree.write("tree/1", bytes)
    let second = try tree.save()
    _ = try repository.open().addKey(.maintain, key(4), label: nil)
    let keeper = try repository.open(key(4), cache: "keeper")
    #expect(try differences(first, second, keeper) == ["M \(repository.prefix)tree/1"])
    // Where bytes must be read, a key that opens none says so.
    try tree.write("tree/120", random.bytes(900))
    let third = try tree.save()
    #expect(throws: SealingError.self) { try differences(second, third, keeper) }
    #expect(
        try differences(second, third, repository.open()) == ["M \(repository.prefix)tree/120"])
}

@Test func `files written with another key are compared by reading them`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    _ = try repository.open().addKey(.write, key(2), label: nil)
    let vault = try repository.open()
    var tree = try Tree(repository, tops: ["tree"])
    for (number, size) in [10, 5000, 100_000, 700_000].enumerated() {
        try tree.write("tree/\(number)", random.bytes(size))
    }
    let first = try tree.save()
    try tree.write("tree/1", random.bytes(5000))
    let second = try tree.save(vault: repository.open(key(2), cache: "writer"))
    #expect(first.domain != second.domain)
    #expect(try differences(first, second, vault) == ["M \(repository.prefix)tree/1"])

    // The names of chunks say nothing of streams then.
    let bytes = random.bytes(100_000)
    let own = try repository.add(bytes, to: "s").snapshot
    let others = try repository.add(
        bytes, to: "s", vault: repository.open(key(2), cache: "writer")
    ).snapshot
    let error = #expect(throws: OperationError.self) { try differences(own, others, vault) }
    #expect(error?.message.contains("written with different keys") == true)
    let shape = #expect(throws: OperationError.self) { try differences(first, own, vault) }
    #expect(shape?.message.contains("\(first.id.short) holds files") == true)
    #expect(throws: OperationError.self) { try differences(own, first, vault) }
}

@Test func `members of archives are compared whatever their order`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var files = [
        ("d/t.ibd", 40 * 16_384), ("d/u.ibd", 30 * 16_384), ("note", 200), ("log", 90_000),
    ]
    .map { (path: $0.0, bytes: random.bytes($0.1)) }
    func tar(_ files: [(path: String, bytes: [UInt8])]) -> [UInt8] {
        TestArchive.tar(files.map { .init($0.path, $0.bytes) })
    }
    /// Pages one by one, those of all files in turn.
    func xbstream(_ files: [(path: String, bytes: [UInt8])]) -> [UInt8] {
        var parts: [TestArchive.Part] = []
        for start in stride(from: 0, to: 700_000, by: 65_536) {
            for file in files where start < file.bytes.count {
                parts.append(
                    .init(file.path, Array(file.bytes[start...].prefix(65_536)), at: start))
            }
        }
        return TestArchive.xbstream(parts)
    }
    let first = try repository.add(tar(files), to: "tar", vault: vault).snapshot
    let stream = try repository.add(xbstream(files), to: "xb", vault: vault).snapshot
    files.reverse()
    let turned = try repository.add(tar(files), to: "tar", vault: vault).snapshot
    #expect(try differences(first, turned, vault).isEmpty)
    let place = try #require(files.firstIndex { $0.path == "d/u.ibd" })
    files[place].bytes[200_000] ^= 1
    files.append((path: "new", bytes: random.bytes(70_000)))
    let second = try repository.add(tar(files), to: "tar", vault: vault).snapshot
    #expect(try differences(first, second, vault) == ["+ new", "M d/u.ibd"])
    let later = try repository.add(xbstream(files), to: "xb", vault: vault).snapshot
    #expect(try differences(stream, later, vault) == ["+ new", "M d/u.ibd"])
}

/// A dump of some tables, as mariadb-dump writes it.
private func dump(_ tables: [(name: String, rows: [UInt8])], date: String) -> [UInt8] {
    var dump = Array(
        """
        -- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
        --
        -- Host: localhost    Database: shop
        -- ------------------------------------------------------
        -- Server version\t10.11.19-MariaDB-log
        -- CHANGE MASTER TO MASTER_LOG_FILE='mariadb-bin.000003', MASTER_LOG_POS=\(date.count);
        /*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

        """.utf8)
    for (name, rows) in tables {
        dump += Array(
            """
            --
            -- Table structure for table `\(name)`
            --

            CREATE TABLE `\(name)` (id int);
            --
            -- Dumping data for table `\(name)`
            --
            INSERT INTO `\(name)` VALUES

            """.utf8)
        dump += rows + Array("(1);\n".utf8)
    }
    return dump
        + Array(
            "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed on \(date)\n".utf8)
}

@Test func `of a dump the tables are named that changed, and no neighbors`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    var tables = [("a", 500), ("b", 700), ("big", 600_000), ("c", 900), ("last", 300)]
        .map { (name: $0.0, rows: random.sqlRows(byteCount: $0.1)) }
    let first = try repository.add(
        dump(tables, date: "2026-11-21  4:04:29"), to: "s", vault: vault
    ).snapshot
    let same = try repository.add(
        dump(tables, date: "2026-11-22  4:04:29"), to: "s", vault: vault
    ).snapshot
    #expect(try differences(first, same, vault) == ["M outside"])

    // One letter in the middle of each: of a large table, and of one that shares its chunk.
    let place = try #require(tables[2].rows[300_000...].firstIndex(of: UInt8(ascii: "'"))) + 1
    tables[2].rows[place] ^= 1
    tables[3].rows[400] ^= 1
    let changed = try repository.add(
        dump(tables, date: "2026-11-22  4:04:29"), to: "s", vault: vault
    ).snapshot
    #expect(
        try differences(same, changed, vault).filter { $0 != "M outside" } == [
            "M shop.big", "M shop.c",
        ])
    var bytes: [String: (new: Int, gone: Int)] = [:]
    let outcome = try diff(same, changed, in: vault) {
        if case .table(_, let name) = $0.subject { bytes[name] = $0.chunkBytes }
    }
    let big = try #require(bytes["big"])
    #expect((1...140_000).contains(big.new) && (1...140_000).contains(big.gone), "\(big)")
    let streams = try #require(outcome.streamBytes)
    #expect(streams.common + streams.new == changed.head.bytesRead)
    #expect(outcome.unchanged == 3)

    tables[0].name = "z"
    let renamed = try repository.add(
        dump(tables, date: "2026-11-22  4:04:29"), to: "s", vault: vault
    ).snapshot
    #expect(
        try differences(changed, renamed, vault).filter { $0 != "M outside" } == [
            "+ shop.z", "- shop.a",
        ])
}

@Test func `of other streams the bytes are told that both have`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let zeros = [UInt8](repeating: 0, count: 300_000)
    let (one, two, three) = (random.bytes(900_000), random.bytes(800_000), random.bytes(700_000))
    let first = try repository.add(one + zeros + two, to: "s", vault: vault).snapshot
    let second = try repository.add(one + three + zeros + zeros, to: "s", vault: vault).snapshot
    for (a, b) in [(first, second), (second, first)] {
        let outcome = try diff(a, b, in: vault) { Issue.record("\($0) is no table") }
        let bytes = try #require(outcome.streamBytes)
        #expect(bytes.common + bytes.new == b.head.bytesRead)
        #expect(bytes.common + bytes.gone == a.head.bytesRead)
        // But for a chunk at an edge.
        #expect((1_000_000...1_200_000).contains(bytes.common), "\(bytes)")
    }
    let outcome = try diff(second, second, in: vault) { Issue.record("\($0)") }
    #expect(outcome.isSame && outcome.streamBytes?.common == second.head.bytesRead)
    // One chunk again and again is as long as it says.
    let block = random.bytes(131_072)
    let few = try repository.add(block + block, to: "r", vault: vault).snapshot
    let many = try repository.add(block + block + block + block, to: "r", vault: vault).snapshot
    let repeated = try diff(few, many, in: vault) { Issue.record("\($0)") }
    #expect(repeated.streamBytes.map { $0.common + $0.new } == 4 * 131_072)
}

@Test func `a catalog that says more than there is ends a comparison with an error`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    for time in [1, 2] {
        var entries = ["a", "b"].map { CatalogEntry(path: Array($0.utf8), kind: 1) }
        entries[0].byteCount = time
        try repository.commit([entries[0]])
        entries[0].byteCount = 1 << 62
        entries[1].byteCount = 1 << 62
        try repository.commit(entries, to: "long")
    }
    let snapshots = try History.load(vault).snapshots
    let (files, long) = (
        snapshots.filter { $0.head.series == "files" },
        snapshots.filter { $0.head.series == "long" }
    )
    // Lengths differ: nothing is looked at.
    #expect(try differences(files[0], files[1], vault) == ["M a"])
    #expect(throws: WireError.self) { try differences(files[0], files[0], vault) }
    #expect(throws: WireError.self) { try differences(long[0], long[1], vault) }
}
