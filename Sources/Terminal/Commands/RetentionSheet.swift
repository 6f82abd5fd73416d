import Faults
import Operations
import Snapshots
import Vault
import WireFormat

/// The holds in force, asked by snapshot. A write key sees none.
struct HeldNames {
    private let holds: [Hold]
    private let now: Int64

    init(_ vault: Vault) throws {
        now = vault.surroundings.now()
        let now = now
        holds = try vault.allHolds(unreadable: .told).filter { $0.isInForce(now: now) }
    }

    init() { (holds, now) = ([], 0) }

    subscript(snapshot: Snapshot) -> [String] {
        var names: [String] = []
        for hold in holds where hold.covers(snapshot, now: now) && !names.contains(hold.name) {
            names.append(hold.name)
        }
        return names
    }
}

/// What `show` tells of holds and of the policy that keeps a snapshot.
struct RetentionSheet {
    private let holds: [Hold]
    /// Nil where it cannot be told, or nothing is said about the series.
    let decision: RetentionDecision?

    init(of snapshot: Snapshot, _ history: History, _ vault: Vault) throws {
        guard vault.seesRetention else {
            (holds, decision) = ([], nil)
            return
        }
        let now = vault.surroundings.now()
        var input = try RetentionInput.load(history, vault, now: now, unreadable: .told)
        holds = input.holds.filter { $0.covers(snapshot, now: now) }
        guard input.policies.policy(for: snapshot.head.series) != nil else {
            decision = nil
            return
        }
        input.asked = [snapshot.head.series]
        do {
            decision = try input.plan().decisions.first {
                $0.snapshot.id == snapshot.id && $0.snapshot.domain == snapshot.domain
            }
        } catch {
            vault.surroundings.warn("why it is kept cannot be told: \(explanation(of: error))")
            decision = nil
        }
    }

    var names: [String] { holds.map { $0.name } }

    /// A line a hold.
    var held: [String] {
        holds.map { hold in
            let why = [hold.record.source, hold.record.reason].compactMap { $0 }
            return "\(hold.name), \(hold.termText)"
                + (why.isEmpty ? "" : " (\(why.joined(separator: "; ")))")
        }
    }

    /// `daily 3 of 14, weekly 2 of 5 (policy shop/*)`.
    var kept: String? {
        guard let decision, let policy = decision.policy else { return nil }
        let reasons = decision.reasons.joined(separator: ", ")
        return (decision.keeps ? reasons : "no: \(reasons)") + " (policy \(policy))"
    }
}
