import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import S3
import Sealing
import Snapshots
import Synchronization
import TestSupport
import Vault
import WireFormat

/// - Parameter workers: none, so that requests come in one order.
func surroundings(_ random: SharedRandom, waited: Waited, workers: Int = 0) -> Surroundings {
    Surroundings(
        systemCalls: .kernel, now: { Int64(time(nil)) * 1000 + waited.milliseconds },
        randomBytes: { random.bytes($0) }, scryptCost: ScryptCost(log2N: 15, r: 8, p: 1),
        workers: workers, identity: [1], hostName: "db1", stopRequested: { nil }, wakeUp: -1,
        progress: { _ in }, warn: { _ in })
}

/// What a client has waited for, by a clock that only it moves.
final class Waited: Sendable {
    private let sum = Atomic<Int64>(0)
    var milliseconds: Int64 { sum.load(ordering: .relaxed) }
    func wait(_ count: Int64) { sum.wrappingAdd(count, ordering: .relaxed) }
}

/// A repository in an object store that misbehaves when it is told to.
final class FarRepository: Sendable {
    let server: FakeS3
    private let plan: Mutex<FakeS3.Plan>
    private let directory = TemporaryDirectory()
    private let random: SharedRandom
    private let waited = Waited()
    private let caches = Atomic(0)
    private let workers: Int

    private let lock: ObjectLock?

    /// - Parameters:
    ///   - seed: different for repositories that must not be the same.
    ///   - lock: asked of a store that keeps it.
    init(
        workers: Int = 0, pageEntries: Int = 3, seed: UInt64 = 0, lock: ObjectLock? = nil
    ) throws {
        self.lock = lock
        random = SharedRandom(seed: testSeed &+ seed)
        self.workers = workers
        let plan = Mutex<FakeS3.Plan>({ _ in nil })
        let current: FakeS3.Plan = { request in plan.withLock { $0 }(request) }
        server = FakeS3(pageEntries: pageEntries, locks: .honored, plan: current)
        self.plan = Mutex({ _ in nil })
        setPlan = { next in plan.withLock { $0 = next } }
        _ = try Vault.create(
            in: store(), with: key(), label: nil, surroundings: surroundings(random, waited: waited),
            cacheParent: nil)
    }

    private let setPlan: @Sendable (@escaping FakeS3.Plan) -> Void

    /// Lets things go wrong while `body` runs.
    func with<Result>(_ next: @escaping FakeS3.Plan, _ body: () throws -> Result) rethrows -> Result
    {
        setPlan(next)
        defer { setPlan { _ in nil } }
        return try body()
    }

    func store() throws -> S3Store {
        let values = ["AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret"]
        let (random, waited) = (random, waited)
        var options = S3Options(
            environment: { values[$0] }, calls: .kernel,
            now: { Int64(time(nil)) * 1000 + waited.milliseconds },
            randomBytes: { random.bytes($0) }, pause: { waited.wait($0) }, stopRequested: { nil })
        options.stallSeconds = 1
        options.objectLock = lock
        return S3Store(
            try S3Location("s3://bucket/backup", endpoint: server.endpoint), options)
    }

    /// A client that saw nothing before, or one that keeps what it learned.
    func open(fresh: Bool = true) throws -> Vault {
        let name = fresh ? "\(caches.wrappingAdd(1, ordering: .relaxed).newValue)" : "kept"
        return try Vault.open(
            store(), with: key(),
            surroundings: surroundings(random, waited: waited, workers: workers),
            cacheParent: Path(directory.path) / name)
    }

    private func key() -> Credential { Credential(.keyFile, Secret(count: 32) { $0[0] = 7 }) }

    func add(_ bytes: [UInt8], to series: String = "shop", fresh: Bool = false) throws -> Snapshot {
        let path = Path(directory.path) / "input"
        unlink("\(path)")
        try bytes.withUnsafeBytes { try Directories(.kernel).create(path, $0, durable: false) }
        return try Operations.add(
            AddRequest(series: series, source: .file(path)), to: open(fresh: fresh)
        ).snapshot
    }

    func path(_ name: String) -> Path { Path(directory.path) / name }

    func cat(_ snapshot: Snapshot) throws -> [UInt8] {
        let path = Path(directory.path) / "output"
        unlink("\(path)")
        let file = try Descriptor(creating: path, calls: .kernel)
        _ = try writeStream(of: snapshot, member: nil, to: file.number, from: open())
        return try Directories(.kernel).contents(of: path, limit: 1 << 30)
    }

    func snapshots() throws -> [Snapshot] { try History.load(open()).snapshots }
}
