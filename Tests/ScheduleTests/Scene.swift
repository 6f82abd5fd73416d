import ObjectStorage
import Operations
import Snapshots
import TestSupport
import Vault
import WireFormat

/// A few clients with fixed tasks, of which all orders are tried.
///
/// A client that dies is one that is preempted for ever, so deaths need no orders of their own.
struct Scene: Sendable {
    enum Task: Sendable {
        /// Adds a stream of blocks: letters from a on, each with its version, 0 to 2.
        case add(String)
        /// Adds a backup that reaches from one log number to another: an increment where the first is not 0.
        case backup(from: UInt64, to: UInt64)
        /// Prunes: gives up snapshots by their places in `before`; rewrites packs of which more than such a
        /// part is dead (below 0: all); takes what is not committed for abandoned.
        case prune(drops: Set<Int> = [], unusedMax: Double = 1, abandoning: Bool = false)
        /// Reads a snapshot by its place in `before`.
        case read(Int)
        /// Holds whatever there is.
        case hold
        /// Condemns the pack of a snapshot by its place in `before`, and dies: a pruner may choose any pack.
        case condemn(Int)
    }

    let name: String
    let about: String
    /// Done before, one after the other.
    let before: [Task]
    /// Done before in a copy of the repository, which is joined to it then: what both saved is there twice.
    var elsewhere: [Task] = []
    /// What each client does, one after the other.
    let clients: [[Task]]
    /// So often one is preempted at most in the usual run.
    var preemptionsMax = 2
}

extension Scene: CustomStringConvertible {
    var description: String { "\(name): \(about)" }
}

extension Scene {
    /// The scenarios of Tests/Model, as far as they are not about stores that lag.
    static let all: [Scene] = [
        Scene(
            name: "plain", about: "a writer comes to need what a pruner takes away",
            before: [.add("a0b0"), .add("c0")],
            clients: [[.add("a0b0")], [.prune(drops: [0])]]),
        Scene(
            name: "plain-writers", about: "two writers come to need what a pruner takes away",
            before: [.add("a0b0"), .add("c0")],
            clients: [[.add("a0b0")], [.add("b0c0")], [.prune(drops: [0, 1])]], preemptionsMax: 1),
        Scene(
            name: "deltas", about: "a writer of deltas, a pruner that begins again and moves all",
            before: [.add("a0b0"), .add("a0b1")],
            clients: [
                [.add("a1b1")],
                [.prune(drops: [0], unusedMax: -1), .prune(unusedMax: -1)],
            ]),
        Scene(
            name: "deltas-unused", about: "nothing is live but what a writer is about to stand on",
            before: [.add("a0b0")], clients: [[.add("a1b1")], [.prune(drops: [0])]]),
        Scene(
            name: "deltas-pruners", about: "a writer of deltas, two pruners",
            before: [.add("a0b0"), .add("a0b1")],
            clients: [
                [.add("a1b1")], [.prune(drops: [0])], [.prune(drops: [1], unusedMax: -1)],
            ], preemptionsMax: 1),
        Scene(
            name: "pruners", about: "two pruners that move all",
            before: [.add("a0b0"), .add("a0b1")],
            clients: [[.prune(drops: [0], unusedMax: -1)], [.prune(drops: [0], unusedMax: -1)]]),
        Scene(
            name: "pruners-spare", about: "all is there twice, and two pruners choose one each",
            before: [.add("a0b0")], elsewhere: [.add("a0b0")],
            clients: [[.prune()], [.condemn(0), .prune()], [.condemn(1), .prune()]],
            preemptionsMax: 1),
        Scene(
            name: "pruners-other", about: "all is there twice, and one pruner chooses the other copy",
            before: [.add("a0b0")], elsewhere: [.add("a0b0")],
            clients: [[.prune()], [.condemn(0), .prune()]]),
        Scene(
            name: "deep", about: "deltas on deltas, and a writer of the next beside a pruner",
            before: [.add("a0"), .add("a1"), .add("a2")],
            clients: [[.add("a2a0")], [.prune(drops: [0, 1], unusedMax: -1)]]),
        Scene(
            name: "broken", about: "a pruner leaves a dead delta without its base, a writer needs its chunk",
            before: [.add("a0"), .add("a1d0"), .add("d0")],
            clients: [[.add("a1")], [.prune(drops: [0, 1])]]),
        Scene(
            name: "abandoned", about: "a writer is taken for dead",
            before: [.add("a0")], clients: [[.add("a0b0")], [.prune(abandoning: true)]]),
        Scene(
            name: "abandoned-twice", about: "a writer is taken for dead by two pruners",
            before: [],
            clients: [
                [.backup(from: 0, to: 100)], [.prune(abandoning: true)], [.prune(abandoning: true)],
            ]),
        Scene(
            name: "reader", about: "a reader beside a pruner that moves what he reads",
            before: [.add("a0b0"), .add("a0b1")],
            clients: [[.read(1)], [.prune(drops: [0], unusedMax: -1)]]),
        Scene(
            name: "chain", about: "an increment, and its full is dropped",
            before: [.backup(from: 0, to: 100)],
            clients: [[.backup(from: 100, to: 150)], [.prune(drops: [0])]]),
        Scene(
            name: "chain-abandoned", about: "an increment that is taken for dead, two pruners",
            before: [.backup(from: 0, to: 100)],
            clients: [
                [.backup(from: 100, to: 150)], [.prune(drops: [0], abandoning: true)],
                [.prune(abandoning: true)],
            ], preemptionsMax: 1),
        Scene(
            name: "chain-held", about: "an increment, a hold, and the full is dropped",
            before: [.backup(from: 0, to: 100)],
            clients: [[.backup(from: 100, to: 150)], [.hold], [.prune(drops: [0])]]),
        Scene(
            name: "held", about: "a hold beside two pruners that drop the same",
            before: [.add("a0"), .add("a1")],
            clients: [[.hold], [.prune(drops: [0])], [.prune(drops: [0, 1])]], preemptionsMax: 1),
    ]

