import PackStore
import Snapshots
import Vault
import WireFormat
import Workers

/// Copies what one snapshot consists of to a repository of the same keys: segments go as they are sealed,
/// under their names, with those that they stand on.
final class VerbatimCopy {
    private let reader: SnapshotReader
    private let store: ChunkStore
    private let progress: (Int) -> Void
    private let segments: Pipeline<SegmentReader>
    /// Frames that were seen, and what they stand on before them.
    private var seen: Set<FrameName> = []
    private var last: FoundChunk?
    /// Segments to be moved next, in order, and which frames of them are wanted.
    private var places: [SegmentPlace] = []
    private var wanted: [PackDirectory.SegmentName: Set<Int>] = [:]
    private var moved: Set<PackDirectory.SegmentName> = []
    private var expected: ArraySlice<Expected> = []
    /// About so many bytes of the stream are still to be looked at.
    private var rest = 0

    private static let placesMax = 128

    init(
        _ reader: SnapshotReader, _ store: ChunkStore, _ progress: @escaping (Int) -> Void
    ) {
        self.reader = reader
        self.store = store
        self.progress = progress
        let context = reader.context
        let pool = SegmentReader.pool()
        let workers = reader.surroundings.workers
        segments = Pipeline(workers: workers, inFlight: workers + 4) {
            SegmentReader(context, pool: pool)
        }
    }

    deinit { segments.stop() }

    func run() throws {
        for stream in reader.manifest.streams {
            if case .content = stream.list { continue }
            var nodes: [ChunkID] = []
            var list = try reader.list(stream) { nodes.append($0) }
            var position = 0
            rest = stream.byteCount
            while let entry = try list.next() {
                try reader.checkStop()
                for node in nodes { try need(node, .list) }
                nodes.removeAll(keepingCapacity: true)
                switch entry {
                case .chunk(let id, let byteCount):
                    try need(id, stream.contentClass)
                    position += byteCount
                case .zeros(let count): position += count
                case .again: continue
                }
                rest = max(1, stream.byteCount - position)
                if stream.role == .data { progress(position) }
            }
            for node in nodes { try need(node, .list) }
        }
        if let inline = reader.inline {
            for frame in inline.frames.indices {
                for base in inline.bases(ofFrame: frame) { try need(base.segment, base.frame) }
            }
        }
        try move(rest: 0)
    }

    private func need(_ id: ChunkID, _ contentClass: ContentClass) throws {
        if store.isStored(id, contentClass) {
            _ = try store.claim(id, byteCount: 0, contentClass)
            return
        }
        var found = try reader.finder.find(id, after: last)
        var bad: Set<ObjectName> = []
        while true {
            last = found
            // What the manifest carries goes with it.
            guard case .pack = found.directory.source.name else { return }
            do {
                try need(found.frame, of: found.directory)
                break
            } catch  where isDamage(error) {
                // A prune may have left out what this copy of it stands on: another one is whole.
                bad.insert(found.directory.source.name)
                guard let other = try? reader.finder.find(id, notIn: bad) else { throw error }
                found = other
            }
        }
        if places.count >= Self.placesMax { try move(rest: rest) }
    }

    /// What a frame stands on comes before it. Other frames of its segment go along, but what they stand
    /// on need not be there: a prune may have left it out.
    private func need(_ frame: Int, of directory: OpenDirectory) throws {
        let segment = Int(directory.frames[frame].segment)
        let name = directory.name(ofSegment: segment)
        let number = frame - Int(directory.segments[segment].frames.lowerBound)
        guard seen.insert(FrameName(segment: name, frame: number)).inserted else { return }
        do {
            for base in directory.bases(ofFrame: frame) { try need(base.segment, base.frame) }
        } catch {
            seen.remove(FrameName(segment: name, frame: number))
            throw error
        }
        guard !moved.contains(name) else {
            // It went along with others of its segment.
            let contentClass = directory.contentClass(ofSegment: segment)
            for chunk in directory.frames[frame].chunks {
                let chunk = directory.chunks[Int(chunk)]
                _ = try store.claim(chunk.id, byteCount: Int(chunk.byteCount), contentClass)
            }
            return
        }
        if wanted[name] == nil {
            places.append(SegmentPlace(directory: directory, segment: segment))
        }
        wanted[name, default: []].insert(number)
    }

    private struct FrameName: Hashable {
        let segment: PackDirectory.SegmentName
        let frame: Int
    }

    /// Moves the segments that were found, fetched ahead where they are far.
    /// - Parameter rest: about so many bytes of the stream follow.
    private func move(rest: Int) throws {
        let steps = places.map {
            [NeededSegment(directory: $0.directory, segment: $0.segment)]
        }
        expected = reader.fetching?.expect(steps, rest: rest)[...] ?? []
        defer { while let step = expected.popFirst() { reader.fetching?.done(step) } }
        for place in places {
            while segments.isFull { try take() }
            segments.submit(place)
        }
        places.removeAll(keepingCapacity: true)
        while segments.count > 0 { try take() }
        moved.formUnion(wanted.keys)
        wanted.removeAll(keepingCapacity: true)
    }

    private func need(_ name: PackDirectory.SegmentName, _ frame: Int) throws {
        guard !seen.contains(FrameName(segment: name, frame: frame)),
            !store.relies(on: name, frame: frame)
        else { return }
        let (directory, segment) = try reader.finder.locate(name)
        let frames = directory.segments[segment].frames
        guard frame < frames.count else { throw LostSegment(name: name) }
        try need(Int(frames.lowerBound) + frame, of: directory)
    }

    private func take() throws {
        try reader.checkStop()
        guard let segment = try segments.take() else { return }
        if let step = expected.popFirst() { reader.fetching?.done(step) }
        try store.move(segment, for: wanted[segment.name] ?? [])
    }
}
