import ObjectStorage
import WireFormat
import Workers

/// A segment that will be read.
package struct NeededSegment {
    let directory: OpenDirectory
    let segment: Int

    package init(directory: OpenDirectory, segment: Int) {
        self.directory = directory
        self.segment = segment
    }
}

/// What is held for a step until it was made.
package struct Expected: Sendable {
    let blocks: [Int]
}

/// Ranges of packs: what is to be fetched, is being fetched, or is there. What is needed first stands first
/// in the queue; what nobody waits for any more stays until its room is needed.
struct FetchedBlocks {
    struct Task {
        let number: Int
        let name: ObjectName
        let range: Range<Int>
    }

    enum Found {
        case here(Slice, Range<Int>)
        /// By who looks.
        case toFetch(Task)
        case failed(any Error)
        case elsewhere
    }

    private enum Content {
        case queued
        case coming
        case here(Slice)
        case failed(any Error)
    }

    private struct Block {
        let name: ObjectName
        let range: Range<Int>
        var content = Content.queued
        /// By how many steps that are still to be made.
        var uses = 0
        var lastUse = 0

        var isWhole: Bool { range.lowerBound == 0 && range.count <= FetchedBlocks.wholeBytes }
        var isHere: Bool { if case .here = content { true } else { false } }
        var isQueued: Bool { if case .queued = content { true } else { false } }
    }

    var lengths: [ObjectName: Int] = [:]
    var isStopped = false
    var hasThreads: Bool
    private let bytesMax: Int
    private var blocks: [Int: Block] = [:]
    private var numbers: [ObjectName: [Int]] = [:]
    /// Those that are queued, and some that no longer are.
    private var queue: [Int] = []
    private var made = 0
    private var uses = 0
    private var coming = 0
    /// Of what is coming or here.
    private(set) var bytesHeld = 0
    /// Packs that did not give what was asked for: who reads them is to hear so himself.
    private var spoilt: Set<ObjectName> = []

    /// One range: long enough that latency does not count, short enough that several fit.
    private static let pieceBytesMax = 12 << 20
    private static let pieceBytesMin = 6 << 20
    private var pieceBytes = pieceBytesMax
    private static let firstBytes = 1 << 20
    private var hasBegun = false
    /// What is needed of a pack at once where most of the rest will be needed as well.
    private static let longBytes = 512 << 10
    /// What is not needed between two ranges that are is fetched with them.
    private static let gapBytes = 1 << 20
    /// A pack no longer than this is fetched whole, with its directory.
    static let wholeBytes = 4 << 20

    init(bytesMax: Int, hasThreads: Bool) {
        self.bytesMax = bytesMax
        self.hasThreads = hasThreads
    }

    // MARK: planning

    var wantsMore: Bool {
        let bytes = blocks.values.reduce(0) {
            $0 + ($1.uses > 0 || !$1.isHere ? $1.range.count : 0)
        }
        return bytes < bytesMax
    }

    mutating func expect(_ steps: [[NeededSegment]], rest: Int) -> [Expected] {
        // Towards the end ranges become shorter, so that all threads are done at about one time.
        pieceBytes = min(Self.pieceBytesMax, max(Self.pieceBytesMin, rest / 40))
        var packs: [ObjectName: (directory: OpenDirectory, segments: Set<Int>)] = [:]
        var order: [ObjectName] = []
        for need in steps.joined() {
            guard case .pack(let name) = need.directory.source else { continue }
            if packs[name] == nil {
                packs[name] = (need.directory, [])
                order.append(name)
            }
            packs[name]?.segments.insert(need.segment)
        }
        let last =
            rest > 0 ? Set(steps.suffix(16).joined().map { $0.directory.source.name }) : []
        for name in order where !spoilt.contains(name) {
            guard let (directory, segments) = packs[name] else { continue }
            for range in ranges(
                of: segments, name, directory, isGoingOn: last.contains(name))
            {
                for piece in beginningShort(range, directory) { _ = add(name, piece) }
            }
        }
        return steps.map { hold($0) }
    }

