import ObjectStorage
import WireFormat

/// Faults where snapshots are condemned, held and stood on by others.
extension Mutant {
    static let ofSnapshots: [Mutant] = [
        Mutant("chain-no-look: who saves an increment does not look at its full", .writer, in: "chain") {
            $0.takeForGranted { memory, id in memory.own[id] == nil }
        },
        Mutant(
            "chain-exist-first: who saves an increment sees its full, then looks for the tombstone", .writer,
            in: "chain"
        ) { $0.seeFirst { memory, id in memory.own[id] == nil } },
        Mutant(
            "final-exist-first: writers see their manifest, then look for its tombstone", .writer,
            in: "abandoned"
        ) { $0.seeFirst { memory, id in memory.own[id] != nil } },
        Mutant("hold-no-look: who makes a hold does not look", .writer, in: "held") {
            $0.takeForGranted { _, _ in true }
        },
        Mutant("hold-look-before: who makes a hold looks before he does", .writer, in: "held") { lies in
            lies.beforePublishing = { memory, store in
                for folder in [Folder.tombstones(.snapshot), .snapshots(.shared)] {
                    memory.listings[folder] = try store.list(folder)
                }
            }
            lies.get = { name, memory, store in
                if case .tombstone(.snapshot, _) = name, memory.hasPublished,
                    memory.listings[.tombstones(.snapshot)]?.contains(where: { $0.name == name }) == false
                {
                    throw StorageError.missing(name)
                }
                return try store.get(name)
            }
            lies.byteCount = { name, memory, store in
                if case .snapshot = name, let seen = memory.listings[.snapshots(.shared)] {
                    return seen.first { $0.name == name }?.byteCount
                }
                return try store.byteCount(of: name)
            }
        },
        Mutant(
            "hold-exist-first: who makes a hold sees the snapshot, then looks for its tombstone", .writer,
            in: "held"
        ) { $0.seeFirst { _, _ in true } },
        Mutant("forget-no-tomb: snapshots are removed without a tombstone", .pruner, in: "chain") { lies in
            lies.puts = { name, _ in if case .tombstone(.snapshot, _) = name { false } else { true } }
        },
        Mutant("snapshot-untomb-first: the tombstone goes before the manifest", .pruner, in: "chain") { lies in
            lies.beforeRemoving = { name, store in
                if case .snapshot(_, let id) = name { try store.remove(.tombstone(.snapshot, id)) }
            }
        },
        Mutant(
            "chain-condemned-no-dep: increments that are condemned are passed over", .pruner,
            in: "chain-abandoned"
        ) { lies in
            lies.list = { folder, _, store in
                let listed = try store.list(folder)
                guard folder == .snapshots(.shared) else { return listed }
                let condemned = Set(try store.list(.tombstones(.snapshot)).map { $0.name.id })
                return listed.filter { !condemned.contains($0.name.id) }
            }
        },
        Mutant("chain-pending: increments without a commit are passed over", .pruner, in: "chain") {
            $0.hideUncommitted()
        },
        Mutant("chain-list-first: manifests are listed, then snapshots condemned", .pruner, in: "chain") {
            $0.listFirst(.snapshots(.shared))
        },
        Mutant(
            "delete-holds-before-tombstone: holds are listed, then snapshots condemned", .pruner, in: "held"
        ) { $0.listFirst(.records(.hold)) },
    ]
}

extension Lies {
    /// What is not committed is not listed.
    mutating func hideUncommitted() {
        list = { folder, _, store in
            let listed = try store.list(folder)
            guard folder == .snapshots(.shared) else { return listed }
            let commits = Set(try store.list(.commits(.shared)).map { $0.name.id })
            return listed.filter { commits.contains($0.name.id) }
        }
    }

    /// Some snapshots are there and carry no tombstone, whatever is stored.
    fileprivate mutating func takeForGranted(
        _ isMeant: @escaping @Sendable (Memory, ObjectID) -> Bool
    ) {
        get = { name, memory, store in
            if case .tombstone(.snapshot, let id) = name, isMeant(memory, id) {
                throw StorageError.missing(name)
            }
            return try store.get(name)
        }
        byteCount = { name, memory, store in
            if case .snapshot(_, let id) = name, isMeant(memory, id) { return 1 }
            return try store.byteCount(of: name)
        }
    }

    /// Of some snapshots it is seen that they are there before it is looked for their tombstones.
    fileprivate mutating func seeFirst(_ isMeant: @escaping @Sendable (Memory, ObjectID) -> Bool) {
        get = { name, memory, store in
            if case .tombstone(.snapshot, let id) = name, isMeant(memory, id) {
                let snapshot = ObjectName.snapshot(.shared, id)
                memory.sizes[snapshot] = .some(try store.byteCount(of: snapshot))
            }
            return try store.get(name)
        }
        byteCount = { name, memory, store in
            if let seen = memory.sizes.removeValue(forKey: name) { return seen }
            return try store.byteCount(of: name)
        }
    }

    /// A folder is listed before snapshots are condemned, and not again when it should be.
    fileprivate mutating func listFirst(_ folder: Folder) {
        beforeCondemning = { memory, store in
            if memory.listings[folder] == nil { memory.listings[folder] = try store.list(folder) }
        }
        list = { asked, memory, store in
            if asked == folder, let listed = memory.listings.removeValue(forKey: folder) { return listed }
            return try store.list(asked)
        }
    }
}
