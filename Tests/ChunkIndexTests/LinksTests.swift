import ChunkIndex
import Testing
import WireFormat

/// What the links must say: two dictionaries.
private struct LinkModel {
    var packs: [ObjectID: IndexedPack] = [:]

    func difference(to index: ChunkIndex) -> String? {
        var holders: [ObjectID: [ObjectID]] = [:]
        var bases: [ObjectID: Set<ObjectID>] = [:]
        for pack in packs.values {
            for envelope in pack.envelopes { holders[envelope, default: []].append(pack.id) }
            if !pack.baseEnvelopes.isEmpty { bases[pack.id] = Set(pack.baseEnvelopes) }
        }
        let links = index.links
        for (envelope, packs) in holders where links.holders[envelope] != packs.sorted() {
            return "envelope \(envelope): \(links.holders[envelope] ?? []), not \(packs.sorted())"
        }
        if links.holders.count != holders.count { return "\(links.holders.count) envelopes" }
        for (pack, envelopes) in links.bases
        where Set(envelopes) != bases[pack] || envelopes.count != bases[pack]?.count {
            return "bases of \(pack): \(envelopes), not \(String(describing: bases[pack]))"
        }
        return links.bases.count == bases.count ? nil : "\(links.bases.count) packs with bases"
    }
}

extension Seeded {
    /// A pack that holds some envelopes, old ones among them, and stands on some.
    fileprivate mutating func pack(_ envelopes: inout [ObjectID]) -> IndexedPack {
        let old = envelopes
        let own = (0..<(1 + below(3))).map { _ in object() }
        envelopes += own
        func some(_ count: Int, _ random: inout Seeded) -> [ObjectID] {
            Set((0..<(old.isEmpty ? 0 : count)).map { _ in old[random.below(old.count)] }).sorted()
        }
        let moved = below(4) == 0 ? some(2, &self) : []
        let bases = below(3) > 0 ? some(below(6), &self) : []
        let plain = pack(segments: 1, chunks: 1 + below(30))
        return IndexedPack(
            id: plain.id, contentClass: .data, byteCount: 7, segments: plain.segments,
            envelopes: own + moved, baseEnvelopes: bases)
    }
}

@Suite struct LinksTests {
    @Test(arguments: [false, true])
    func `which packs hold and stand on which envelopes survives merging, reopening and rebuilding`(
        inMemory: Bool
    ) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        var index = inMemory ? ChunkIndex(inMemory: ()) : try scratch.open()
        var model = LinkModel()
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

    @Test func `links of many packs with many envelopes survive`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open()
        var model = LinkModel()
        let envelopes = (0..<3000).map { _ in random.object() }
        // A pack that holds all of them, and one that stands on all.
        let all = IndexedPack(
            id: random.object(), contentClass: .data, byteCount: 1, segments: [],
            envelopes: envelopes)
        let above = IndexedPack(
            id: random.object(), contentClass: .list, byteCount: 1, segments: [], envelopes: [],
            baseEnvelopes: envelopes)
        for pack in [all, above] {
            model.packs[pack.id] = pack
            try index.insert([pack], covering: [random.object()])
        }
        #expect(model.difference(to: index) == nil)
        #expect(model.difference(to: try scratch.open()) == nil)
    }
}