    /// The first range of all is divided, so that what comes first need not wait for all of it.
    private mutating func beginningShort(
        _ range: Range<Int>, _ directory: OpenDirectory
    ) -> [Range<Int>] {
        // A whole pack stays whole: its directory is in it.
        guard !hasBegun, range.lowerBound > 0, range.count >= 4 * Self.firstBytes else {
            return [range]
        }
        hasBegun = true
        let segments = directory.segments.indices.lazy.map { directory.sealedRange(ofSegment: $0) }
        let middle = segments.first { $0.upperBound - range.lowerBound >= Self.firstBytes }?.upperBound
        guard let middle, middle < range.upperBound else { return [range] }
        return [range.lowerBound..<middle, middle..<range.upperBound]
    }

    mutating func expect(_ pack: ObjectName, byteCount: Int) -> Expected {
        let number = number(pack, 0..<byteCount) ?? add(pack, 0..<byteCount)
        blocks[number]?.uses += 1
        return Expected(blocks: [number])
    }

    private mutating func hold(_ step: [NeededSegment]) -> Expected {
        var held: Set<Int> = []
        for need in step {
            let range = need.directory.sealedRange(ofSegment: need.segment)
            if let number = number(need.directory.source.name, range), held.insert(number).inserted
            {
                blocks[number]?.uses += 1
            }
        }
        return Expected(blocks: Array(held))
    }

    mutating func release(_ step: Expected) {
        for number in step.blocks { blocks[number]?.uses -= 1 }
    }

    /// What is to be fetched of a pack for some of its segments.
    private func ranges(
        of segments: Set<Int>, _ name: ObjectName, _ directory: OpenDirectory, isGoingOn: Bool
    ) -> [Range<Int>] {
        func bytes(_ segment: Int) -> Range<Int> { directory.sealedRange(ofSegment: segment) }
        let missing = segments.filter { number(name, bytes($0)) == nil }.sorted()
        guard !missing.isEmpty else { return [] }
        if let whole = wholeRange(name) { return [whole] }
        var runs: [(range: Range<Int>, needed: Int)] = []
        for segment in missing {
            let range = bytes(segment)
            if let before = runs.last,
                range.lowerBound - before.range.upperBound <= Self.gapBytes
            {
                runs[runs.count - 1] = (
                    before.range.lowerBound..<range.upperBound, before.needed + range.count
                )
            } else {
                runs.append((range, range.count))
            }
        }
        return runs.enumerated().flatMap { place, run in
            var first = segments.count
            // Not sought: segments stand in the order of their places.
            first =
                directory.segments.firstIndex { Int($0.offset) == run.range.lowerBound } ?? first
            var end = run.range.upperBound
            if isGoingOn, place == runs.count - 1, run.needed * 2 >= run.range.count {
                // As much again, and of what is read at length the rest.
                end += run.range.count >= Self.longBytes ? Self.pieceBytesMax : run.range.count
            }
            return pieces(directory, from: first, to: end, needed: run.range.upperBound, name)
        }
    }

