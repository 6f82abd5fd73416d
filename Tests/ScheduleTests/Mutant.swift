import ObjectStorage
import PackStore
import WireFormat

/// A fault of the protocol, as a store that one of the two sides sees: it hides what should have been looked
/// at, shows it as it was before, or leaves out what should have been written. Their names are those of
/// Tests/Model.
struct Mutant: Sendable, CustomStringConvertible {
    enum Side: Sendable { case writer, pruner }

    let description: String
    let side: Side
    /// The scene in which it is noticed.
    let scene: String
    /// Whether clients rest before they read, too (see `ScheduledStore`): for most it is only more to go
    /// through.
    var restsAtReads = false
    /// A fault of the tables that all clients keep.
    var blindness: FrameTable.Blindness?
    /// Called for every client of the side.
    let make: @Sendable (any ObjectStore) -> any ObjectStore

    func store(for side: Side, _ under: any ObjectStore) -> any ObjectStore {
        side == self.side ? make(under) : under
    }

    init(
        _ name: String, _ side: Side, in scene: String, restsAtReads: Bool = false,
        _ change: @escaping @Sendable (inout Lies) -> Void
    ) {
        self.restsAtReads = restsAtReads
        description = name
        self.side = side
        self.scene = scene
        make = { under in
            var lies = Lies()
            change(&lies)
            return LyingStore(under, lies)
        }
    }

    private init(_ name: String, _ blindness: FrameTable.Blindness, in scene: String) {
        description = name
        side = .writer
        self.scene = scene
        self.blindness = blindness
        make = { $0 }
    }

    static let all = ofPacks + ofSnapshots

    private static let ofPacks: [Mutant] = [
        Mutant("p5-no-bases: what deltas stand on is not looked at", .bases, in: "deep"),
        Mutant("closure-by-envelope: any segment of an envelope will do", .names, in: "deltas"),
        Mutant("no-tomb: writers do not look", .writer, in: "plain") { lies in
            lies.list = { folder, memory, store in
                memory.hasPublished && folder == .tombstones(.pack) ? [] : try store.list(folder)
            }
            lies.byteCount = { name, memory, store in
                memory.hasPublished && name.isPack ? 1000 : try store.byteCount(of: name)
            }
        },
        Mutant("look-before: writers look before they publish", .writer, in: "plain") { lies in
            lies.beforePublishing = { memory, store in
                memory.listings[.tombstones(.pack)] = try store.list(.tombstones(.pack))
                memory.listings[.packs(.shared)] = try store.list(.packs(.shared))
            }
            lies.list = { folder, memory, store in
                try memory.hasPublished && folder == .tombstones(.pack)
                    ? memory.listings[folder] ?? [] : store.list(folder)
            }
            lies.byteCount = { name, memory, store in
                try memory.hasPublished ? memory.size(of: name) : store.byteCount(of: name)
            }
        },
        Mutant("exist-then-tomb: writers look that packs exist, then for tombstones", .writer, in: "plain") {
            $0.list = { folder, memory, store in
                if memory.hasPublished, folder == .tombstones(.pack) {
                    memory.listings[.packs(.shared)] = try store.list(.packs(.shared))
                }
                return try store.list(folder)
            }
            $0.byteCount = { name, memory, store in
                try memory.hasPublished ? memory.size(of: name) : store.byteCount(of: name)
            }
        },
        Mutant("own-packs-not-looked-at", .writer, in: "abandoned") { lies in
            lies.list = { folder, memory, store in
                try store.list(folder).filter { object in
                    if case .tombstone(_, let id) = object.name { return memory.own[id] == nil }
                    return true
                }
            }
            lies.byteCount = { name, memory, store in
                if case .pack(_, let id) = name, let count = memory.own[id] { return count }
                return try store.byteCount(of: name)
            }
        },
        Mutant("no-final-look: writers do not look for a tombstone of their own", .writer, in: "abandoned") {
            $0.byteCount = { name, memory, store in
                if case .snapshot = name, memory.hasPublished { return 1 }
                return try store.byteCount(of: name)
            }
            $0.get = { name, _, store in
                if case .tombstone(.snapshot, _) = name { throw StorageError.missing(name) }
                return try store.get(name)
            }
        },
        Mutant("grace-only: pruners condemn nothing, and delete", .pruner, in: "plain") { lies in
            lies.puts = { name, _ in if case .tombstone(.pack, _) = name { false } else { true } }
        },
        Mutant("reread-none: pruners do not list manifests again", .pruner, in: "plain") { lies in
            lies.list = { folder, memory, store in
                if folder == .snapshots(.shared), memory.hasCondemned {
                    return memory.listings[folder] ?? []
                }
                let listed = try store.list(folder)
                memory.listings[folder] = listed
                return listed
            }
        },
        Mutant(
            "blind-pruners: what others condemned counts as there to stay", .pruner, in: "pruners-spare"
        ) { lies in
            lies.list = { folder, memory, store in
                try store.list(folder).filter { object in
                    if case .tombstone(.pack, let id) = object.name, memory.hasCondemned {
                        return memory.own[id] != nil
                    }
                    return true
                }
            }
        },
        Mutant("pending-no-root: what is not committed needs nothing", .pruner, in: "plain") {
            $0.hideUncommitted()
        },
        Mutant(
            "untomb-foreign: pruners take back what others condemned", .pruner, in: "pruners-spare"
        ) { lies in
            lies.list = { folder, memory, store in
                let listed = try store.list(folder)
                guard folder == .tombstones(.pack) else { return listed }
                for object in listed where memory.own[object.name.id ?? .none] == nil {
                    try store.remove(object.name)
                }
                return listed.filter { memory.own[$0.name.id ?? .none] != nil }
            }
        },
        Mutant(
            "p5-exist-first: pruners list packs, then tombstones", .pruner, in: "pruners-spare",
            restsAtReads: true
        ) { lies in
            lies.list = { folder, memory, store in
                if folder == .tombstones(.pack) {
                    memory.listings[.packs(.shared)] = try store.list(.packs(.shared))
                }
                if let kept = memory.listings.removeValue(forKey: folder) { return kept }
                return try store.list(folder)
            }
        },
        Mutant("untomb-first: the tombstone of a pack goes before the pack", .pruner, in: "plain") { lies in
            lies.beforeRemoving = { name, store in
                if case .pack(_, let id) = name { try store.remove(.tombstone(.pack, id)) }
            }
        },
        Mutant(
            "abandoned-no-F2: pruners do not look whether it was committed", .pruner, in: "abandoned"
        ) { lies in
            lies.byteCount = { name, _, store in
                if case .commit = name { return nil }
                return try store.byteCount(of: name)
            }
        },
        Mutant(
            "untomb-abort: who finds a commit takes the tombstone back", .pruner, in: "abandoned-twice"
        ) { lies in
            lies.byteCount = { name, _, store in
                let count = try store.byteCount(of: name)
                if case .commit(_, let id) = name, count != nil {
                    try store.remove(.tombstone(.snapshot, id))
                }
                return count
            }
        },
        Mutant("abandoned-no-record: nothing says that it was removed", .pruner, in: "abandoned") { lies in
            lies.puts = { name, _ in if case .record = name { false } else { true } }
        },
    ]
}