    static func named(_ name: String) -> Scene { all.first { $0.name == name }! }
}

/// A scene that is ready to begin.
struct Setting {
    let store: MemoryStore
    let notes = Notes([:])
    /// By their places in `before`; those of `elsewhere` after them.
    fileprivate(set) var snapshots: [ObjectID] = []
    /// The largest pack of each.
    fileprivate(set) var packs: [ObjectID?] = []
    /// What is stored.
    fileprivate(set) var names: [ObjectName] = []
}

extension Scene {
    func set(on stage: Stage) throws -> Setting {
        var setting = Setting(store: MemoryStore(copying: stage.empty))
        let other = MemoryStore(copying: stage.empty)
        for (tasks, store, seed) in [(before, setting.store, UInt64(1)), (elsewhere, other, 2)] {
            let client = Client(vault: stage.vault(store, seed: seed), notes: setting.notes)
            for task in tasks {
                let packs = Set(try store.list(.packs(.shared)).map { $0.name })
                guard client.do(task, stage, setting), let id = setting.notes.last else {
                    throw NotSet(scene: name, surprises: setting.notes.outcome.surprises)
                }
                setting.snapshots.append(id)
                let new = try store.list(.packs(.shared)).filter { !packs.contains($0.name) }
                setting.packs.append(new.max { $0.byteCount < $1.byteCount }?.name.id)
            }
        }
        let kept = setting.store
        for object in try Folder.Root.allCases.flatMap({ try other.list(.all($0)) })
        where try kept.byteCount(of: object.name) == nil {
            try kept.put(object.name, try other.get(object.name))
        }
        setting.names = try Folder.Root.allCases.flatMap { try kept.list(.all($0)).map { $0.name } }
        return setting
    }

    private struct NotSet: Error {
        let scene: String
        let surprises: [String]
    }
}

extension Client {
    /// - Parameter setting: what the task speaks of.
    /// - Returns: false if it died.
    func `do`(_ task: Scene.Task, _ stage: Stage, _ setting: Setting) -> Bool {
        switch task {
        case .add(let blocks): add(stage.stream(blocks))
        case .backup(let from, let to): add(TestArchive.backup(from, to)) { $0.level = 1 }
        case .prune(let drops, let unusedMax, let isAbandoning):
            prune(unusedMax: unusedMax, abandoning: isAbandoning) { snapshot in
                drops.contains { setting.snapshots[$0] == snapshot.id }
            }
        case .read(let place): read { $0.first { $0.id == setting.snapshots[place] } }
        case .hold: hold()
        case .condemn(let place): condemn(setting.packs[place]!)
        }
    }
}
