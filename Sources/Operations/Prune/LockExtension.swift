import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// Keeps what stays from being deleted for as long as what is written now: a night stands on packs of many nights
/// before, and an object is locked for some days from when it was written.
struct LockExtension {
    let vault: Vault

    /// - Returns: how many objects are kept longer now.
    func run() throws -> Int {
        var condemned: Set<ObjectID> = []
        // What nobody signed condemns nothing: else whoever may put objects could have the locks of others end.
        for target in Tombstone.Target.allCases {
            // It was told already.
            let tombstones = try vault.signedObjects.condemned(target, ignored: { _, _ in })
            condemned.formUnion(tombstones.map { $0.id })
        }
        var names = [ObjectName.config]
        for root in Folder.Root.allCases where root != .tombstones {
            names += try vault.store.list(.all(root)).map { $0.name }
        }
        names.removeAll { $0.id.map { condemned.contains($0) } ?? false }
        var count = 0
        // Any that is locked shows that the store can.
        for _ in 1...2 where !names.isEmpty {
            var unproven: [ObjectName] = []
            try ask(names) { name, change in
                switch change {
                case .longer: count += 1
                case .none: break
                case .unproven: unproven.append(name)
                }
            }
            names = unproven
        }
        if !names.isEmpty {
            vault.surroundings.warn(
                "nothing here is locked, so nothing was: add something with --object-lock first")
        }
        return count
    }

    private func ask(
        _ names: [ObjectName], _ take: (ObjectName, LockChange) throws -> Void
    ) throws {
        let (store, stop) = (vault.store, vault.surroundings.stopRequested)
        var done = 0
        try askAll(
            names, atOnce: try vault.requiredContext(.shared).requestsAtOnce,
            { name in
                if let signal = stop() { throw Interrupted(signal: signal) }
                return try store.keepLonger(name)
            }
        ) { name, change in
            try take(name, try change.get())
            done += 1
            vault.surroundings.progress(Progress(done, of: names.count, "objects locked"))
        }
    }
}
