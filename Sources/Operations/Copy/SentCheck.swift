import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// Looks at what a run has sent to one domain: packs are read back, and every piece of every snapshot
/// is looked for.
struct SentCheck {
    private let target: CopyTarget
    private let vault: Vault
    private let readsData: Bool

    /// - Parameter readsData: whether packs are read whole, or looked for only.
    init(_ target: CopyTarget, _ vault: Vault, readsData: Bool) throws {
        self.target = target
        self.vault = vault
        self.readsData = readsData
    }

    func run(
        _ packs: [(id: ObjectID, byteCount: Int)], _ snapshots: [Snapshot],
        into outcome: inout CopyOutcome
    ) throws {
        try checkPacks(packs, into: &outcome)
        guard vault.keyring.opensLists else { return }
        var before: SnapshotReader?
        for snapshot in snapshots {
            do {
                let reader = try SnapshotReader(snapshot, vault, after: before)
                before = reader
                try check(reader)
            } catch  where isDamage(error) {
                outcome.damages.append(
                    ("\(ObjectName.snapshot(snapshot.domain, snapshot.id))", error))
            }
        }
    }

    private func checkPacks(
        _ packs: [(id: ObjectID, byteCount: Int)], into outcome: inout CopyOutcome
    ) throws {
        // What is read back comes from the store itself, not from copies of what was sent.
        let context = try vault.readingContext(target.context.domain)
        let (index, workers) = (target.index, vault.surroundings.workers)
        let verifiers = Pipeline(workers: workers, inFlight: workers + 2) {
            try PackVerifier(context, index)
        }
        defer { verifiers.stop() }
        let total = packs.reduce(0) { $0 + $1.byteCount }
        var done = 0
        var ahead = readsData ? packs[...] : []
        var expected: [ObjectID: Expected] = [:]
        func fetchAhead() {
            while let fetching = vault.fetching, let (id, byteCount) = ahead.first,
                fetching.wantsMore
            {
                expected[id] = fetching.expect(
                    .pack(context.domain, id), byteCount: byteCount)
                ahead.removeFirst()
            }
        }
        func take() throws {
            guard let finding = try verifiers.take() else { return }
            if let step = expected.removeValue(forKey: finding.job.id) {
                vault.fetching?.done(step)
            }
            done += finding.job.byteCount
            vault.surroundings.progress(Progress(bytes: done, bytesTotal: total))
            if let damage = finding.damage {
                let name = ObjectName.pack(context.domain, finding.job.id)
                outcome.damages.append(("\(name)", damage))
            } else if readsData {
                outcome.bytesVerified += finding.job.byteCount
            }
        }
        for (id, byteCount) in packs {
            if let signal = vault.surroundings.stopRequested() { throw Interrupted(signal: signal) }
            while verifiers.isFull { try take() }
            fetchAhead()
            verifiers.submit(PackJob(id: id, byteCount: byteCount, readsData: readsData))
        }
        while verifiers.count > 0 { try take() }
    }

    /// Every chunk of every list must be in a pack that is there, or in the manifest.
    private func check(_ reader: SnapshotReader) throws {
        let existing = target.existing
        for stream in reader.manifest.streams {
            if case .content = stream.list { continue }
            var list = try reader.list(stream)
            while let entry = try list.next() {
                guard case .chunk(let id, _) = entry else { continue }
                if target.index.place(of: id, where: { existing.contains($0) }) != nil { continue }
                _ = try reader.finder.find(id)
            }
        }
    }
}
