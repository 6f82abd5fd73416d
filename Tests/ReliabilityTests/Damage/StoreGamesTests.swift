import Faults
import Files
import ObjectStorage
import Operations
import Sealing
import Snapshots
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

/// A repository whose store turns against its owner, and a client that saw it as it was.
private struct Betrayed {
    let repository: TestRepository
    let store: MemoryStore
    /// As it was three snapshots ago, and before one was dropped.
    let old: MemoryStore
    let beforeDrop: MemoryStore
    let snapshots: [(snapshot: Snapshot, bytes: [UInt8])]
    let dropped: Snapshot
    /// A repository of the same owner, with another root key behind the same key file.
    let other: MemoryStore
    let otherSnapshot: Snapshot
    let told: Told

    final class Told: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    init() throws {
        let told = Told()
        self.told = told
        var surroundings = testSurroundings(workers: 0)
        surroundings.warn = { told.add($0) }
        let repository = try TestRepository(surroundings: surroundings)
        guard let store = repository.store as? MemoryStore else {
            preconditionFailure("made in memory")
        }
        var random = SeededRandom(seed: testSeed)
        var snapshots: [(snapshot: Snapshot, bytes: [UInt8])] = []
        let vault = try repository.open()
        func add(_ series: String) throws {
            let bytes = random.bytes(80_000)
            snapshots.append((try repository.add(bytes, to: series, vault: vault).snapshot, bytes))
        }
        try add("shop")
        try add("bank")
        old = MemoryStore(copying: store)
        try add("shop")
        try add("bank")
        let gone = try repository.add(random.bytes(70_000), to: "gone", vault: vault)
        beforeDrop = MemoryStore(copying: store)
        var request = PruneRequest(try History.load(vault))
        request.options.grace = 0
        request.dropped = [gone.snapshot]
        _ = try prune(request, vault)
        try add("shop")
        dropped = gone.snapshot
        _ = try History.load(vault)
        let foreign = try TestRepository(surroundings: testSurroundings(seed: testSeed &+ 9))
        otherSnapshot = try foreign.add(random.bytes(80_000), to: "shop").snapshot
        guard let other = foreign.store as? MemoryStore else {
            preconditionFailure("made in memory")
        }
        (self.repository, self.store, self.snapshots, self.other) =
            (repository, store, snapshots, other)
    }

    func commit(_ place: Int) -> ObjectName { .commit(.shared, snapshots[place].snapshot.id) }
    func manifest(_ place: Int) -> ObjectName { .snapshot(.shared, snapshots[place].snapshot.id) }

    func names(_ root: Folder.Root) throws -> [ObjectName] {
        try store.list(.all(root)).map { $0.name }
    }

    /// Puts an object in the place of another, or where nothing is.
    func put(_ name: ObjectName, _ bytes: [UInt8]) throws {
        try store.remove(name)
        try store.put(name, bytes)
    }

    func swap(_ first: ObjectName, _ second: ObjectName) throws {
        let (a, b) = (try store.get(first), try store.get(second))
        try put(first, b)
        try put(second, a)
    }

    /// Makes the store show what another does.
    func replay(_ state: MemoryStore, only isMeant: (ObjectName) -> Bool = { _ in true }) throws {
        for root in Folder.Root.allCases {
            for name in try names(root) where isMeant(name) { try store.remove(name) }
            for object in try state.list(.all(root)) where isMeant(object.name) {
                try put(object.name, try state.get(object.name))
            }
        }
        if isMeant(.config) { try put(.config, try state.get(.config)) }
    }
}