/// What a lying store remembers.
struct Memory {
    var listings: [Folder: [StoredObject]] = [:]
    /// What was seen of single objects.
    var sizes: [ObjectName: Int?] = [:]
    /// What this client put, with its length, or condemned: packs, and snapshots that it saved.
    var own: [ObjectID: Int] = [:]
    /// Since the last manifest.
    var hasPublished = false
    var hasCondemned = false

    func size(of name: ObjectName) -> Int? {
        guard name.isPack else { return 1 }
        // What came later is there.
        if let count = own[name.id ?? .none] { return count }
        return listings[.packs(.shared)]?.first { $0.name == name }?.byteCount
    }
}

struct Lies {
    typealias Under = any ObjectStore

    var list: @Sendable (Folder, inout Memory, Under) throws -> [StoredObject] = {
        try $2.list($0)
    }
    var byteCount: @Sendable (ObjectName, inout Memory, Under) throws -> Int? = {
        try $2.byteCount(of: $0)
    }
    var get: @Sendable (ObjectName, inout Memory, Under) throws -> [UInt8] = { try $2.get($0) }
    var puts: @Sendable (ObjectName, Memory) -> Bool = { _, _ in true }
    /// Before a manifest is put, or a hold.
    var beforePublishing: @Sendable (inout Memory, Under) throws -> Void = { _, _ in }
    /// Before the tombstone of a snapshot is put.
    var beforeCondemning: @Sendable (inout Memory, Under) throws -> Void = { _, _ in }
    var beforeRemoving: @Sendable (ObjectName, Under) throws -> Void = { _, _ in }
}

/// One client's view.
final class LyingStore: PassingStore, @unchecked Sendable {
    let under: any ObjectStore
    private let lies: Lies
    /// One client at a time runs, and this is one's.
    private var memory = Memory()

    init(_ under: any ObjectStore, _ lies: Lies) {
        self.under = under
        self.lies = lies
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        guard lies.puts(name, memory) else { return }
        switch name {
        case .snapshot, .record(.hold, _): try lies.beforePublishing(&memory, under)
        case .tombstone(.snapshot, _): try lies.beforeCondemning(&memory, under)
        default: break
        }
        try under.put(name, bytes)
        switch name {
        case .snapshot(_, let id):
            memory.hasPublished = true
            memory.own[id] = bytes.count
        case .record(.hold, _): memory.hasPublished = true
        case .tombstone(.pack, let id):
            memory.hasCondemned = true
            memory.own[id] = bytes.count
        case .pack(_, let id): memory.own[id] = bytes.count
        default: break
        }
    }

    func remove(_ name: ObjectName) throws {
        try lies.beforeRemoving(name, under)
        try under.remove(name)
    }

    func list(_ folder: Folder) throws -> [StoredObject] { try lies.list(folder, &memory, under) }
    func byteCount(of name: ObjectName) throws -> Int? {
        try lies.byteCount(name, &memory, under)
    }
    func get(_ name: ObjectName, limit: Int) throws -> [UInt8] { try lies.get(name, &memory, under) }
}

extension ObjectName {
    var isPack: Bool { if case .pack = self { true } else { false } }
}

extension ObjectID {
    static let none = ObjectID([UInt8](repeating: 0, count: byteCount))
}
