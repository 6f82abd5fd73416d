import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import Sealing
import Snapshots
import Synchronization
import TestSupport
import Vault
import WireFormat

/// Surroundings of which nothing is left to chance but the threads.
func testSurroundings(
    seed: UInt64 = testSeed, workers: Int = 2, calls: SystemCalls = .kernel,
    now: @escaping @Sendable () -> Int64 = tick()
) -> Surroundings {
    // Not the seed of a test's own bytes: those would be found again among what is drawn here.
    let random = SharedRandom(seed: seed ^ 0x5EED)
    return Surroundings(
        systemCalls: calls, now: now, randomBytes: { random.bytes($0) },
        scryptCost: ScryptCost(log2N: 15, r: 8, p: 1),
        workers: workers, identity: [1], hostName: "db1", stopRequested: { nil }, wakeUp: -1,
        progress: { _ in },
        warn: { _ in })
}

/// A clock that goes on by a minute each time it is looked at.
func tick(from start: Int64 = 1_790_000_000_000) -> @Sendable () -> Int64 {
    let random = Counter(start)
    return { random.next(adding: 60_000) }
}

final class Counter: Sendable {
    private let value: Atomic<Int64>
    init(_ value: Int64) { self.value = Atomic(value) }
    func next(adding step: Int64) -> Int64 { value.wrappingAdd(step, ordering: .relaxed).newValue }
}

func key(_ byte: UInt8 = 7) -> Credential {
    Credential(.keyFile, Secret(count: 32) { $0[0] = byte })
}

/// A repository in memory or in a directory, made for one test.
struct TestRepository {
    let store: any ObjectStore
    let directory = TemporaryDirectory()
    let surroundings: Surroundings
    private let inputs = Counter(0)

    /// - Parameter store: where it lies; nil for memory, or for a directory of its own.
    init(
        inMemory: Bool = true, store: (any ObjectStore)? = nil,
        surroundings: Surroundings = testSurroundings()
    ) throws {
        self.surroundings = surroundings
        let random = surroundings.randomBytes
        self.store =
            store
            ?? (inMemory
                ? MemoryStore()
                : DirectoryStore(
                    Path(directory.path) / "repository", calls: surroundings.systemCalls,
                    randomBytes: random))
        _ = try Vault.create(
            in: self.store, with: key(), label: nil, surroundings: surroundings, cacheParent: cache)
    }

    /// A repository that is there already.
    init(sharing store: any ObjectStore, surroundings: Surroundings) throws {
        self.surroundings = surroundings
        self.store = store
    }

    var cache: Path { Path(directory.path) / "cache" }

    func open(
        _ credential: consuming Credential = key(), cache: String = "cache",
        through store: (any ObjectStore)? = nil, cacheBytesMax: Int? = nil
    ) throws -> Vault {
        try Vault.open(
            store ?? self.store, with: credential, surroundings: surroundings,
            cacheParent: Path(directory.path) / cache, cacheBytesMax: cacheBytesMax)
    }

    /// Adds bytes as a stream, through a file.
    @discardableResult
    func add(
        _ bytes: [UInt8], to series: String, vault: Vault? = nil,
        _ change: (inout AddRequest) -> Void = { _ in }
    ) throws -> AddOutcome {
        let path = Path(directory.path) / "input-\(inputs.next(adding: 1))"
        try writeFile(bytes, path)
        defer { unlink("\(path)") }
        var request = AddRequest(series: series, source: .file(path))
        change(&request)
        return try Operations.add(request, to: try vault ?? open())
    }

    /// The bytes of a snapshot's stream.
    func cat(_ reference: String, vault: Vault? = nil) throws -> [UInt8] {
        let vault = try vault ?? open()
        let path = Path(directory.path) / "output-\(inputs.next(adding: 1))"
        defer { unlink("\(path)") }
        let file = try Descriptor(creating: path, calls: .kernel)
        let snapshot = try Reference(reference).resolve(
            in: History.load(vault, acceptRollback: false))
        _ = try writeStream(of: snapshot, member: nil, to: file.number, from: vault)
        return try Directories(.kernel).contents(of: path, limit: 1 << 30)
    }

    /// The packs of the shared domain.
    var packs: [ObjectID] {
        get throws {
            try store.list(.packs(.shared)).compactMap {
                if case .pack(_, let id) = $0.name { id } else { nil }
            }
        }
    }

    var objectNames: [ObjectName] {
        get throws {
            try [.config]
                + Folder.Root.allCases.flatMap { try store.list(.all($0)).map { $0.name } }
        }
    }
}

func writeFile(_ bytes: [UInt8], _ path: Path) throws {
    unlink("\(path)")
    try bytes.withUnsafeBytes { try Directories(.kernel).create(path, $0, durable: false) }
}

/// A dump as mariadb-dump writes it: header, rows, trailer.
func mysqlDump(_ random: inout SeededRandom, rowBytes: Int) -> [UInt8] {
    mysqlDump(rows: random.sqlRows(byteCount: rowBytes))
}

func mysqlDump(rows: some Sequence<UInt8>) -> [UInt8] {
    var dump = Array(
        """
        -- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
        --
        -- Host: localhost    Database: shop
        -- ------------------------------------------------------
        -- Server version\t10.11.19-MariaDB-log
        -- CHANGE MASTER TO MASTER_LOG_FILE='mariadb-bin.000003', MASTER_LOG_POS=389;
        /*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
        --
        -- Table structure for table `orders`
        --

        CREATE TABLE `orders` (id int);
        --
        -- Dumping data for table `orders`
        --
        INSERT INTO `orders` VALUES

        """.utf8)
    dump += rows
    dump += Array(
        "(1);\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed on 2026-11-21  4:04:29\n"
            .utf8)
    return dump
}

/// A clock that stands until it is set.
final class SettableClock: Sendable {
    private let value: Atomic<Int64>
    init(_ time: Int64) { value = Atomic(time) }
    var time: Int64 {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }
}
