import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import WireFormat
import Workers

/// A place for lists: a domain in memory.
private struct Place {
    let context: DomainContext
    let index = ChunkIndex(inMemory: ())

    init() throws {
        let random = SharedRandom(seed: testSeed)
        let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
        let keys = try #require(keyring.keys(of: 0))
        context = DomainContext(
            store: MemoryStore(), keyring: keyring, keys: keys,
            random: HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [1] }))
    }

    /// Builds a list and stores its nodes in a pack.
    func build(_ entries: [ListEntry]) throws -> (Manifest.List, [ChunkID: [UInt8]]) {
        var nodes: [ChunkID: [UInt8]] = [:]
        var builder = ListBuilder(namer: try context.keys.namer(ofClass: 1))
        for entry in entries { try builder.append(entry) { nodes[$0] = $1 } }
        let list = try builder.finish { nodes[$0] = $1 }
        try store(nodes)
        return (list, nodes)
    }

    /// Puts nodes into a pack.
    private func store(_ nodes: [ChunkID: [UInt8]]) throws {
        let writer = PackWriter(.list, context, level: 3, workers: 0, putsAtOnce: 1)
        for (id, bytes) in nodes.sorted(by: { $0.key < $1.key }) {
            try writer.add(id, Slice(copying: bytes))
        }
        try writer.flush()
        _ = try IndexKeeper(context, index).write(writer.takePacks())
    }

    /// Stores a node as it is.
    func store(_ node: ListNode) throws -> ChunkID {
        let id = try context.keys.namer(ofClass: 1).name(node.bytes)
        try store([id: node.bytes])
        return id
    }

    func stream(_ list: Manifest.List, byteCount: Int) -> Manifest.Stream {
        Manifest.Stream(
            role: .data, contentClass: .data, byteCount: byteCount, checksumKey: [], checksum: [],
            list: list, cuttingRule: 1)
    }

    func reader(_ list: Manifest.List, byteCount: Int) throws -> ListReader {
        let stream = stream(list, byteCount: byteCount)
        let chunks = try ChunkReader(
            context, ChunkFinder(context, index), DecodedFrames(bytesMax: 8 << 20))
        return try ListReader(stream, chunks, what: "the list")
    }

    func read(_ list: Manifest.List, byteCount: Int) throws -> [ListEntry] {
        var reader = try reader(list, byteCount: byteCount)
        var entries: [ListEntry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }
}

private func entries(_ count: Int, _ random: inout SeededRandom) -> [ListEntry] {
    (0..<count).map { _ in .chunk(ChunkID(random.bytes(24)), byteCount: random.number(1...100_000))
    }
}

private func total(_ entries: [ListEntry]) -> Int {
    var last = 0
    return entries.reduce(0) { sum, entry in
        switch entry {
        case .chunk(_, let count):
            last = count
            return sum + count
        case .zeros(let count): return sum + count
        case .again(let times): return sum + times * last
        }
    }
}

