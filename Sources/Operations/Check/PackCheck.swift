import ChunkIndex
import ObjectStorage
import PackStore
import Vault
import WireFormat
import Workers

/// What is to blame where a chunk cannot be had.
enum Blame: Hashable {
    case pack(ObjectID)
    /// A segment that no pack holds.
    case segment(PackDirectory.SegmentName)
}

/// All packs of a domain, and what is wrong with them.
struct PackCheck {
    private let context: DomainContext
    private let index: ChunkIndex
    private let surroundings: Surroundings
    private let percent: Int?
    private let readsLists: Bool
    /// Where the store is far: fetches ahead.
    private let fetching: FetchingStore?

    private(set) var directories: [ObjectID: OpenDirectory] = [:]
    private(set) var fieldsHashes: [ObjectID: [UInt8]] = [:]
    private(set) var damages: [ObjectID: any Error] = [:]
    /// Of those, the segments that are sound.
    private var sound: [ObjectID: Set<Int>] = [:]
    /// Every chunk that can be had, with its length.
    private(set) var chunks: [ChunkID: Int] = [:]
    /// What is to blame for each that cannot.
    private(set) var blamed: [ChunkID: [Blame]] = [:]
    private(set) var packCount = 0
    private(set) var chunkCount = 0
    private(set) var bytesRead = 0

    /// The packs whose directories could be read, in the order of their names.
    private var packs: [(id: ObjectID, directory: OpenDirectory)] = []
    /// For each frame what is to blame if it cannot be had.
    private var verdicts: [[Blame?]] = []
    /// Where messages of an envelope lie, or lay: places in `packs`, and packs that are not there.
    private var holders: [ObjectID: (there: [Int], gone: [ObjectID])] = [:]

    /// A frame, by its pack's place in `packs` and its number there.
    private struct FrameName: Hashable {
        let pack: Int
        let number: Int
    }

    /// - Parameters:
    ///   - percent: of the packs, to be read whole; nil for none.
    ///   - readsLists: whether all that hold lists are read whole besides.
    init(
        _ context: DomainContext, _ index: ChunkIndex, _ surroundings: Surroundings, percent: Int?,
        readsLists: Bool, _ fetching: FetchingStore?
    ) throws {
        self.readsLists = readsLists
        self.fetching = fetching
        self.context = context
        self.index = index
        self.surroundings = surroundings
        self.percent = percent
        try readPacks()
        packs = directories.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for (place, pack) in packs.enumerated() {
            for envelope in pack.directory.envelopes {
                holders[envelope.header.id, default: ([], [])].there.append(place)
            }
        }
        for (envelope, names) in index.outlines.holders {
            holders[envelope, default: ([], [])].gone += names.filter { directories[$0] == nil }
        }
        let order = framesByDepth()
        if percent != nil { try verifyDeltas(order) }
        listChunks(order)
    }

    // MARK: the packs themselves

    private mutating func readPacks() throws {
        let listed = try context.store.list(.packs(context.domain))
        let lists = readsLists ? index.packs.filter { $0.value.contentClass == .list } : [:]
        let jobs = listed.enumerated().compactMap { position, object -> PackJob? in
            guard case .pack(_, let id) = object.name else { return nil }
            return PackJob(
                id: id, byteCount: object.byteCount,
                readsData: isChosen(position, of: listed.count) || lists[id] != nil)
        }
        let pass = PackPass(context, index, surroundings, fetching)
        try pass.run(jobs) { finding in
            let id = finding.job.id
            packCount += 1
            directories[id] = finding.directory
            fieldsHashes[id] = finding.fieldsHash
            damages[id] = finding.damage
            if finding.damage != nil { sound[id] = finding.sound }
            if finding.job.readsData && finding.damage == nil { bytesRead += finding.job.byteCount }
        }
    }

    /// Spreads the chosen percentage evenly over the packs.
    private func isChosen(_ position: Int, of count: Int) -> Bool {
        guard let percent else { return false }
        return (position + 1) * percent / 100 > position * percent / 100 || percent >= 100
    }

    // MARK: what stands on others

    /// All frames, those first that stand on nothing, and each behind what it stands on.
    private func framesByDepth() -> [FrameName] {
        var byDepth = [[FrameName]](repeating: [], count: Limits.depth + 1)
        for (place, pack) in packs.enumerated() {
            for (number, frame) in pack.directory.frames.enumerated() {
                byDepth[Int(frame.depth)].append(FrameName(pack: place, number: number))
            }
        }
        return byDepth.flatMap { $0 }
    }

    /// What a frame stands on; of several copies of a segment the first. A base that is nowhere, or
    /// not less deep, is told as what is to blame.
    private func bases(of name: FrameName) -> [Result<FrameName, Blamed>] {
        bases(frame: name.number, of: packs[name.pack].directory)
    }

    private func bases(frame number: Int, of directory: OpenDirectory) -> [Result<
        FrameName, Blamed
    >] {
        let frame = directory.frames[number]
        return directory.pieces[Int(frame.pieces.lowerBound)..<Int(frame.pieces.upperBound)].map {
            piece in
            let segment = directory.baseSegments[piece.segment]
            let holder = holders[segment.envelope] ?? ([], [])
            for place in holder.there {
                let base = packs[place].directory
                guard let found = base.segment(named: segment) else { continue }
                let number = Int(base.segments[found].frames.lowerBound) + piece.frame
                if number < base.segments[found].frames.upperBound,
                    base.frames[number].depth < frame.depth
                {
                    return .success(FrameName(pack: place, number: number))
                }
            }
            return .failure(
                Blamed(blame: holder.gone.first.map { .pack($0) } ?? .segment(segment)))
        }
    }