    /// Whole segments from one on, up to a place, in ranges of about one length.
    /// - Parameter needed: so far they reach at least.
    private func pieces(
        _ directory: OpenDirectory, from first: Int, to end: Int, needed: Int, _ name: ObjectName
    ) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for segment in directory.segments.indices.dropFirst(first) {
            let range = directory.sealedRange(ofSegment: segment)
            guard range.lowerBound < end else { break }
            if range.lowerBound >= needed, number(name, range) != nil { break }
            ranges.append(range)
        }
        guard let begin = ranges.first?.lowerBound, let last = ranges.last?.upperBound else {
            return []
        }
        let count = (last - begin + pieceBytes - 1) / pieceBytes
        let target = (last - begin) / count
        var pieces: [Range<Int>] = []
        for range in ranges {
            if let open = pieces.last,
                open.count + range.count / 2 <= target || pieces.count == count
            {
                pieces[pieces.count - 1] = open.lowerBound..<range.upperBound
            } else {
                pieces.append(range)
            }
        }
        return pieces
    }

    /// A small pack is fetched as it is, as long as there are not too many of them.
    private func wholeRange(_ name: ObjectName) -> Range<Int>? {
        guard let length = lengths[name], length > 0, length <= Self.wholeBytes,
            !spoilt.contains(name)
        else { return nil }
        let bytes = blocks.values.reduce(0) {
            $0 + ($1.isWhole && $1.uses > 0 ? $1.range.count : 0)
        }
        return bytes + length <= bytesMax / 3 ? 0..<length : nil
    }

    private mutating func add(_ name: ObjectName, _ range: Range<Int>) -> Int {
        made += 1
        blocks[made] = Block(name: name, range: range)
        numbers[name, default: []].append(made)
        queue.append(made)
        return made
    }

    /// The block that holds a range, or will.
    private func number(_ name: ObjectName, _ range: Range<Int>) -> Int? {
        numbers[name]?.first { blocks[$0]?.range.contains(range) == true }
    }

    // MARK: fetching

    /// What a thread fetches next; the inner nil ends it.
    mutating func next() -> Task?? {
        if isStopped { return .some(nil) }
        while let number = queue.first {
            guard let block = blocks[number], block.isQueued else {
                queue.removeFirst()
                continue
            }
            guard makeRoom(block.range.count) else { return nil }
            queue.removeFirst()
            return begin(number, block)
        }
        return nil
    }

    private mutating func begin(_ number: Int, _ block: Block) -> Task {
        blocks[number]?.content = .coming
        coming += 1
        bytesHeld += block.range.count
        return Task(number: number, name: block.name, range: block.range)
    }

    /// Lets go of what nobody waits for, the longest unused first; false where that is too little. Small
    /// packs stay longest: those of lists and of nights are needed again and again.
    private mutating func makeRoom(_ count: Int) -> Bool {
        while bytesHeld > 0, bytesHeld + count > bytesMax {
            let unused = blocks.filter { $0.value.isHere && $0.value.uses <= 0 }
            let first =
                wholeBytesHeld > bytesMax / 3 ? unused : unused.filter { !$0.value.isWhole }
            guard let oldest = first.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
                return false
            }
            drop(oldest.key)
        }
        return true
    }

    private var wholeBytesHeld: Int {
        blocks.values.reduce(0) { $0 + ($1.isWhole ? $1.range.count : 0) }
    }

    private mutating func drop(_ number: Int) {
        guard let block = blocks.removeValue(forKey: number) else { return }
        numbers[block.name]?.removeAll { $0 == number }
        if numbers[block.name]?.isEmpty == true { numbers[block.name] = nil }
        if block.isHere { bytesHeld -= block.range.count }
    }

    mutating func finish(_ number: Int, _ slice: Slice) {
        coming -= 1
        uses += 1
        blocks[number]?.content = .here(slice)
        blocks[number]?.lastUse = uses
    }

    mutating func fail(_ number: Int, _ error: any Error) {
        guard let block = blocks[number] else { return }
        coming -= 1
        bytesHeld -= block.range.count
        if isDamage(error) {
            // Some of it may be there all the same: each reader asks for what it needs.
            spoilt.insert(block.name)
            blocks[number]?.content = .queued
            drop(number)
        } else {
            blocks[number]?.content = .failed(error)
        }
    }

    // MARK: reading

    /// What is to be done for a range of an object; nil where it is coming.
    mutating func look(_ name: ObjectName, _ range: Range<Int>) -> Found? {
        guard let number = number(name, range), let block = blocks[number] else {
            guard let whole = wholeRange(name), whole.contains(range) else { return .elsewhere }
            let number = add(name, whole)
            return .toFetch(take(number))
        }
        switch block.content {
        case .here(let slice):
            uses += 1
            blocks[number]?.lastUse = uses
            return .here(slice, block.range)
        case .coming: return nil
        // Where all room is taken by what others wait for, nothing would come.
        case .queued: return hasThreads && coming > 0 ? nil : .toFetch(take(number))
        case .failed(let error): return .failed(error)
        }
    }

    private mutating func take(_ number: Int) -> Task {
        guard let block = blocks[number] else { preconditionFailure("it was just found") }
        _ = makeRoom(block.range.count)
        return begin(number, block)
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
