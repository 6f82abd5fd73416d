import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

extension Vault {
    /// Whether this key may see policies and holds: they lie in domain 0.
    package var seesRetention: Bool { context(.shared) != nil }

    /// What to do about a record that cannot be read.
    package enum Unreadable: Sendable {
        /// Something is going to be dropped: what is not understood may forbid it.
        case refused
        /// Something is only shown.
        case told
    }

    /// Throws a clear error where this key can change nothing of retention.
    func requireRetention(_ what: String) throws -> DomainContext {
        guard let context = context(.shared), keyring.kind != .write else {
            throw RetentionKeyError(what: what)
        }
        return context
    }

    // MARK: policies

    package func policies(unreadable: Unreadable) throws -> Policies {
        Policies(
            try newestPolicies(unreadable).values.compactMap { record in
                record.rules.map {
                    Policy(
                        pattern: SeriesPattern(record.pattern), rules: $0, version: record.version,
                        recorded: record.recorded)
                }
            })
    }

    /// The record that counts, of each pattern; also where it takes a policy away.
    func newestPolicies(_ unreadable: Unreadable) throws -> [String: PolicyRecord] {
        var newest: [String: (record: PolicyRecord, id: ObjectID)] = [:]
        try eachRecord(.policy, unreadable) { signed in
            let record = try PolicyRecord(signed.fields, what: "records/policies/\(signed.id)")
            let this = (record.version, record.recorded, signed.id)
            if let other = newest[record.pattern],
                (other.record.version, other.record.recorded, other.id) > this
            {
                return
            }
            newest[record.pattern] = (record, signed.id)
        }
        return newest.mapValues { $0.record }
    }

    // MARK: holds

    /// Every hold that was ever made, in the order they were.
    package func allHolds(unreadable: Unreadable) throws -> [Hold] {
        var records: [(id: ObjectID, record: HoldRecord)] = []
        try eachRecord(.hold, unreadable) { signed in
            records.append(
                (signed.id, try HoldRecord(signed.fields, what: "records/holds/\(signed.id)")))
        }
        var ends: [ObjectID: HoldRecord] = [:]
        for (_, record) in records {
            if case .end(let hold) = record.content { ends[hold] = record }
        }
        return records.compactMap { Hold(id: $0.id, record: $0.record, end: ends[$0.id]) }
            .sorted { ($0.record.recorded, $0.id) < ($1.record.recorded, $1.id) }
    }

    /// The holds that forbid to drop a snapshot, read anew.
    ///
    /// Whoever is about to drop it calls this again after it said so by a tombstone: a hold that was
    /// published before is then seen, and who publishes one later sees the tombstone.
    /// - Parameter now: the store's clock.
    package func holds(covering snapshot: Snapshot, now: Int64) throws -> [Hold] {
        try allHolds(unreadable: .refused).filter { $0.covers(snapshot, now: now) }
    }

    // MARK: acknowledgements

    /// Snapshots that somebody looked at and found to be as they should. What cannot be read only
    /// keeps more.
    package func acknowledged() throws -> Set<ObjectID> {
        var found: Set<ObjectID> = []
        try eachRecord(.acknowledgement, .told) { signed in
            found.formUnion(
                try AcknowledgementRecord(
                    signed.fields, what: "records/acknowledgements/\(signed.id)"
                ).snapshots)
        }
        return found
    }

    // MARK: reading

    /// Hands over the records of a kind; a write key sees none.
    private func eachRecord(
        _ kind: Record.Kind, _ unreadable: Unreadable, _ take: (SignedRecord) throws -> Void
    ) throws {
        guard seesRetention else { return }
        var broken: (name: ObjectName, error: any Error)?
        func unable(_ name: ObjectName, _ error: any Error) {
            broken = broken ?? (name, error)
            if unreadable == .told { surroundings.tellIgnored(name, error) }
        }
        for signed in try signedObjects.records(
            kind, context: { self.context($0) }, ignored: unable)
        {
            do { try take(signed) } catch let error as WireError {
                unable(.record(kind, signed.id), error)
            }
        }
        if let broken, unreadable == .refused {
            throw RetentionError.unreadable(name: "\(broken.name)", underlying: broken.error)
        }
    }
}

/// Throws where a hold forbids to drop one of them.
func refuseHeld(_ snapshots: [Snapshot], in vault: Vault) throws {
    let holds = try vault.allHolds(unreadable: .refused)
    let now = vault.surroundings.now()
    for snapshot in snapshots {
        let names = holds.filter { $0.covers(snapshot, now: now) }.map { $0.name }
        guard names.isEmpty else {
            throw RetentionError.held(
                id: snapshot.id.short, series: snapshot.head.series, holds: names)
        }
    }
}

/// The key that is open may change no policy and no hold.
struct RetentionKeyError: Explained {
    let what: String
    var message: String { "this key cannot \(what): it only adds snapshots of its own" }
    var hint: String? { "use a full or a maintain key: repo key list shows which there are" }
}
