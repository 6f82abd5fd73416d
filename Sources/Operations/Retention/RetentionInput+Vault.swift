import Faults
import Snapshots
import Vault
import WireFormat

extension RetentionInput {
    /// Reads policies, holds and acknowledgements, and takes them together with the snapshots.
    /// - Parameters:
    ///   - given: rules for this run, instead of the stored policies.
    ///   - now: the store's clock.
    ///   - unreadable: `.refused` where something is dropped afterwards.
    package static func load(
        _ history: History, _ vault: Vault, given: Policy? = nil, now: Int64,
        unreadable: Vault.Unreadable = .refused
    ) throws -> RetentionInput {
        let zones = TimeZones(vault.surroundings.systemCalls)
        return RetentionInput(
            snapshots: history.snapshots,
            policies: try given.map { Policies([$0]) } ?? vault.policies(unreadable: unreadable),
            holds: try vault.allHolds(unreadable: unreadable),
            acknowledged: try vault.acknowledged(),
            forgotten: try forgotten(history, vault), now: now, zone: { try zones.zone($0) })
    }

    /// Records of what is gone are many; only what write keys add is compared with what is usual.
    private static func forgotten(
        _ history: History, _ vault: Vault
    ) throws -> [SeriesName: [Int64]] {
        guard history.snapshots.contains(where: { $0.domain != .shared }) else { return [:] }
        var found: [SeriesName: [Int64]] = [:]
        for (domain, record) in try History.forgottenRecords(vault) where domain != .shared {
            found[SeriesName(record.series, domain), default: []].append(record.time)
        }
        return found.mapValues { $0.sorted() }
    }

    /// The series that some words mean: by name or pattern; where there is none, those of the group
    /// of that name.
    package static func series(meantBy text: String, in history: History) throws -> Set<String> {
        let all = Set(history.snapshots.map { $0.head.series })
        let pattern = SeriesPattern(text)
        let meant = all.filter { pattern.matches($0) }
        if !meant.isEmpty { return meant }
        let ofGroup = history.snapshots.filter { $0.head.group == text }.map { $0.head.series }
        guard ofGroup.isEmpty else { return Set(ofGroup) }
        let near = all.map { (editDistance($0, text), $0) }
            .filter { $0.0 <= max(2, text.count / 2) }.sorted { $0 < $1 }.prefix(3).map { $0.1 }
        throw RetentionError.unknownSeries(text, near: near)
    }
}

extension Vault {
    /// Says that snapshots which seemed strange are as they should be.
    package func acknowledge(_ anomalies: [Anomaly]) throws {
        let context = try requireRetention("acknowledge anything")
        let series = Dictionary(grouping: anomalies) { $0.snapshot.seriesName }
        for (name, members) in series.sorted(by: { $0.key < $1.key }) {
            var rest = Set(members.map { $0.snapshot.id }).sorted()[...]
            while !rest.isEmpty {
                let some = rest.prefix(AcknowledgementRecord.snapshotsMax)
                rest = rest.dropFirst(some.count)
                let record = AcknowledgementRecord(
                    series: name.name, domain: name.domain, recorded: surroundings.now(),
                    snapshots: Array(some))
                try signedObjects.put(.acknowledgement, record.bytes, context)
            }
        }
    }
}
