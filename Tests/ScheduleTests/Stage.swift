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
    /// The repository before anything was added.
    let empty: MemoryStore
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
        empty = MemoryStore(copying: beginning)
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

    /// - Parameter text: letters from a on, each with its version.
    func stream(_ text: String) -> [UInt8] {
        let signs = Array(text.utf8)
        return stride(from: 0, to: signs.count, by: 2).flatMap { place in
            blocks[Int(signs[place] - UInt8(ascii: "a"))][Int(signs[place + 1] - UInt8(ascii: "0"))]
        }
    }

    static func asRaw(_ request: inout AddRequest) {
        request.format = .raw
        request.level = 1
        request.carriesLittle = false
    }

    static func add(
        _ stream: [UInt8], to series: String, _ vault: Vault,
        _ change: (inout AddRequest) -> Void = asRaw
    ) throws -> ObjectID {
        // Less than a pipe holds.
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "a pipe")
        defer { close(ends[0]) }
        precondition(write(ends[1], stream, stream.count) == stream.count, "written")
        close(ends[1])
        var request = AddRequest(series: series, source: .descriptor(ends[0]))
        change(&request)
        return try Operations.add(request, to: vault).snapshot.id
    }

    /// What is wrong with a repository; nil where nothing is.
    func fault(_ store: MemoryStore, _ notes: Notes) throws -> String? {
        let reader = vault(store, seed: 99)
        let visible = try History.load(reader).snapshots
        let ids = Set(visible.map { $0.id })
        if let id = notes.held.subtracting(ids).min() { return "snapshot \(id.short) was held and is gone" }
        for id in notes.acknowledged.keys.sorted() where !ids.contains(id) {
            if !notes.givenUp.contains(id) { return "snapshot \(id.short) was acknowledged and is gone" }
            guard try store.byteCount(of: .commit(.shared, id)) == nil else { continue }
            if try !History.forgottenSnapshots(reader).contains(id) {
                return "snapshot \(id.short) was removed, and no record says so"
            }
        }
        for snapshot in visible {
            if let needed = snapshot.head.needs, !ids.contains(needed) {
                return "snapshot \(snapshot.id.short) needs \(needed.short), which is gone"
            }
            do {
                let bytes = try Self.cat(snapshot, reader)
                if let stream = notes.acknowledged[snapshot.id], stream != bytes {
                    return "snapshot \(snapshot.id.short) gives other bytes"
                }
            } catch {
                let word = notes.acknowledged[snapshot.id] == nil ? "visible" : "acknowledged"
                return "snapshot \(snapshot.id.short) is \(word) and cannot be read: \(error)"
            }
        }
        return nil
    }

    /// What is wrong once a prune has gone over what others left, when all of them have died; nil where
    /// nothing is.
    func faultAfterRecovery(_ store: MemoryStore, _ notes: Notes) throws -> String? {
        let copy = MemoryStore(copying: store)
        let pruner = vault(copy, seed: 98)
        // What is left of snapshots may keep packs, so the second run has more to do.
        for _ in 0..<2 {
            var request = PruneRequest(try History.load(pruner))
            request.options.grace = 0
            request.options.keepIncomplete = 0
            _ = try Operations.prune(request, pruner)
        }
        if let fault = try fault(copy, notes) { return "after a prune, \(fault)" }
        if let left = try copy.list(.tombstones(.pack)).first { return "\(left.name) is left" }
        let commits = Set(try copy.list(.commits(.shared)).map { $0.name.id })
        let manifests = Set(try copy.list(.snapshots(.shared)).map { $0.name.id })
        if commits != manifests { return "a manifest or a commit is left alone" }
        return nil
    }

    /// What counts, and yet kept a prune from all; nil where nothing does.
    func obstacle(_ store: MemoryStore, _ notes: Notes) throws -> String? {
        guard !notes.stuck.isEmpty else { return nil }
        let visible = try History.load(vault(store, seed: 99)).snapshots.map { $0.id }
        return notes.stuck.intersection(visible).min().map {
            "snapshot \($0.short) counts and keeps prune from all"
        }
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
