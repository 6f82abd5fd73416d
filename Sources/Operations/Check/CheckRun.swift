import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

/// One run of `check`: every object is read or looked at, then every snapshot is held against what
/// is there.
struct CheckRun {
    private let request: CheckRequest
    private let vault: Vault
    private(set) var outcome = CheckOutcome()
    /// Frames that what manifests carry stands on: those of one night stand on much the same as
    /// those of the next.
    private let decoded = DecodedFrames(bytesMax: 2 * Limits.closureBytes)
    /// By object, the place in `outcome.damages`.
    private var damaged: [String: Int] = [:]
    /// For a repair.
    private(set) var findings = CheckFindings()

    init(_ request: CheckRequest, _ vault: Vault) {
        self.request = request
        self.vault = vault
    }

    mutating func checkAll() throws {
        if request.readDataPercent != nil && !vault.keyring.opensData {
            throw SealingError.lacksKey("read the data: run check without --read-data")
        }
        try checkConfig()
        try checkKeys()
        try checkSigned()
        let history: History
        do {
            history = try History.load(vault, acceptRollback: request.acceptRollback)
        } catch let error as RolledBack {
            for problem in error.problems { outcome.notes.append("rolled back: \(problem)") }
            outcome.exitCode = .rolledBack
            findings.isRolledBack = true
            history = try History.load(vault, acceptRollback: true, remembers: false)
        }
        findings.acceptsGaps = request.acceptRollback
        for (name, error) in history.unreadable { note(name, error, snapshot: name.snapshotID) }
        outcome.snapshots = history.snapshots.count
        for domain in try vault.allDomains() { try check(domain, history) }
        outcome.dataWasRead = request.readDataPercent != nil
        // Damage first: what is missing may only be unreadable. A version that is not known is no
        // damage.
        if !outcome.damages.isEmpty { outcome.exitCode = worst }
    }

    private var worst = ExitCode.unknownVersion

    // MARK: what is damaged

    private mutating func note(_ object: ObjectName, _ error: any Error, snapshot: ObjectID? = nil)
    {
        if tell(of: object, error, snapshot: snapshot) { findings.damaged.append(object) }
    }

    /// - Returns: whether it is damaged, and not of a version that is not known.
    @discardableResult
    private mutating func tell(
        of object: ObjectName, _ error: any Error, snapshot: ObjectID?
    ) -> Bool {
        note("\(object)", explanation(of: error), snapshot: snapshot)
        guard (error as? any Explained)?.exitCode != .unknownVersion else { return false }
        worst = .damage
        return true
    }

    private mutating func note(_ object: String, _ problem: String, snapshot: ObjectID?) {
        let place = damaged[object] ?? outcome.damages.count
        if place == outcome.damages.count {
            outcome.damages.append(Damage(object: object, problem: problem, snapshots: []))
            damaged[object] = place
        }
        if let snapshot, !outcome.damages[place].snapshots.contains(snapshot) {
            outcome.damages[place].snapshots.append(snapshot)
        }
    }

    // MARK: what is not in a domain

    private mutating func checkConfig() throws {
        do {
            let object = try vault.store.get(.config, limit: 64 << 10)
            guard object == vault.configObject else {
                throw WireError.malformed("config is not what the keys say it was")
            }
        } catch  where isDamage(error) {
            note(.config, error)
        }
    }

    private mutating func checkKeys() throws {
        for object in try vault.store.list(.keys) {
            do {
                let slot = try Vault.readSlot(object.name, vault.store)
                guard slot.repository == vault.config.repository else {
                    throw WireError.malformed("\(object.name) belongs to another repository")
                }
            } catch  where isDamage(error) {
                note(object.name, error)
            }
        }
    }

    private mutating func checkSigned() throws {
        let signed = vault.signedObjects
        var found: [(ObjectName, any Error)] = []
        for target in Tombstone.Target.allCases {
            _ = try signed.condemned(target) { found.append(($0, $1)) }
        }
        for kind in Record.Kind.allCases {
            _ = try signed.records(kind, context: { vault.context($0) }) { found.append(($0, $1)) }
        }
        for (name, error) in found { note(name, error) }
    }

    // MARK: one domain

    private mutating func check(_ domain: DomainID, _ history: History) throws {
        let context = try vault.requiredContext(domain)
        let index = try vault.openIndex(domain)
        _ = try IndexKeeper(context, index).refresh { _, _ in }
        let packs = try checkPacks(context, index)
        try checkIndexObjects(context, packs)
        try checkManifests(context, history, packs)
    }

