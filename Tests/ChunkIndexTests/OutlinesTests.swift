import ChunkIndex
import Testing
import WireFormat

/// What the outlines must say.
private struct OutlineModel {
    var packs: [ObjectID: IndexedPack] = [:]

    func difference(to index: ChunkIndex) -> String? {
        var holders: [ObjectID: [ObjectID]] = [:]
        let outlines = index.outlines
        for pack in packs.values {
            for envelope in pack.outline.envelopes { holders[envelope, default: []].append(pack.id) }
            let outline = outlines.outline(of: pack.id)
            if outline != pack.outline {
                return "\(pack.id): \(String(describing: outline)), not \(pack.outline)"
            }
        }
        for (envelope, packs) in holders where outlines.holders[envelope] != packs.sorted() {
            return "\(envelope): \(outlines.holders[envelope] ?? []), not \(packs.sorted())"
        }
        return outlines.holders.count == holders.count
            ? nil : "\(outlines.holders.count) envelopes"
    }
}

extension Seeded {
    /// A pack that holds some envelopes, old ones among them, and whose frames stand on some.
    fileprivate mutating func pack(_ envelopes: inout [ObjectID]) -> IndexedPack {
        let old = envelopes
        let own = (0..<(1 + below(3))).map { _ in object() }
        envelopes += own
        func some(_ count: Int, _ random: inout Seeded) -> [ObjectID] {
            Set((0..<(old.isEmpty ? 0 : count)).map { _ in old[random.below(old.count)] }).sorted()
        }
        let held = own + (below(4) == 0 ? some(2, &self) : [])
        let bases = below(3) > 0 ? some(below(6), &self) : []
        let names = bases.flatMap { envelope in
            (0..<(1 + below(3))).map {
                PackDirectory.SegmentName(envelope: envelope, number: UInt64($0 * 300))
            }
        }
        let segments = held.flatMap { envelope in
            (0..<(1 + below(4))).map { number in
                let frames = (0..<(1 + below(3))).map { _ in
                    (0..<(names.isEmpty ? 0 : below(4))).map { _ in
                        PackOutline.Base(
                            segment: Int32(below(names.count)), frame: Int32(below(1000)))
                    }
                }
                let name = PackDirectory.SegmentName(envelope: envelope, number: UInt64(number))
                return (name, below(1 << 20), frames)
            }
        }
        let outline = PackOutline(envelopes: held, baseSegments: names, segments: segments)
        return IndexedPack(
            id: object(), contentClass: .data, byteCount: 7,
            frames: outline.frames.map { _ in [chunk()] }, outline: outline)
    }
}

@Suite struct OutlinesTests {
    @Test(arguments: [false, true])
    func `what stands on what survives merging, reopening and rebuilding`(inMemory: Bool) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        var index = inMemory ? ChunkIndex(inMemory: ()) : try scratch.open()
        var model = OutlineModel()
        var envelopes: [ObjectID] = []
        var objects: [ObjectID: [IndexedPack]] = [:]
        for step in 0..<80 {
            let object = random.object()
            var packs = (0..<random.below(4)).map { _ in random.pack(&envelopes) }
            // Two index objects may speak of one pack, and say the same.
            if let again = model.packs.keys.sorted().first, random.below(5) == 0 {
                packs.append(try #require(model.packs[again]))
            }
            objects[object] = packs
            for pack in packs { model.packs[pack.id] = pack }
            try index.insert(packs, covering: [object])
            if !inMemory && step % 7 == 0 { index = try scratch.open() }
            let difference = model.difference(to: index)
            try #require(difference == nil, "step \(step): \(difference ?? "")")
        }
        // The repository has lost some objects: what they said goes, the rest is taken in anew.
        let lost = objects.keys.sorted().filter { _ in random.below(10) == 0 }
        #expect(!lost.isEmpty)
        for object in lost { objects[object] = nil }
        try index.drop(objectsNotIn: Set(objects.keys))
        for object in objects.keys.sorted() where !index.covered.contains(object) {
            try index.insert(objects[object] ?? [], covering: [object])
        }
        model.packs = [:]
        for pack in objects.values.joined() { model.packs[pack.id] = pack }
        #expect(model.difference(to: index) == nil)
        if !inMemory { #expect(model.difference(to: try scratch.open()) == nil) }
    }

    @Test func `a pack of many envelopes survives`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open()
        var model = OutlineModel()
        let envelopes = (0..<3000).map { _ in random.object() }
        let names = envelopes.map { PackDirectory.SegmentName(envelope: $0, number: 1 << 19) }
        let own = PackDirectory.SegmentName(envelope: random.object(), number: 0)
        let onAll = names.indices.map { PackOutline.Base(segment: Int32($0), frame: 1) }
        // A pack that holds all of them, and one that stands on all.
        let outlines = [
            PackOutline(envelopes: envelopes, segments: names.map { ($0, 1 << 20, [[], []]) }),
            PackOutline(
                envelopes: [own.envelope], baseSegments: names, segments: [(own, 5, [onAll])]),
        ]
        for outline in outlines {
            let pack = IndexedPack(
                id: random.object(), contentClass: .data, byteCount: 1,
                frames: outline.frames.map { _ in [] }, outline: outline)
            model.packs[pack.id] = pack
            try index.insert([pack], covering: [random.object()])
        }
        #expect(model.difference(to: index) == nil)
        #expect(model.difference(to: try scratch.open()) == nil)
    }
}
