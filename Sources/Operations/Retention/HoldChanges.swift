import Faults
import ObjectStorage
import PackStore
import Snapshots
import Vault
import WireFormat

/// What a hold that was just made holds.
package struct HoldOutcome: Sendable {
    package let hold: Hold
    package let held: [Snapshot]
    /// What was being dropped before the hold was there.
    package let late: [Snapshot]
}

extension Vault {
    /// Makes a hold: publishes it, then looks what it still caught (docs/format.md, section 15).
    package func addHold(
        named name: String, patterns: [SeriesPattern], term: HoldRecord.Term, reason: String? = nil,
        source: String? = nil
    ) throws -> HoldOutcome {
        let context = try requireRetention("make holds")
        guard (1...Limits.nameBytes).contains(name.utf8.count), !name.hasPrefix("-"),
            name.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f })
        else { throw RetentionError.badHoldName(name) }
        let now = surroundings.now()
        if try allHolds(unreadable: .told).contains(where: {
            $0.name == name && $0.isInForce(now: now)
        }) {
            throw RetentionError.holdExists(name)
        }
        let record = HoldRecord(
            name: name, recorded: now,
            content: .hold(patterns: patterns.map { $0.text }, term: term), reason: reason,
            source: source)
        let id = try signedObjects.put(.hold, record.bytes, context)
        guard let hold = Hold(id: id, record: record) else {
            preconditionFailure("a record of a hold is one")
        }
        // Only now: who condemns a snapshot from here on finds the hold when it looks again.
        let history = try History.load(self)
        let covered = history.snapshots.filter { hold.covers($0, now: now) }
        return try look(at: covered, hold)
    }

    /// The tombstone first, then whether it is there: the other order could miss one that is
    /// condemned and deleted in between.
    private func look(at covered: [Snapshot], _ hold: Hold) throws -> HoldOutcome {
        var (held, late): ([Snapshot], [Snapshot]) = ([], [])
        let (signed, store) = (signedObjects, store)
        let atOnce = try requiredContext(.shared).requestsAtOnce
        try askAll(
            covered, atOnce: atOnce,
            { snapshot in
                do {
                    if try signed.tombstone(.snapshot, snapshot.id) != nil { return false }
                } catch  where isDamage(error) {
                    // What nobody signed properly condemns nothing.
                }
                let name = ObjectName.snapshot(snapshot.domain, snapshot.id)
                return try store.byteCount(of: name) != nil
            }
        ) { snapshot, isThere in
            if try isThere.get() { held.append(snapshot) } else { late.append(snapshot) }
        }
        return HoldOutcome(hold: hold, held: held, late: late)
    }

    /// Ends all holds of a name that are in force; the record of them and of this stays.
    package func endHold(named name: String, reason: String?) throws -> [Hold] {
        let context = try requireRetention("end holds")
        let now = surroundings.now()
        let inForce = try allHolds(unreadable: .told).filter { $0.isInForce(now: now) }
        let ending = inForce.filter { $0.name == name }
        guard !ending.isEmpty else {
            throw RetentionError.noHold(name, near: Set(inForce.map { $0.name }).sorted())
        }
        for hold in ending {
            let record = HoldRecord(
                name: name, recorded: now, content: .end(of: hold.id), reason: reason)
            try signedObjects.put(.hold, record.bytes, context)
        }
        return ending
    }
}
