import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

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
        let pass = PackPass(context, target.index, vault.surroundings, vault.fetching)
        let jobs = packs.map {
            PackJob(id: $0.id, byteCount: $0.byteCount, readsData: readsData)
        }
        try pass.run(jobs) { finding in
            if let damage = finding.damage {
                let name = ObjectName.pack(context.domain, finding.job.id)
                outcome.damages.append(("\(name)", damage))
            } else if readsData {
                outcome.bytesVerified += finding.job.byteCount
            }
        }
    }

    /// Every chunk of every list must be in a pack that is there, or in the manifest.
    private func check(_ reader: SnapshotReader) throws {
        let table = FrameTable(target.index.outlines, usable: target.existing)
        for stream in reader.manifest.streams {
            if case .content = stream.list { continue }
            var list = try reader.list(stream)
            while let entry = try list.next() {
                guard case .chunk(let id, _) = entry else { continue }
                if target.index.place(of: id, where: { table.isWhole($0) }) != nil { continue }
                _ = try reader.finder.find(id)
            }
        }
    }
}
