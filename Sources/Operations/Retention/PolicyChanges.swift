import Faults
import Snapshots
import Vault
import WireFormat

extension Vault {
    /// Sets the rules for a pattern, in place of what was set for it before.
    package func setPolicy(_ pattern: SeriesPattern, _ rules: RetentionRules) throws -> Policy {
        try rules.check(for: pattern.text)
        _ = try TimeZones(surroundings.systemCalls).zone(rules.timezone)
        let record = try putPolicy(pattern.text, rules)
        return Policy(
            pattern: pattern, rules: rules, version: record.version, recorded: record.recorded)
    }

    /// Takes the policy of a pattern away.
    package func removePolicy(_ pattern: String) throws {
        _ = try requireRetention("change policies")
        let all = try policies(unreadable: .told).all.map { $0.pattern.text }
        guard all.contains(pattern) else {
            throw RetentionError.noPolicy(pattern: pattern, near: all.sorted())
        }
        _ = try putPolicy(pattern, nil)
    }

    private func putPolicy(_ pattern: String, _ rules: RetentionRules?) throws -> PolicyRecord {
        let context = try requireRetention("change policies")
        let before = try newestPolicies(.told)[pattern]?.version ?? 0
        // The last number there is would be the last policy: it is shared rather than passed.
        let record = PolicyRecord(
            pattern: pattern, version: before == .max ? before : before + 1,
            recorded: surroundings.now(), rules: rules)
        try signedObjects.put(.policy, record.bytes, context)
        return record
    }
}
