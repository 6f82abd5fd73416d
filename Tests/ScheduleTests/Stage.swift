import DumpFormats
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

/// What clients do to one repository, at once.
///
/// Streams are rows of blocks, each in one of a few versions that differ in some bytes: so chunks are known,
/// come back after they were gone, and are stored as deltas on each other.
struct Stage {
    /// The repository at the beginning, and what it holds.
    let beginning: MemoryStore
    let streams: [ObjectID: [UInt8]]
    private let vault: Vault
    let blocks: [[[UInt8]]]

    private static let blockCount = 6
    private static let versionCount = 3
    private static let blockBytes = 900

    /// - Parameter seed: of the blocks and of all keys.
    init(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        blocks = (0..<Self.blockCount).map { _ in
            let first = random.bytes(Self.blockBytes)
            return (0..<Self.versionCount).map { version in
                var block = first
                for place in 0..<4 { block[place * 200 + version] ^= UInt8(version) }
                return block
            }
        }
        beginning = MemoryStore()
        let surroundings = Self.surroundings(seed: seed)
        _ = try Vault.create(
            in: beginning, with: Credential(.keyFile, Secret(count: 32) { $0[0] = 7 }), label: nil,
            surroundings: surroundings, cacheParent: nil,
            generalCutting: .init(minimum: 256, average: 512, maximum: 1024))
        vault = try Vault.open(
            beginning, with: Credential(.keyFile, Secret(count: 32) { $0[0] = 7 }),
            surroundings: surroundings, cacheParent: nil)
        var streams: [ObjectID: [UInt8]] = [:]
        for versions in [[0, 0, 0, 0], [1, 0, 0, 2], [1, 1, 0, 0, 0]] {
            let stream = zip(blocks, versions).flatMap { $0[$1] }
            streams[try Self.add(stream, to: "s", vault)] = stream
        }
        self.streams = streams
    }

    static func surroundings(seed: UInt64) -> Surroundings {
        let random = SharedRandom(seed: seed)
        let clock = Atomic<Int64>(1_790_000_000_000)
        return Surroundings(
            systemCalls: .kernel,
            now: { clock.wrappingAdd(1000, ordering: .relaxed).newValue },
            randomBytes: { random.bytes($0) }, scryptCost: ScryptCost(log2N: 15, r: 8, p: 1),
            workers: 0, identity: [1], hostName: "db1", stopRequested: { nil }, wakeUp: -1,
            progress: { _ in }, warn: { _ in })
    }

    /// The repository for one client.
    func vault(_ store: any ObjectStore, seed: UInt64) -> Vault {
        vault.through(store, Self.surroundings(seed: seed))
    }

    /// A stream of blocks drawn from a seed.
    func stream(_ random: inout SeededRandom) -> [UInt8] {
        (0..<random.number(2...Self.blockCount)).flatMap { _ in
            blocks[random.number(0...(Self.blockCount - 1))][
                random.number(0...(Self.versionCount - 1))]
        }
    }

    static func add(_ stream: [UInt8], to series: String, _ vault: Vault) throws -> ObjectID {
        // Less than a pipe holds.
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "a pipe")
        defer { close(ends[0]) }
        precondition(write(ends[1], stream, stream.count) == stream.count, "written")
        close(ends[1])
        var request = AddRequest(series: series, source: .descriptor(ends[0]))
        request.format = .raw
        request.level = 1
        request.carriesLittle = false
        return try Operations.add(request, to: vault).snapshot.id
    }

    /// What counts in a repository.
    func visible(_ store: MemoryStore) throws -> [Snapshot] {
        try History.load(vault(store, seed: 99)).snapshots
    }

    /// What is wrong with a repository; nil where nothing is.
    /// - Parameters:
    ///   - acknowledged: snapshots that must be there, with their streams.
    ///   - givenUp: snapshots that somebody gave up on purpose.
    func fault(
        _ store: MemoryStore, acknowledged: [ObjectID: [UInt8]], givenUp: Set<ObjectID>
    ) throws -> String? {
        let reader = vault(store, seed: 99)
        let visible = try History.load(reader).snapshots
        let ids = Set(visible.map { $0.id })
        for id in acknowledged.keys.sorted() where !ids.contains(id) {
            if !givenUp.contains(id) { return "snapshot \(id.short) was acknowledged and is gone" }
            guard try store.byteCount(of: .commit(.shared, id)) == nil else { continue }
            if try !History.forgottenSnapshots(reader).contains(id) {
                return "snapshot \(id.short) was removed, and no record says so"
            }
        }
        for snapshot in visible {
            do {
                let bytes = try Self.cat(snapshot, reader)
                if let stream = acknowledged[snapshot.id], stream != bytes {
                    return "snapshot \(snapshot.id.short) gives other bytes"
                }
            } catch {
                let word = acknowledged[snapshot.id] == nil ? "visible" : "acknowledged"
                return "snapshot \(snapshot.id.short) is \(word) and cannot be read: \(error)"
            }
        }
        return nil
    }

    static func cat(_ snapshot: Snapshot, _ vault: Vault) throws -> [UInt8] {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "a pipe")
        defer { close(ends[0]) }
        do {
            _ = try writeStream(of: snapshot, member: nil, to: ends[1], from: vault)
        } catch {
            close(ends[1])
            throw error
        }
        close(ends[1])
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        return bytes
    }
}