    private struct Blamed: Error {
        let blame: Blame
    }

    /// Decodes every delta of the packs that are sound by themselves, in an order in which those
    /// that stand on the same come together: each base is decoded about once.
    private mutating func verifyDeltas(_ order: [FrameName]) throws {
        let workers = surroundings.workers
        let context = context
        let finder = ChunkFinder(context, index, known: directories)
        let shared = DecodedFrames(bytesMax: 48 << 20)
        let verifiers = Pipeline(workers: workers, inFlight: workers + 2) {
            try DeltaVerifier(context, finder, shared)
        }
        defer { verifiers.stop() }
        var failures: [FrameName: any Error] = [:]
        var plan = fetching.map { FetchPlan($0, finder) }
        defer { plan?.end() }
        // Those that wait, those of them that are being fetched, and those with the verifiers.
        var waiting: [(job: DeltaJob, names: [FrameName])] = []
        var fetched = 0
        var jobs: [[FrameName]] = []
        func take() throws {
            guard let failed = try verifiers.take() else { return }
            plan?.stretchDone()
            let names = jobs.removeFirst()
            for (place, damage) in failed { failures[names[place]] = damage }
        }
        func tell(rest: Int) {
            plan?.tell(rest: rest)
            fetched = waiting.count
        }
        func submitOldest() throws {
            while verifiers.isFull { try take() }
            let (job, names) = waiting.removeFirst()
            fetched -= 1
            verifiers.submit(job)
            jobs.append(names)
        }
        var (job, names) = (DeltaJob(), [FrameName]())
        func submit() throws {
            plan?.gather(job.frames, byteCount: job.rawBytes)
            waiting.append((job, names))
            (job, names) = (DeltaJob(), [])
            if plan?.isFull ?? true { tell(rest: 1 << 30) }
            while fetched > 0, !(plan?.wantsMore ?? false) { try submitOldest() }
        }
        for name in deltas(order) {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            let directory = packs[name.pack].directory
            job.frames.append((directory, name.number))
            job.rawBytes += Int(directory.frames[name.number].rawBytes)
            names.append(name)
            if job.rawBytes >= Self.jobBytes { try submit() }
        }
        if !names.isEmpty { try submit() }
        tell(rest: 0)
        while !waiting.isEmpty { try submitOldest() }
        while verifiers.count > 0 { try take() }
        for (name, damage) in failures where !isDamaged(name) {
            // A frame whose base failed, or is not there, is not at fault itself.
            let isOwn = bases(of: name).allSatisfy { base in
                guard let base = try? base.get() else { return false }
                return failures[base] == nil && !isDamaged(base)
            }
            if isOwn { condemn(name, damage) }
        }
    }

    /// Whether the segment of a frame is damaged, or may be.
    private func isDamaged(_ name: FrameName) -> Bool {
        let (id, directory) = packs[name.pack]
        guard damages[id] != nil else { return false }
        return sound[id]?.contains(Int(directory.frames[name.number].segment)) != true
    }

    /// Notes that a frame is damaged of which the pack, or the segment, seemed sound.
    private mutating func condemn(_ name: FrameName, _ damage: any Error) {
        let (id, directory) = packs[name.pack]
        if damages[id] == nil {
            damages[id] = damage
            sound[id] = Set(directory.segments.indices)
        }
        sound[id]?.remove(Int(directory.frames[name.number].segment))
    }

    private static let jobBytes = 1 << 20

    /// The deltas of sound packs, by the frame that they stand on in the end.
    private func deltas(_ order: [FrameName]) -> [FrameName] {
        var roots = packs.map { [UInt64](repeating: 0, count: $0.directory.frames.count) }
        var deltas: [(root: UInt64, name: FrameName)] = []
        for name in order {
            var root = UInt64(name.pack) << 32 | UInt64(name.number)
            if let base = bases(of: name).first, let base = try? base.get() {
                root = roots[base.pack][base.number]
            }
            roots[name.pack][name.number] = root
            let pack = packs[name.pack]
            if pack.directory.frames[name.number].codec == .delta, !isDamaged(name) {
                deltas.append((root, name))
            }
        }
        // Stable: what is deeper stays behind.
        return deltas.enumerated().sorted {
            ($0.element.root, $0.offset) < ($1.element.root, $1.offset)
        }.map { $0.element.name }
    }

    // MARK: the chunks

    /// Packs that held a chunk, as index objects say, and are gone or cannot be looked into.
    func gone(holding id: ChunkID) -> Set<ObjectID> {
        Set(index.places(of: id).map { $0.pack }).filter { directories[$0] == nil }
    }

    /// What is to blame if what a frame stands on cannot be had.
    func blame(frame number: Int, of directory: OpenDirectory) -> Blame? {
        for base in bases(frame: number, of: directory) {
            switch base {
            case .success(let base):
                if let blame = verdicts[base.pack][base.number] { return blame }
            case .failure(let blamed): return blamed.blame
            }
        }
        return nil
    }

    /// Which chunks can be had, and what is to blame for the others.
    private mutating func listChunks(_ order: [FrameName]) {
        verdicts = packs.map { [Blame?](repeating: nil, count: $0.directory.frames.count) }
        for name in order {
            let (id, directory) = packs[name.pack]
            let blame =
                isDamaged(name) ? .pack(id) : blame(frame: name.number, of: directory)
            verdicts[name.pack][name.number] = blame
            for chunk in directory.frames[name.number].chunks {
                let chunk = directory.chunks[Int(chunk)]
                chunkCount += 1
                if let blame {
                    blamed[chunk.id, default: []].append(blame)
                } else {
                    chunks[chunk.id] = Int(chunk.byteCount)
                }
            }
        }
    }
}