/// What a store, or somebody with access to it, may do.
private enum Game: String, CaseIterable, CustomTestStringConvertible {
    case oldStateReplayed = "the whole old state is shown"
    case oldSnapshotsReplayed = "snapshots and commits of old are shown beside everything else"
    case newestRemoved = "the newest snapshot is taken away"
    case newestUncommitted = "the newest snapshot's commit is taken away"
    case middleHidden = "a snapshot in the middle is hidden"
    case seriesHidden = "all snapshots of a series are hidden"
    case everythingHidden = "nothing is shown but config and keys"
    case manifestHidden = "a manifest is hidden, its commit shown"
    case manifestsSwapped = "manifests of two series change places"
    case commitsSwapped = "commits of two snapshots change places"
    case snapshotRenamed = "a snapshot is shown once more under another name"
    case snapshotOfAnother = "a snapshot of another repository is shown"
    case packsSwapped = "two packs change places"
    case packRenamed = "a pack is shown under another name"
    case packOfAnother = "a pack of another repository is shown instead"
    case indexOfAnother = "an index object of another repository is shown instead"
    case indexesSwapped = "two index objects change places"
    case configDowngraded = "config is one that cuts otherwise"
    case configOfAnother = "config is another repository's"
    case keyOfAnother = "a key slot of another repository is added"
    case keysOfAnother = "all of the key slots are another repository's"
    case forgedTombstone = "a tombstone that nobody signed condemns a pack in use"
    case forgedRecord = "a record that nobody signed says that a snapshot was dropped"
    case droppedReplayed = "a dropped snapshot is shown again"

    var testDescription: String { rawValue }

    /// - Returns: what a client may answer with.
    func play(_ betrayed: Betrayed) throws -> Answer {
        let store = betrayed.store
        let shared = DomainID.shared
        let strange = ObjectID([UInt8](repeating: 0xAB, count: ObjectID.byteCount))
        switch self {
        case .oldStateReplayed:
            try betrayed.replay(betrayed.old)
            return .rolledBack
        case .oldSnapshotsReplayed:
            try betrayed.replay(betrayed.old) { name in
                switch name {
                case .snapshot, .commit: true
                default: false
                }
            }
            return .rolledBack
        case .newestRemoved:
            try store.remove(betrayed.commit(4))
            try store.remove(betrayed.manifest(4))
            return .rolledBack
        case .newestUncommitted:
            try store.remove(betrayed.commit(4))
            return .rolledBack
        case .middleHidden:
            try store.remove(betrayed.commit(2))
            try store.remove(betrayed.manifest(2))
            return .rolledBack
        case .seriesHidden:
            for place in [1, 3] {
                try store.remove(betrayed.commit(place))
                try store.remove(betrayed.manifest(place))
            }
            return .rolledBack
        case .everythingHidden:
            for root in Folder.Root.allCases where root != .keys {
                for name in try betrayed.names(root) { try store.remove(name) }
            }
            return .rolledBack
        case .manifestHidden:
            try store.remove(betrayed.manifest(2))
            return .damage([betrayed.manifest(2)])
        case .manifestsSwapped:
            try betrayed.swap(betrayed.manifest(2), betrayed.manifest(3))
            return .damage([betrayed.manifest(2), betrayed.manifest(3)])
        case .commitsSwapped:
            try betrayed.swap(betrayed.commit(2), betrayed.commit(3))
            return .damage([betrayed.commit(2), betrayed.commit(3)])
        case .snapshotRenamed:
            try store.put(.snapshot(shared, strange), try store.get(betrayed.manifest(0)))
            try store.put(.commit(shared, strange), try store.get(betrayed.commit(0)))
            return .damage([.commit(shared, strange)])
        case .snapshotOfAnother:
            let id = betrayed.otherSnapshot.id
            for name in [ObjectName.snapshot(shared, id), .commit(shared, id)] {
                try store.put(name, try betrayed.other.get(name))
            }
            return .damage([.commit(shared, id)])
        case .packsSwapped:
            let packs = try betrayed.names(.packs)
            try betrayed.swap(packs[0], packs[1])
            return .damage([packs[0], packs[1]])
        case .packRenamed:
            try store.put(.pack(shared, strange), try store.get(betrayed.names(.packs)[0]))
            return .damage([.pack(shared, strange)])
        case .packOfAnother:
            let pack = try betrayed.names(.packs)[0]
            let foreign = try betrayed.other.list(.packs(shared))[0].name
            try betrayed.put(pack, try betrayed.other.get(foreign))
            return .damage([pack])
        case .indexOfAnother:
            let index = try betrayed.names(.index)[0]
            let foreign = try betrayed.other.list(.index(shared))[0].name
            try betrayed.put(index, try betrayed.other.get(foreign))
            return .damage([index])
        case .indexesSwapped:
            let indexes = try betrayed.names(.index)
            try betrayed.swap(indexes[0], indexes[1])
            return .damage([indexes[0], indexes[1]])
        case .configDowngraded:
            let content = try Config.split(try store.get(.config)).content
            let config = try Config(content)
            let downgraded = Config(
                repository: config.repository, textCutting: config.generalCutting,
                consistency: config.consistency, created: config.created,
                rootCheck: config.rootCheck
            ).bytesBeforeHash
            try betrayed.put(.config, downgraded + SHA256.hash(downgraded))
            return .damage([.config])
        case .configOfAnother:
            try betrayed.put(.config, try betrayed.other.get(.config))
            return .refused
        case .keyOfAnother:
            let key = try betrayed.other.list(.keys)[0].name
            try store.put(key, try betrayed.other.get(key))
            return .damage([key])
        case .keysOfAnother:
            for name in try betrayed.names(.keys) { try store.remove(name) }
            let key = try betrayed.other.list(.keys)[0].name
            try store.put(key, try betrayed.other.get(key))
            return .refused
        case .forgedTombstone:
            guard let pack = try betrayed.names(.packs)[0].id else { throw WireError.malformed("") }
            let name = ObjectName.tombstone(.pack, pack)
            try store.put(name, [UInt8](repeating: 1, count: 200))
            return .damage([name])
        case .forgedRecord:
            let name = ObjectName.record(.forgotten, betrayed.snapshots[2].snapshot.id)
            try store.put(name, [UInt8](repeating: 1, count: 200))
            return .damage([name])
        case .droppedReplayed:
            for name in [
                ObjectName.snapshot(shared, betrayed.dropped.id), .commit(shared, betrayed.dropped.id),
            ] { try store.put(name, try betrayed.beforeDrop.get(name)) }
            return .gone(betrayed.dropped.id)
        }
    }
}