    private mutating func checkPacks(_ context: DomainContext, _ index: ChunkIndex) throws
        -> PackCheck
    {
        let packs = try PackCheck(
            try vault.readingContext(context.domain), index, vault.surroundings,
            percent: request.readDataPercent, readsLists: request.repairs, vault.fetching)
        for (id, damage) in packs.damages.sorted(by: { $0.key < $1.key }) {
            note(.pack(context.domain, id), damage)
        }
        outcome.packs += packs.packCount
        outcome.chunks += packs.chunkCount
        outcome.bytesRead += packs.bytesRead
        return packs
    }

    private mutating func checkIndexObjects(_ context: DomainContext, _ packs: PackCheck) throws {
        try askAll(
            try IndexKeeper.objects(context), atOnce: context.requestsAtOnce,
            { try IndexKeeper.readPacks($0, context) }
        ) { id, read in
            let name = ObjectName.index(context.domain, id)
            do {
                let spoken = try read.get().map { $0.0 }
                for pack in spoken {
                    // What is gone, a prune took away: index objects speak of it until they are merged.
                    guard packs.directories[pack.id] != nil else { continue }
                    guard packs.fieldsHashes[pack.id] == SHA256.hash(pack.directory) else {
                        throw WireError.malformed(
                            "\(name) says something else of pack \(pack.id.short) than the pack itself"
                        )
                    }
                }
                findings.indexed.formUnion(spoken.map { $0.id })
            } catch  where isDamage(error) {
                note(name, error)
            }
        }
    }

    private mutating func checkManifests(
        _ context: DomainContext, _ history: History, _ packs: PackCheck
    ) throws {
        let store = SnapshotStore(context)
        let heads = Dictionary(
            uniqueKeysWithValues: history.snapshots.filter { $0.domain == context.domain }.map {
                ($0.id, $0)
            })
        let committed = try store.committed()
        // Read after the commits: what is removed has its record before.
        let forgotten = try History.forgottenSnapshots(vault)
        for id in committed where heads[id] == nil {
            guard try context.store.byteCount(of: .snapshot(context.domain, id)) == nil else {
                continue
            }
            // What was removed on purpose, or while it was being committed, has a tombstone or a record.
            if try vault.signedObjects.tombstone(.snapshot, id) == nil, !forgotten.contains(id) {
                let name = ObjectName.snapshot(context.domain, id)
                note(name, StorageError.missing(name), snapshot: id)
            }
        }
        guard context.keyring.opensLists else {
            outcome.notes.append(
                "manifests and lists of \(context.domain) were not checked: this key cannot open them"
            )
            return
        }
        for id in try store.manifests() {
            if let signal = vault.surroundings.stopRequested() { throw Interrupted(signal: signal) }
            guard let snapshot = heads[id] else {
                try checkUncommitted(id, store, context)
                continue
            }
            let losses = Losses()
            let reader: SnapshotReader
            do { reader = try SnapshotReader(snapshot, vault, losses: losses) } catch
                where isDamage(error)
            {
                note(.snapshot(context.domain, id), error, snapshot: id)
                continue
            }
            do { try check(reader, losses, packs) } catch  where isDamage(error) {
                blame(snapshot, error)
            }
        }
    }

    /// Says what is wrong with what a manifest speaks of; the manifest itself is whole.
    private mutating func blame(_ snapshot: Snapshot, _ error: any Error) {
        tell(of: .snapshot(snapshot.domain, snapshot.id), error, snapshot: snapshot.id)
    }

    private mutating func checkUncommitted(
        _ id: ObjectID, _ store: SnapshotStore, _ context: DomainContext
    ) throws {
        do {
            _ = try store.manifest(id, expecting: nil)
            outcome.notes.append("snapshot \(id.short) was never finished; prune takes it away")
        } catch  where isDamage(error) {
            note(.snapshot(context.domain, id), error)
        }
    }

