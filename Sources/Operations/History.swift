import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// All snapshots that count and that this key can see, oldest first.
package struct History: Sendable {
    package let snapshots: [Snapshot]
    /// Commits that could not be read.
    package let unreadable: [(name: ObjectName, error: any Error)]

    /// - Parameter snapshots: oldest first.
    package init(
        snapshots: [Snapshot], unreadable: [(name: ObjectName, error: any Error)] = []
    ) {
        self.snapshots = snapshots
        self.unreadable = unreadable
    }

    /// Reads the heads, and holds what they say against what this client saw before.
    /// - Parameters:
    ///   - acceptRollback: takes an older state as the truth from now on.
    ///   - remembers: whether it does so for later commands, too.
    package static func load(
        _ vault: Vault, acceptRollback: Bool = false, remembers: Bool = true
    ) throws -> History {
        // Before the commits: what another command of this machine commits and remembers after they
        // were listed would be missing among them.
        let remembered = acceptRollback ? [:] : try vault.cache?.remembered() ?? [:]
        var snapshots: [Snapshot] = []
        var unreadable: [(ObjectName, any Error)] = []
        // Of a domain whose heads cannot all be read nothing is known to be missing.
        var readable: [(domain: DomainID, snapshots: [Snapshot])] = []
        for (domain, commits) in try vault.committed(besides: remembered.keys) {
            guard let context = vault.context(domain) else { continue }
            let store = SnapshotStore(context)
            var found: [Snapshot] = []
            try askAll(commits, atOnce: context.requestsAtOnce, { try store.head($0.id) }) {
                commit, head in
                do {
                    found.append(
                        Snapshot(
                            domain: domain, id: commit.id, head: try head.get(),
                            committed: commit.modified))
                } catch StorageError.missing {
                    return
                } catch  where isDamage(error) {
                    unreadable.append((.commit(domain, commit.id), error))
                }
            }
            if unreadable.isEmpty { readable.append((domain, found)) }
            let manifests = Set(try store.manifests())
            snapshots += found.filter { manifests.contains($0.id) }
        }
        if remembers {
            try checkRollback(vault, readable, remembered, accept: acceptRollback)
        }
        snapshots.sort { ($0.head.time, $0.id) < ($1.head.time, $1.id) }
        return History(snapshots: snapshots, unreadable: unreadable)
    }

    private static func checkRollback(
        _ vault: Vault, _ committed: [(domain: DomainID, snapshots: [Snapshot])],
        _ remembered: [DomainID: [ObjectID: UInt64]], accept: Bool
    ) throws {
        guard !committed.isEmpty else { return }
        // Once for all, after the heads: what is removed meanwhile has its record before.
        let forgotten = try forgottenRecords(vault)
        for (domain, snapshots) in committed {
            // A writer numbers its snapshots in each domain by itself.
            try checkRollback(
                vault, domain, snapshots,
                forgotten.filter { $0.domain == domain }.map { $0.record },
                remembered[domain] ?? [:], accept: accept)
        }
    }

    private static func checkRollback(
        _ vault: Vault, _ domain: DomainID, _ committed: [Snapshot],
        _ forgotten: [ForgottenRecord], _ remembered: [ObjectID: UInt64], accept: Bool
    ) throws {
        // Who remembers nothing still sees what is missing between others.
        let problems = Rollback.missing(committed, forgotten: forgotten, remembered: remembered)
        guard problems.isEmpty || accept else { throw RolledBack(problems: problems) }
        guard let cache = vault.cache else { return }
        // Others may have remembered more since.
        let before = accept ? [:] : try cache.remembered(domain)
        var numbers = before
        for snapshot in committed {
            let writer = snapshot.head.writer
            numbers[writer] = max(numbers[writer] ?? 0, snapshot.head.sequence)
        }
        if numbers != before || accept {
            // A cache that cannot be written costs the memory, not the command.
            do { try cache.remember(numbers, domain) } catch {
                vault.surroundings.warn("the cache cannot be written: \(explanation(of: error))")
            }
        }
    }

    /// The snapshots that were removed on purpose, as far as this key can read of them.
    package static func forgottenSnapshots(_ vault: Vault) throws -> Set<ObjectID> {
        Set(try forgottenRecords(vault).map { $0.record.snapshot })
    }

    /// What was removed on purpose, as far as this key can read it.
    package static func forgottenRecords(_ vault: Vault) throws
        -> [(domain: DomainID, record: ForgottenRecord)]
    {
        let known = try vault.cache?.knownRecords(.forgotten) ?? [:]
        let records = try vault.signedObjects.records(
            .forgotten, known: known, context: { vault.context($0) },
            ignored: vault.surroundings.tellIgnored)
        if records.contains(where: { known[$0.id] == nil }) {
            // A cache that cannot be written costs the next command the same, not this one.
            try? vault.cache?.keepRecords(records, .forgotten)
        }
        return try records.map {
            let what = "a record of a forgotten snapshot"
            return ($0.domain, try ForgottenRecord($0.fields, what: what))
        }
    }

    /// The snapshots of a series in a domain, oldest first.
    package func series(_ name: String, in domain: DomainID) -> [Snapshot] {
        snapshots.filter { $0.head.series == name && $0.domain == domain }
    }
}
