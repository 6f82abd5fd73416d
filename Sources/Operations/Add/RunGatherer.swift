import DumpFormats
import PackStore
import Snapshots
import WireFormat
import Workers

/// Gathers new chunks into runs and finds for each run what stood in its place in the parent.
///
/// Bytes are copied into buffers of half a mebibyte, which become one job for a thread each: new
/// chunks lie scattered, and holding on to every buffer that has one would take much memory.
struct RunGatherer {
    private var walk: ParentWalk
    private var places: ParentPlaces
    private let buffers: BufferPool
    private var buffer: Buffer
    private var used = 0
    private var runs: [DeltaRun] = []

    /// The run being gathered, and where it began in the buffer and in the stream.
    private var chunks: [PackDirectory.Chunk] = []
    private var runStart = 0
    private var runPosition = 0
    /// Where the next chunk begins in the stream.
    private var position = 0

    /// Bytes of a member of an archive, and where the parent has the same bytes of the same member.
    private struct Stretch {
        let own: Range<Int>
        let parent: Int?
        /// Whether bytes in the file may have moved.
        let isPages: Bool
    }
    /// Those that are not yet behind, in order.
    private var stretches: [Stretch] = []
    /// The one that the run being gathered lies in.
    private var stretch: Stretch?

    /// A place in this stream and the same place in the parent's.
    private struct Anchor {
        var own: Int
        var parent: Int
    }
    /// The end of the last known chunk that both have.
    private var anchor = Anchor(own: 0, parent: 0)
    /// What deltas since then told, where no known chunk comes for long.
    private var soft: Anchor?
    /// How much of the parent's stream goes by for each byte of this one, there.
    private var ratio = 1.0
    /// The same as the last two deltas tell it, believed or not.
    private var lastStep: Double?

    /// What runs share whose place was reckoned together.
    private var around: (ids: [ChunkID], start: Int)?

    private static let bufferBytes = 512 << 10
    /// Further from the last known chunk places are only reckoned.
    private static let lostBytes = 1 << 20
    /// The most plaintext of one delta.
    private static let runBytesMax = 256 << 10
    /// How far off a place may be that is only reckoned.
    private static let slack = 256 << 10
    private static let slackMin = 16 << 10
    private static let splitBytesMin = 64 << 10
    /// How far around it is looked where too little is found.
    private static let aroundSlack = 512 << 10
    private static let aroundBytesMax = 2 << 20

    /// Numbers for the frames that chunks lie in: those of one frame have the same.
    private let frames: ([ChunkID]) -> [Int]

    /// - Parameters:
    ///   - parent: the list of the parent's stream, from its beginning.
    ///   - chunkBytesMax: the longest chunk of the stream.
    ///   - frames: gives chunks that lie in one frame the same number.
    init(
        _ parent: ListReader, chunkBytesMax: Int, frames: @escaping ([ChunkID]) -> [Int]
    ) {
        walk = ParentWalk(parent)
        places = ParentPlaces(parent)
        self.frames = frames
        buffers = BufferPool(capacity: max(Self.bufferBytes, chunkBytesMax))
        buffer = buffers.take()
    }

    /// Tells of bytes of a member that come next, and of what the parent has of its members.
    mutating func add(_ part: ArchivePart, places: MemberPlaces) {
        let end = part.offset + part.stream.count
        var at = part.offset
        let shift = part.stream.lowerBound - part.offset
        for (offsets, parent) in places.pieces(of: part.path, in: part.offset..<end) {
            if at < offsets.lowerBound {
                add((shift + at)..<(shift + offsets.lowerBound), nil, part)
            }
            add((shift + offsets.lowerBound)..<(shift + offsets.upperBound), parent, part)
            at = offsets.upperBound
        }
        if at < end { add((shift + at)..<(shift + end), nil, part) }
    }

    private mutating func add(_ own: Range<Int>, _ parent: Int?, _ part: ArchivePart) {
        stretches.append(Stretch(own: own, parent: parent, isPages: part.isPages))
    }

    /// Finds the stretch that the next chunk begins in. A run does not go on from one into another.
    private mutating func enterStretch() {
        let gone = stretches.prefix { $0.own.upperBound <= position }.count
        if gone > 0 { stretches.removeFirst(gone) }
        let found = stretches.first.flatMap { $0.own.contains(position) ? $0 : nil }
        if found?.own != stretch?.own { endRun(before: nil) }
        stretch = found
    }

