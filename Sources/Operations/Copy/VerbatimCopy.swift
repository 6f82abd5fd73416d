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
    private var seen: Set<PackDirectory.SegmentName> = []
    private var last: FoundChunk?
    /// Segments to be moved next.
    private var places: [SegmentPlace] = []
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
            for segment in inline.segments.indices {
                for base in inline.bases(ofSegment: segment) { try need(base) }
            }
        }
        try move(rest: 0)
    }

    private func need(_ id: ChunkID, _ contentClass: ContentClass) throws {
        if store.isStored(id, contentClass) {
            _ = try store.claim(id, byteCount: 0, contentClass)
            return
        }
        let found = try reader.finder.find(id, after: last)
        last = found
        // What the manifest carries goes with it.
        guard case .pack = found.directory.source.name else { return }
        let segment = Int(found.directory.frames[found.frame].segment)
        try need(SegmentPlace(directory: found.directory, segment: segment))
    }

    /// What a segment stands on comes before it.
    private func need(_ place: SegmentPlace) throws {
        guard seen.insert(place.directory.name(ofSegment: place.segment)).inserted else { return }
        for base in place.directory.bases(ofSegment: place.segment).sorted(by: <) {
            try need(base)
        }
        places.append(place)
        if places.count >= Self.placesMax { try move(rest: rest) }
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
    }

    private func need(_ name: PackDirectory.SegmentName) throws {
        guard !seen.contains(name), !store.holds(name) else { return }
        let (directory, segment) = try reader.finder.locate(name)
        try need(SegmentPlace(directory: directory, segment: segment))
    }

    private func take() throws {
        try reader.checkStop()
        guard let segment = try segments.take() else { return }
        if let step = expected.popFirst() { reader.fetching?.done(step) }
        try store.move(segment)
    }
}

extension PackDirectory.SegmentName {
    fileprivate static func < (a: Self, b: Self) -> Bool {
        (a.envelope, a.number) < (b.envelope, b.number)
    }
}