    /// Every chunk of every list of a snapshot must be in a sound pack, or in the manifest.
    private mutating func check(_ reader: SnapshotReader, _ losses: Losses, _ packs: PackCheck)
        throws
    {
        let carried = try lookAtCarried(reader, packs)
        for stream in reader.manifest.streams {
            if case .content = stream.list {
                // Short metadata is read for its checksum: it costs nothing more.
                let parts = try reader.read(stream)
                while try parts.part() != nil {}
            } else {
                try check(stream, reader, losses, carried, packs)
            }
        }
        guard !losses.isEmpty else { return }
        outcome.losses.append(
            SnapshotLosses(
                snapshot: reader.snapshot, losses: losses.all,
                parts: try reader.parts(hitBy: losses)))
    }

    private mutating func check(
        _ stream: Manifest.Stream, _ reader: SnapshotReader, _ losses: Losses, _ carried: Carried,
        _ packs: PackCheck
    ) throws {
        let snapshot = reader.snapshot
        var nodes: [ChunkID] = []
        var list = try reader.list(stream, onNode: { nodes.append($0) })
        var end = 0
        var last = (byteCount: 0, isLost: false)
        while let entry = try list.next() {
            var areThere = true
            for node in nodes where !demand(node, nil, snapshot, carried, packs) {
                areThere = false
            }
            nodes = []
            let count: Int
            switch entry {
            case .chunk(let id, let byteCount):
                last = (byteCount, !demand(id, byteCount, snapshot, carried, packs))
                count = byteCount
            case .zeros(let byteCount):
                last = (byteCount, list.isLost)
                if let failure = list.failure, areThere { blame(snapshot, failure) }
                count = byteCount
            case .again(let times): count = times * last.byteCount
            }
            if last.isLost { losses.add(stream.role, end..<(end + count)) }
            end += count
        }
    }

    /// - Returns: whether the chunk can be had.
    private mutating func demand(
        _ id: ChunkID, _ byteCount: Int?, _ snapshot: Snapshot, _ carried: Carried,
        _ packs: PackCheck
    ) -> Bool {
        if let found = carried.chunks[id] ?? packs.chunks[id] {
            guard let byteCount, found != byteCount else { return true }
            note(
                "chunk \(id)", "chunk \(id) has \(found) bytes instead of \(byteCount)",
                snapshot: snapshot.id)
            worst = .damage
            return false
        }
        var blamed = (carried.blamed[id].map { [$0] } ?? []) + (packs.blamed[id] ?? [])
        if blamed.isEmpty { blamed = packs.gone(holding: id).map { .pack($0) } }
        for blame in blamed { note(blame, snapshot) }
        if blamed.isEmpty {
            note(
                "chunk \(id)", "chunk \(id.description.prefix(12)) is in no pack that is left",
                snapshot: snapshot.id)
            worst = .damage
        }
        return false
    }

    private mutating func note(_ blame: Blame, _ snapshot: Snapshot) {
        worst = .damage
        switch blame {
        case .pack(let pack):
            note(
                "\(ObjectName.pack(snapshot.domain, pack))",
                "it is gone, and what it held is needed", snapshot: snapshot.id)
        case .segment(let name):
            note(
                "segment \(name.number) of envelope \(name.envelope)",
                LostSegment(name: name).message,
                snapshot: snapshot.id)
        }
    }

    /// What a manifest carries itself, by chunks.
    private struct Carried {
        /// The length of each that can be had.
        var chunks: [ChunkID: Int] = [:]
        /// What is to blame for each that cannot; a pack may hold it as well.
        var blamed: [ChunkID: Blame] = [:]
    }

    /// Looks at what a manifest carries itself, and decodes it if data is read.
    private mutating func lookAtCarried(_ reader: SnapshotReader, _ packs: PackCheck) throws
        -> Carried
    {
        var carried = Carried()
        guard let directory = reader.inline else { return carried }
        let decoder = try request.readDataPercent.map { _ in
            try FrameDecoder(reader.context, reader.finder, decoded)
        }
        for (number, frame) in directory.frames.enumerated() {
            let blame = packs.blame(frame: number, of: directory)
            do { if blame == nil { try decoder?.verify(frame: number, of: directory) } } catch
                where isDamage(error)
            {
                self.blame(reader.snapshot, error)
                continue
            }
            for chunk in frame.chunks {
                let chunk = directory.chunks[Int(chunk)]
                if let blame {
                    carried.blamed[chunk.id] = blame
                } else {
                    carried.chunks[chunk.id] = Int(chunk.byteCount)
                }
            }
        }
        return carried
    }
}

extension ObjectName {
    var snapshotID: ObjectID? {
        switch self {
        case .snapshot(_, let id), .commit(_, let id): id
        default: nil
        }
    }
}