    /// A chunk that is new.
    /// - Parameter flush: takes what has been gathered when a buffer is full.
    mutating func new(
        _ chunk: PackDirectory.Chunk, _ slice: Slice, flush: ([DeltaRun]) throws -> Void
    ) throws {
        enterStretch()
        if used + slice.count > buffer.capacity {
            endRun(before: nil)
            try self.flush(flush)
        }
        if isLost, used - runStart >= Self.runBytesMax {
            endRun(before: nil)
            // Nothing known for long: what this run tells counts for the next ones, the sooner the
            // better.
            try self.flush(flush)
        }
        if chunks.isEmpty { (runStart, runPosition) = (used, position) }
        slice.withBytes { buffer.room(used..<(used + $0.count)).copyMemory(from: $0) }
        chunks.append(chunk)
        used += slice.count
        position += slice.count
    }

    /// A chunk that is known.
    mutating func known(_ id: ChunkID, byteCount: Int) {
        let found = walk.meet(id)
        endRun(before: found.map { Anchor(own: position, parent: $0.lowerBound) })
        position += byteCount
        if let found {
            anchor = Anchor(own: position, parent: found.upperBound)
            soft = nil
            lastStep = nil
            ratio = 1
        }
    }

    /// So many zero bytes.
    mutating func zeros(_ count: Int) {
        endRun(before: nil)
        position += count
    }

    /// Hands over what was gathered.
    mutating func finish(flush: ([DeltaRun]) throws -> Void) throws {
        endRun(before: nil)
        try self.flush(flush)
    }

    /// Takes in where a run was found for which no anchor was near.
    mutating func align(_ alignment: RunAlignment) {
        let found = Anchor(own: alignment.own, parent: alignment.parent)
        guard found.own >= anchor.own else { return }
        if let soft {
            guard found.own > soft.own else { return }
            let step = Double(found.parent - soft.parent) / Double(found.own - soft.own)
            // A jump is a hole or a patch, not a slope, unless the next one is like it: short rows that
            // are statements of their own now are half as long again.
            let isLikeLast = lastStep.map { abs(step - $0) <= $0 / 8 } ?? false
            if (0.7...1.4).contains(step) || isLikeLast && (0.25...4).contains(step) {
                ratio = step
            }
            lastStep = step
        }
        soft = found
    }

    /// The nodes of the parent's list for a node that covers a range of this stream.
    func nodes(for range: Range<Int>) -> [ChunkID] {
        let shift = anchor.own - anchor.parent
        let start = max(0, range.lowerBound - shift)
        return walk.nodes(in: start..<max(start + 1, range.upperBound - shift))
    }

    private mutating func flush(_ flush: ([DeltaRun]) throws -> Void) throws {
        guard !runs.isEmpty else { return }
        let ready = runs
        runs = []
        buffer = buffers.take()
        used = 0
        try flush(ready)
    }

    private mutating func endRun(before next: Anchor?) {
        guard !chunks.isEmpty else { return }
        if let stretch { return endRun(in: stretch) }
        let place = place(before: next)
        let start = place.parent(runPosition)
        let reach = clip(
            (start - place.slack)..<(place.parent(position) + place.slack), to: place.bounds)
        let old = walk.chunks(in: reach)
        around = place.isReckoned ? around(place) : nil
        if let far = place.far {
            // Rows may have gone or come anywhere in a long gap: both of its ends count.
            let other = walk.chunks(in: clip(far, to: place.bounds)).filter {
                $0.range.lowerBound >= (old.last?.range.upperBound ?? 0)
            }
            append(chunks[...], from: runPosition, bytes: runStart, base: (old + other)[...], place)
        } else {
            split(old, place)
        }
        chunks = []
        runStart = used
    }

    /// Ends a run of which the member tells what stood in its place.
    private mutating func endRun(in stretch: Stretch) {
        around = nil
        if let parent = stretch.parent {
            let bounds = parent..<(parent + stretch.own.count)
            let place = Place(
                from: Anchor(own: stretch.own.lowerBound, parent: parent), ratio: 1,
                slack: stretch.isPages ? 0 : Self.slackMin, bounds: bounds)
            let reach =
                (place.parent(runPosition) - place.slack)..<(place.parent(position) + place.slack)
            split(places.chunks(in: clip(reach, to: bounds)), place)
        } else {
            let place = Place(from: anchor, ratio: 1, slack: 0, bounds: 0..<0)
            append(chunks[...], from: runPosition, bytes: runStart, base: [], place)
        }
        chunks = []
        runStart = used
    }

