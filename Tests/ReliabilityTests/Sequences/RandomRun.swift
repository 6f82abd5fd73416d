import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

/// What is not as the ledger says.
struct Fault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One sequence of operations on three repositories, drawn from a seed: `a` and `b` share keys, `c` has its
/// own. What each must hold is kept in a ledger, and compared with what it gives back.
final class RandomRun {
    /// How often each step was made, and what came of it.
    struct Figures {
        var steps: [String: Int] = [:]
        var restored = 0
        var saved = 0
        var refused = 0
        var copied = 0
        var dropped = 0
        var packsDeleted = 0
        var deltas = 0
        var rebased = 0

        mutating func add(_ other: Figures) {
            steps.merge(other.steps) { $0 + $1 }
            restored += other.restored
            saved += other.saved
            refused += other.refused
            copied += other.copied
            dropped += other.dropped
            packsDeleted += other.packsDeleted
            deltas += other.deltas
            rebased += other.rebased
        }
    }

    let seed: UInt64
    var random: SeededRandom
    let clock = SettableClock(1_790_000_000_000)
    let directory = TemporaryDirectory()
    let sites: [Site]
    var materials: [String: Material] = [:]
    let tree: LivingTree
    /// Where the logs of the servers stand that chains are made of.
    var logNumber: UInt64 = 100
    /// Adds so far.
    var number = 0
    /// Names of holds so far.
    var holdNumber = 0
    var figures = Figures()
    /// What was done, for whoever looks for the reason.
    private(set) var log: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        let changed = ChangeTimes()
        let first = try Site("a", seed: seed &+ 1, clock: clock, calls: changed.calls)
        sites = [
            first,
            try Site("b", seed: seed &+ 2, clock: clock, calls: changed.calls, twin: first),
            try Site("c", seed: seed &+ 3, clock: clock, calls: changed.calls),
        ]
        for (series, shape) in [
            ("shop", Material.Shape.dump), ("blog", .dump), ("raw", .raw), ("base", .archive),
        ] {
            materials[series] = Material(shape, &random)
        }
        tree = LivingTree(Path(directory.path) / "tree", clock, changed, &random)
        // Where nothing is dropped nothing is pruned.
        for site in sites where !happens(oneIn: 6) { try setPolicy("*", in: site) }
    }

    /// Makes all steps.
    /// - Returns: what was wrong; nil where all was as it should be.
    func run() -> String? {
        let count = random.number(20...40)
        for step in 1...count {
            do {
                passTime()
                try take(step: step)
                if step % 10 == 0 || step == count { try compareAll() }
            } catch {
                let what = error is Fault ? "\(error)" : explanation(of: error)
                let warnings = sites.flatMap { site in
                    site.warnings.take().map { "\n    \(site.name) warned: \($0)" }
                }
                return "seed \(seed), step \(step): \(what)\n    "
                    + log.joined(separator: "\n    ") + warnings.joined()
            }
        }
        return nil
    }

    /// From a millisecond to weeks. What begins at one moment, is as long and has one name counts as one in
    /// two repositories: so a moment passes at least.
    private func passTime() {
        switch random.number(0...9) {
        case 0: clock.time += 1
        case 1: clock.time += Int64(random.number(1...10))
        case 2, 3, 4: clock.time += Int64(random.number(1...3_600_000))
        case 5, 6, 7: clock.time += Int64(random.number(1...86_400_000))
        case 8: clock.time += Int64(random.number(1...10)) * 86_400_000
        default: clock.time += Int64(random.number(1...40)) * 86_400_000
        }
    }

    // MARK: steps

    private static let steps:
        [(name: String, weight: Int, take: @Sendable (RandomRun) throws -> Void)] = [
            ("add", 30, { try $0.addStream() }),
            ("add files", 8, { try $0.addFiles() }),
            ("add to a group", 3, { try $0.addGroup() }),
            ("add to a chain", 6, { try $0.addToChain() }),
            ("add with a write key", 6, { try $0.addWithWriteKey() }),
            ("add to two", 3, { try $0.addToTwo() }),
            ("add what is cut off", 2, { try $0.addCutOff() }),
            ("restore", 6, { try $0.restoreOne() }),
            ("restore a part", 4, { try $0.restorePart() }),
            ("restore a group", 2, { try $0.restoreGroup() }),
            ("forget", 8, { try $0.forgetSome() }),
            ("set a policy", 5, { try $0.setPolicy() }),
            ("prune", 18, { try $0.pruneSite() }),
            ("hold", 2, { try $0.addHold() }),
            ("end a hold", 4, { try $0.endHold() }),
            ("copy", 10, { try $0.copy() }),
            ("check", 4, { try $0.checkSite() }),
            ("lose a cache", 3, { try $0.loseCache() }),
            ("keep a cache", 3, { try $0.keepCache() }),
            ("an old cache", 3, { try $0.oldCache() }),
        ]
    static var stepNames: [String] { steps.map { $0.name } }
    private static let weights = steps.reduce(0) { $0 + $1.weight }

    private func take(step: Int) throws {
        var left = random.number(0...(Self.weights - 1))
        for (name, weight, take) in Self.steps {
            guard left >= weight else {
                log.append("\(step) \(name)")
                figures.steps[name, default: 0] += 1
                return try take(self)
            }
            left -= weight
        }
    }

    /// Adds to what is said of this step.
    func note(_ text: String) { log[log.count - 1] += ": \(text)" }

    // MARK: drawing

    func one<T>(of values: [T]) -> T { values[random.number(0...(values.count - 1))] }
    func happens(oneIn count: Int) -> Bool { random.number(1...count) == 1 }

    /// The first is the one where most happens.
    func site() -> Site { sites[max(0, random.number(0...7) - 5)] }
    func client() -> String { one(of: Site.fullClients) }

    // MARK: comparing

    /// Every snapshot of every repository comes back as it was saved, no other is there, and nothing is
    /// damaged.
    private func compareAll() throws {
        for site in sites {
            let client = client()
            let vault = try site.open(client)
            let history = try compareList(site, vault)
            for snapshot in history.snapshots {
                guard let entry = site.ledger.entries[snapshot.id] else { continue }
                try compareWhole(entry, snapshot, in: site, vault)
            }
            try expectSound(site, vault)
        }
    }

    @discardableResult
    func compareList(_ site: Site, _ vault: Vault) throws -> History {
        let history = try History.load(vault)
        guard history.unreadable.isEmpty else { throw Fault("\(site.name): unreadable commits") }
        let found = history.snapshots.map { $0.id }
        for entry in site.ledger.all where !found.contains(entry.id) {
            throw Fault("\(site.name): \(title(entry)) is gone")
        }
        for snapshot in history.snapshots {
            guard let entry = site.ledger.entries[snapshot.id] else {
                throw Fault("\(site.name): \(snapshot.id.short) is there, and nobody saved it")
            }
            guard snapshot.head == entry.head, snapshot.domain == entry.snapshot.domain else {
                throw Fault("\(site.name): the head of \(title(entry)) is another")
            }
        }
        guard found.count == site.ledger.entries.count else {
            throw Fault("\(site.name): a snapshot is listed twice")
        }
        return history
    }

    func expectSound(_ site: Site, _ vault: Vault) throws {
        let outcome = try check(CheckRequest(readDataPercent: 100), vault)
        guard outcome.exitCode == .done, outcome.damages.isEmpty else {
            throw Fault("\(site.name): \(outcome.damages)")
        }
        guard outcome.snapshots == site.ledger.entries.count else {
            throw Fault("\(site.name): \(outcome.snapshots) snapshots were checked")
        }
    }

    func title(_ entry: Entry) -> String { "\(entry.id.short) (\(entry.head.series))" }

    func compareWhole(_ entry: Entry, _ snapshot: Snapshot, in site: Site, _ vault: Vault) throws {
        figures.restored += 1
        switch entry.content {
        case .stream(let bytes, _):
            guard try cat(snapshot, member: nil, vault) == bytes else {
                throw Fault("\(site.name): \(title(entry)) is another")
            }
        case .tree:
            let target = path("proof")
            removeTree(target)
            _ = try restore(RestoreRequest(snapshot: snapshot, target: target), from: vault)
            try compare(entry, at: target, in: site)
        }
    }

    /// What was restored to a place.
    func compare(_ entry: Entry, at place: Path, in site: Site) throws {
        let wanted: [String: TreeNode]
        let found: [String: TreeNode]?
        switch entry.content {
        case .tree(let nodes):
            wanted = nodes
            found = try readTree(Path("\(place)\(tree.root)"))
        case .stream(_, let members?):
            wanted = members.mapValues { .file($0) }
            found = try readTree(place)?.filter { $0.value != .directory }
        case .stream(let bytes, nil):
            guard try contents(place) == bytes else {
                throw Fault("\(site.name): \(title(entry)) was restored as another")
            }
            return
        }
        if let found, found == wanted { return }
        if wanted.isEmpty && found == nil { return }
        throw Fault(
            "\(site.name): \(title(entry)) was restored with \(found?.keys.sorted() ?? []) for"
                + " \(wanted.keys.sorted())")
    }

    func path(_ name: String) -> Path { Path(directory.path) / name }

    func contents(_ path: Path) throws -> [UInt8] {
        try Directories(.kernel).contents(of: path, limit: 1 << 30)
    }

    func cat(_ snapshot: Snapshot, member: String?, _ vault: Vault) throws -> [UInt8] {
        let path = path("output")
        unlink("\(path)")
        let file = try Descriptor(creating: path, calls: .kernel)
        _ = try writeStream(
            of: snapshot, member: member.map { Path($0) }, to: file.number, from: vault)
        return try contents(path)
    }
}