@Test(arguments: [0, 1, 256, 257, 2000, 10_000, 300_000])
func `a list of any length reads back as it was`(count: Int) throws {
    print("seed \(testSeed)")
    var random = SeededRandom(seed: testSeed)
    let place = try Place()
    let written = entries(count, &random)
    let (list, nodes) = try place.build(written)
    if case .inline = list { #expect(count <= 256) } else { #expect(count > 256) }
    #expect(nodes.values.allSatisfy { $0.count <= Limits.nodeBytes })
    #expect(try place.read(list, byteCount: total(written)) == written)
}

@Test func `the same chunk again and runs of zeros are told as such`() throws {
    let place = try Place()
    let chunk = ListEntry.chunk(ChunkID([UInt8](repeating: 3, count: 24)), byteCount: 10)
    let (list, _) = try place.build([chunk, chunk, chunk, .zeros(20_000), .zeros(30_000), chunk])
    #expect(list == .inline([chunk, .again(2), .zeros(50_000), chunk]))
}

@Test func `a change in the middle changes few nodes`() throws {
    var random = SeededRandom(seed: testSeed &+ 1)
    let place = try Place()
    let before = entries(60_000, &random)
    var after = before
    after.insert(contentsOf: entries(3, &random), at: 30_000)
    let (_, nodesBefore) = try place.build(before)
    let (_, nodesAfter) = try place.build(after)
    #expect(nodesBefore.count > 20)
    #expect(nodesAfter.keys.filter { nodesBefore[$0] == nil }.count <= 5)
}

@Test func `a list that does not cover its stream exactly is refused`() throws {
    var random = SeededRandom(seed: testSeed &+ 2)
    let place = try Place()
    let written = entries(3000, &random)
    let (list, _) = try place.build(written)
    #expect(throws: WireError.self) { try place.read(list, byteCount: total(written) + 1) }
}

@Test func `a node below another gives at least one byte, so that a walk ends`() throws {
    let place = try Place()
    let chunk = ListEntry.chunk(ChunkID([UInt8](repeating: 3, count: 24)), byteCount: 10)
    let full = ListNode.Child(total: 10, id: try place.store(.leaf([chunk])))
    let empty = ListNode.Child(total: 0, id: try place.store(.leaf([])))
    func read(_ children: [ListNode.Child], byteCount: Int) throws -> [ListEntry] {
        let root = try place.store(.interior(level: 1, children))
        return try place.read(.root(root), byteCount: byteCount)
    }
    #expect(try read([full, full], byteCount: 20) == [chunk, chunk])
    #expect(throws: WireError.self) { try read([full, empty], byteCount: 10) }
    #expect(throws: WireError.self) { try read([empty], byteCount: 0) }
    #expect(try place.read(.root(empty.id), byteCount: 0) == [])
    // Six levels of some thousand children each would be more nodes than can ever be read.
    var child = empty
    for level in 1...Limits.nodeLevel {
        let children = Array(repeating: child, count: 2000)
        child = .init(total: 0, id: try place.store(.interior(level: level, children)))
    }
    #expect(throws: WireError.self) { try place.read(.root(child.id), byteCount: 0) }
}

/// The same without repeats.
@Test func `a node of another level than the one above says is refused`() throws {
    let place = try Place()
    let chunk = ListEntry.chunk(ChunkID([UInt8](repeating: 3, count: 24)), byteCount: 10)
    let leaf = ListNode.Child(total: 10, id: try place.store(.leaf([chunk])))
    func above(_ level: Int, _ child: ListNode.Child) throws -> ListNode.Child {
        .init(total: 10, id: try place.store(.interior(level: level, [child])))
    }
    let sound = try above(2, try above(1, leaf))
    #expect(try place.read(.root(sound.id), byteCount: 10) == [chunk])
    for bad in [try above(2, leaf), try above(3, try above(1, leaf)), try above(1, try above(1, leaf))] {
        #expect(throws: WireError.self) { try place.read(.root(bad.id), byteCount: 10) }
    }
    // Whoever only collects names ends at a leaf, wherever it stands.
    let chunks = try ChunkReader(
        place.context, ChunkFinder(place.context, place.index), DecodedFrames(bytesMax: 8 << 20))
    for bad in [try above(3, try above(1, leaf)), try above(1, try above(1, leaf))] {
        var nodes = ListNodes(chunks)
        #expect(throws: WireError.self) {
            try nodes.walk(place.stream(.root(bad.id), byteCount: 10), what: "the list") { _ in }
        }
    }
}

@Test func `behind the end of a list nothing comes, wherever it was entered`() throws {
    var random = SeededRandom(seed: testSeed &+ 5)
    let place = try Place()
    let written = entries(3000, &random)
    let (list, _) = try place.build(written)
    var reader = try place.reader(list, byteCount: total(written))
    #expect(try reader.seek(to: total(written)) == total(written))
    #expect(try reader.next() == nil)
}

private func expanded(_ entries: [ListEntry]) -> [ListEntry] {
    var all: [ListEntry] = []
    for entry in entries {
        if case .again(let times) = entry, let last = all.last {
            all += Array(repeating: last, count: times)
        } else {
            all.append(entry)
        }
    }
    return all
}

@Test func `a list is entered anywhere, and gives from there what it gives from its beginning`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    let place = try Place()
    for count in [1, 200, 5000] {
        var all: [ListEntry] = []
        for entry in entries(count, &random) {
            all.append(entry)
            switch random.number(0...9) {
            case 0: all += Array(repeating: entry, count: random.number(1...5))
            case 1: all.append(.zeros(random.number(1...100_000)))
            default: break
            }
        }
        let byteCount = total(all)
        let (list, _) = try place.build(all)
        var reader = try place.reader(list, byteCount: byteCount)
        let places = (0..<60).map { _ in random.number(0...byteCount) } + [0, byteCount - 1]
        for wanted in places {
            let start = try reader.seek(to: wanted)
            var rest: [ListEntry] = []
            while let entry = try reader.next() { rest.append(entry) }
            #expect(start + total(rest) == byteCount)
            let chunks = expanded(rest)
            #expect(Array(all.suffix(chunks.count)) == chunks)
            guard wanted < byteCount else {
                #expect(rest.isEmpty)
                continue
            }
            // The entry holds the byte, with the repeats of its chunk.
            var first = [try #require(rest.first)]
            if case .again? = rest.dropFirst().first { first.append(rest[1]) }
            #expect(start <= wanted && wanted < start + total(first))
        }
    }
}
