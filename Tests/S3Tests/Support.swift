import Faults
import Files
import Glibc
import ObjectStorage
import S3
import Synchronization
import TestSupport
import WireFormat

/// A client of a store, for which time goes by only where it waits.
func options(
    now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) * 1000 },
    waited: Counter = Counter()
) -> S3Options {
    let random = SharedRandom(seed: testSeed)
    let values = [
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    ]
    return S3Options(
        environment: { values[$0] }, calls: .kernel, now: { now() + waited.value },
        randomBytes: { random.bytes($0) }, pause: { waited.add($0) }, stopRequested: { nil })
}

/// What is added up by several threads.
final class Counter: Sendable {
    private let sum = Atomic<Int64>(0)
    var value: Int64 { sum.load(ordering: .relaxed) }
    func add(_ count: Int64) { sum.wrappingAdd(count, ordering: .relaxed) }
}

func store(
    _ server: FakeS3, prefix: String = "some/prefix", _ options: S3Options = options()
) throws -> S3Store {
    S3Store(try S3Location("s3://bucket/\(prefix)", endpoint: server.endpoint), options)
}

/// The stores of this room: of our own making, and where variables name one, a real one.
enum StoreKind: CaseIterable, Sendable {
    /// One that knows `If-None-Match`, and one that does not.
    case conditional, plain
    /// REPO_TEST_S3_ENDPOINT, REPO_TEST_S3_BUCKET and the usual AWS_ variables.
    case server

    static let allCases: [StoreKind] =
        variable("REPO_TEST_S3_ENDPOINT") == nil ? [.conditional, .plain] : [.server]

    /// Those that put no object over another.
    static let guarding: [StoreKind] =
        variable("REPO_TEST_S3_ENDPOINT") == nil
        ? [.conditional] : variable("REPO_TEST_S3_CONDITIONAL") == nil ? [] : [.server]

    /// An empty store and what keeps it alive.
    func make() throws -> (store: any ObjectStore, holder: FakeS3?) {
        switch self {
        case .conditional, .plain:
            // Short pages: every listing of more than a few has several.
            let server = FakeS3(isConditional: self == .conditional, pageEntries: 7)
            return (try S3Tests.store(server), server)
        case .server:
            var options = S3Tests.options()
            options.environment = { variable($0) }
            let bucket = variable("REPO_TEST_S3_BUCKET") ?? "bucket"
            var random = SystemRandomNumberGenerator()
            let location = try S3Location(
                "s3://\(bucket)/t\(random.next() as UInt64)",
                endpoint: variable("REPO_TEST_S3_ENDPOINT"), region: variable("AWS_REGION"))
            return (S3Store(location, options), nil)
        }
    }
}

func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