/// What a client must answer with.
private enum Answer {
    /// Every command does.
    case rolledBack
    /// Check does, naming these.
    case damage([ObjectName])
    /// It does not open.
    case refused
    /// A snapshot that nobody may see, or that is named.
    case gone(ObjectID)
}

@Test(arguments: Game.allCases)
private func `a store that lies is found out`(_ game: Game) throws {
    let betrayed = try Betrayed()
    let answer = try game.play(betrayed)
    switch answer {
    case .rolledBack:
        let error = #expect(throws: (any Error).self) {
            try History.load(betrayed.repository.open())
        }
        #expect((error as? any Explained)?.exitCode == .rolledBack, "\(String(describing: error))")
        let outcome = try check(CheckRequest(readDataPercent: 100), betrayed.repository.open())
        #expect(outcome.exitCode == .rolledBack || outcome.exitCode == .damage)
        #expect(outcome.notes.contains { $0.hasPrefix("rolled back") }, "\(outcome)")
    case .damage(let names):
        let outcome = try check(CheckRequest(readDataPercent: 100), betrayed.repository.open())
        #expect(outcome.exitCode == .damage)
        for name in names {
            #expect(outcome.damages.contains { $0.object == "\(name)" }, "\(outcome.damages)")
        }
    case .refused:
        let error = #expect(throws: (any Error).self) { try betrayed.repository.open() }
        #expect(error is any Explained, "\(String(describing: error))")
    case .gone(let id):
        let outcome = try check(CheckRequest(readDataPercent: 100), betrayed.repository.open())
        let there = try History.load(betrayed.repository.open()).snapshots
        #expect(!there.contains { $0.id == id } || outcome.exitCode == .damage, "\(outcome)")
    }
    // Whatever it shows, nothing comes out wrong: not to who knows it, nor to who comes anew.
    for cache in ["cache", "fresh"] {
        for (snapshot, bytes) in betrayed.snapshots {
            do {
                let vault = try betrayed.repository.open(cache: cache)
                let cat = try betrayed.repository.cat("\(snapshot.id)", vault: vault)
                #expect(cat == bytes, "\(snapshot.id)")
            } catch {
                #expect(error is any Explained, "\(error)")
            }
        }
    }
}

@Test func `there are twenty games and more`() {
    print("# store's games: \(Game.allCases.count) played, each found out")
    #expect(Game.allCases.count >= 20)
}