    /// Makes deltas of the run that end where frames of the parent do, so that each stands on few of
    /// them: otherwise the frames that must be decoded for one grow in number night by night.
    private mutating func split(_ old: [ParentWalk.Entry], _ place: Place) {
        let frames = frames(old.map { $0.id })
        var first = 0
        var (own, bytes) = (runPosition, runStart)
        var next = (position: runPosition, chunk: 0)
        for (number, chunk) in chunks.enumerated() {
            next = (next.position + chunk.byteCount, number + 1)
            let length = next.position - own
            let isLast = next.chunk == chunks.count
            let isLong = !isLast && length + chunks[next.chunk].byteCount > Self.runBytesMax
            guard isLast || isLong || length >= Self.splitBytesMin else { continue }
            let end = place.parent(next.position)
            // A boundary of the parent's, nearer to the end of this chunk than to that of the next.
            let isBoundary =
                isLast || isLong
                || old.indices.dropFirst().contains { index in
                    frames[index] != frames[index - 1]
                        && abs(old[index].range.lowerBound - end) <= chunk.byteCount / 2
                }
            guard isBoundary else { continue }
            let range = (place.parent(own) - place.slack)..<(end + place.slack)
            let low = old.firstIndex { $0.range.upperBound > range.lowerBound } ?? old.endIndex
            let high =
                old[low...].firstIndex { $0.range.lowerBound >= range.upperBound } ?? old.endIndex
            append(
                chunks[first..<next.chunk], from: own, bytes: bytes, base: old[low..<high], place)
            bytes += length
            (own, first) = (next.position, next.chunk)
        }
    }

    private mutating func append(
        _ part: ArraySlice<PackDirectory.Chunk>, from own: Int, bytes start: Int,
        base: ArraySlice<ParentWalk.Entry>, _ place: Place
    ) {
        let length = part.reduce(0) { $0 + $1.byteCount }
        runs.append(
            DeltaRun(
                chunks: Array(part), bytes: Slice(buffer, start..<(start + length)),
                base: base.map { $0.id },
                reckoned: around.map {
                    ReckonedPlace(
                        own: own, base: base.first?.range.lowerBound ?? 0, around: $0)
                }))
    }

    // MARK: what stood there

    /// How places of this stream are places of the parent's, near a run.
    private struct Place {
        /// A place that both have, and how much of the parent's goes by for each byte of this one.
        let from: Anchor
        let ratio: Double
        /// How far off that may be.
        let slack: Int
        /// Where the parent's place lies for certain.
        let bounds: Range<Int>
        /// Seen from the other end of the gap, where that is somewhere else.
        var far: Range<Int>?
        /// Whether no known chunk was near.
        var isReckoned = false

        func parent(_ own: Int) -> Int { from.parent + Int(Double(own - from.own) * ratio) }
    }

    /// Whether the last known chunk is so far away that places are only reckoned.
    private var isLost: Bool { stretch == nil && position - anchor.own > Self.lostBytes }

    private func place(before next: Anchor?) -> Place {
        guard let next else { return reckonedPlace() }
        let gap = anchor.parent..<max(anchor.parent, next.parent)
        let ours = next.own - anchor.own
        let difference = abs(gap.count - ours)
        if difference <= Self.slack {
            return Place(
                from: anchor, ratio: ours > 0 ? Double(gap.count) / Double(ours) : 1,
                slack: difference + Self.slackMin, bounds: gap)
        }
        let end = next.parent - (next.own - position)
        return Place(
            from: anchor, ratio: 1, slack: Self.slack, bounds: gap,
            far: (end - (position - runPosition) - Self.slack)..<(end + Self.slack))
    }

    private func reckonedPlace() -> Place {
        let from = soft ?? anchor
        let bounds = anchor.parent..<Int.max
        guard isLost else {
            let slack = Self.slackMin + (position - from.own) / 16
            return Place(from: from, ratio: 1, slack: slack, bounds: bounds)
        }
        return Place(
            from: from, ratio: soft == nil ? 1 : ratio,
            slack: min(Self.slack, Self.slackMin + (position - from.own) / 16), bounds: bounds,
            isReckoned: true)
    }

    /// Chunks around the reckoned place of the run being gathered, from where the parent would still
    /// be if nothing that came since had a counterpart.
    private mutating func around(_ place: Place) -> (ids: [ChunkID], start: Int) {
        let low = place.from.parent - Self.aroundSlack
        let high = place.parent(position) + Self.aroundSlack
        let reach = clip(low..<min(high, low + Self.aroundBytesMax), to: place.bounds)
        let chunks = walk.chunks(in: reach)
        return (chunks.map { $0.id }, chunks.first?.range.lowerBound ?? 0)
    }

    private func clip(_ range: Range<Int>, to bounds: Range<Int>) -> Range<Int> {
        let low = min(max(range.lowerBound, bounds.lowerBound), bounds.upperBound)
        return low..<max(low, min(range.upperBound, bounds.upperBound))
    }
}
