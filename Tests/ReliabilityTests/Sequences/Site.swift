import Faults
import Files
import ObjectStorage
import Operations
import Snapshots
import Synchronization
import TestSupport
import Vault
import WireFormat

/// One of the repositories of a run, with its clients and the ledger that is kept of it.
final class Site {
    let name: String
    let store: MemoryStore
    let repository: TestRepository
    var ledger = Ledger()
    /// The domain of its write key.
    let writerDomain: DomainID
    let id: ObjectID
    /// States of caches, as they were.
    var setAside: [String: [String: TreeNode]] = [:]
    /// What the program would have warned of.
    let warnings: Warnings

    final class Warnings: Sendable {
        private let texts = Mutex<[String]>([])
        func add(_ text: String) { texts.withLock { $0.append(text) } }
        func take() -> [String] {
            texts.withLock { texts in
                defer { texts = [] }
                return texts
            }
        }
    }

    /// Two machines with a full key, one that only maintains, and a host that only writes.
    static let fullClients = ["one", "two"]
    static let clients = fullClients + ["keeper", "writer"]

    /// - Parameter twin: whose keys it shares.
    init(
        _ name: String, seed: UInt64, clock: SettableClock, calls: SystemCalls, twin: Site? = nil
    ) throws {
        self.name = name
        let warnings = Warnings()
        self.warnings = warnings
        store = MemoryStore(now: { clock.time })
        var surroundings = testSurroundings(
            seed: seed, workers: 0, calls: calls, now: { clock.time })
        surroundings.warn = { warnings.add($0) }
        if let twin {
            _ = try Vault.create(
                in: store, sharing: try twin.open(), with: key(), surroundings: surroundings)
        } else {
            _ = try Vault.create(
                in: store, with: key(), label: nil, surroundings: surroundings, cacheParent: nil)
        }
        repository = try TestRepository(sharing: store, surroundings: surroundings)
        let vault = try repository.open(key(), cache: "one")
        id = vault.config.repository
        _ = try vault.addKey(.maintain, key(3), label: nil)
        _ = try vault.addKey(.write, key(4), label: nil)
        writerDomain = try repository.open(key(4), cache: "writer").ownDomain
    }

    func open(_ client: String = "one") throws -> Vault {
        switch client {
        case "keeper": try repository.open(key(3), cache: client)
        case "writer": try repository.open(key(4), cache: client)
        default: try repository.open(key(), cache: client)
        }
    }

    func cache(_ client: String) -> Path { Path(repository.directory.path) / client }

    var packs: Int { get throws { try store.list(.all(.packs)).count } }
}
