import ChunkIndex
import Files
import Testing
import WireFormat

@Suite struct ChunkIndexTests {
    @Test func `an empty index knows nothing`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        for index in [try scratch.open(), ChunkIndex(inMemory: ())] {
            #expect(index.place(of: random.chunk()) == nil)
            #expect(index.places(of: random.chunk()).isEmpty)
            #expect(index.covered.isEmpty && index.packs.isEmpty && index.entryCount == 0)
            index.forEachChunk { _, _ in Issue.record("a chunk") }
            try index.drop(objectsNotIn: [])
            #expect(try !index.dropDamaged())
        }
        #expect(scratch.names.isEmpty)
    }

    @Test(arguments: [0, 1 << 30]) func `random inserts, drops and reopenings agree with a dictionary`(
        mapped: Int
    ) throws {
        for seed in seed()..<(seed() + 6) {
            let scratch = Scratch()
            try runModel(seed, index: try scratch.open(mapped: mapped)) { try scratch.open(mapped: mapped) }
        }
    }

    @Test func `an index in memory agrees with a dictionary`() throws {
        for seed in seed()..<(seed() + 6) {
            let index = ChunkIndex(inMemory: ())
            try runModel(seed, index: index) { index }
        }
    }

    private func runModel(_ seed: UInt64, index: ChunkIndex, reopen: () throws -> ChunkIndex) throws {
        var random = Seeded(seed)
        var index = index
        // What every index object says; an object may repeat packs and chunks of others.
        var objects: [ObjectID: [IndexedPack]] = [:]
        func model() -> Model {
            var model = Model()
            for packs in objects.values { model.insert(packs) }
            return model
        }
        for step in 0..<60 {
            switch random.below(10) {
            case 0..<6:
                let known = Array(model().places.keys).sorted()
                let packs = (0..<random.below(4)).map { _ in
                    random.pack(
                        (0..<random.below(5)).map { _ in
                            (0..<random.below(step % 7 == 0 ? 200 : 20)).map { _ in
                                known.isEmpty || random.below(3) > 0
                                    ? random.chunk() : known[random.below(known.count)]
                            }
                        })
                }
                let again = objects.isEmpty ? [] : objects.sorted { $0.key < $1.key }[random.below(objects.count)].value
                let object = random.object()
                objects[object] = packs + (random.below(4) == 0 ? again : [])
                try index.insert(objects[object] ?? [], covering: [object])
            case 6, 7: index = try reopen()
            case 8:
                let lost = objects.keys.sorted().filter { _ in random.below(12) == 0 }
                for object in lost { objects[object] = nil }
                try index.drop(objectsNotIn: Set(objects.keys))
                #expect(index.covered.isSubset(of: Set(objects.keys)))
                for object in objects.keys.sorted() where !index.covered.contains(object) {
                    try index.insert(objects[object] ?? [], covering: [object])
                }
            default: #expect(try !index.dropDamaged())
            }
            #expect(index.covered == Set(objects.keys))
            let difference = model().difference(to: index, absent: (0..<20).map { _ in random.chunk() })
            try #require(difference == nil, "seed \(seed), step \(step): \(difference ?? "")")
        }
    }

    @Test func `the newest run answers first`() throws {
        var random = Seeded(seed())
        let index = ChunkIndex(inMemory: ())
        let id = random.chunk()
        try index.insert([random.pack([(0..<1000).map { _ in random.chunk() }, [id]])], covering: [random.object()])
        let newer = random.pack([[id]])
        try index.insert([newer], covering: [random.object()])
        #expect(index.place(of: id) == ChunkPlace(pack: newer.id, frame: 0))
        #expect(index.place(of: id, where: { $0.pack != newer.id })?.frame == 1)
        #expect(index.places(of: id).count == 2)
    }

    @Test func `a pack of two index objects counts once when they are merged`() throws {
        var random = Seeded(seed())
        let scratch = Scratch()
        let index = try scratch.open()
        let pack = random.pack(frames: 3, chunks: 100)
        try index.insert([pack, pack], covering: [random.object()])
        #expect(index.entryCount == 300)
        try index.insert([pack], covering: [random.object()])
        #expect(index.entryCount == 300 && index.covered.count == 2 && scratch.names.count == 1)
    }

    @Test func `index objects and packs without chunks are covered`() throws {
        var random = Seeded(seed())
        let scratch = Scratch()
        let (first, second) = (random.object(), random.object())
        let pack = random.pack([])
        let index = try scratch.open()
        try index.insert([], covering: [first])
        try index.insert([pack], covering: [second])
        let again = try scratch.open()
        #expect(again.covered == [first, second])
        #expect(again.packs[pack.id]?.byteCount == pack.byteCount && again.entryCount == 0)
    }

    @Test func `frames past 65,535 are found`() throws {
        var random = Seeded(seed())
        let frames = (0..<140_000).map { number in number % 1000 == 999 ? [random.chunk()] : [] }
        let pack = random.pack(frames)
        let index = ChunkIndex(inMemory: ())
        try index.insert([pack, random.pack(frames: 2, chunks: 9)], covering: [random.object()])
        for (number, frame) in frames.enumerated() {
            for id in frame { #expect(index.place(of: id) == ChunkPlace(pack: pack.id, frame: number)) }
        }
        #expect(index.packs.count == 2)
    }

    @Test(arguments: [0, 1 << 30]) func `ids that are no hashes are slow but right`(mapped: Int) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open(mapped: mapped)
        var model = Model()
        for part in 0..<3 as Range<UInt64> {
            let frames = [
                (0..<700).map { ChunkID(words: (0, 0, 3 * $0 + part)) },
                (0..<700).map { ChunkID(words: (.max, 3 * $0 + part, 7)) },
                (0..<700).map { ChunkID(words: (3 * $0 + part, 0, 0)) },
            ]
            let packs = [random.pack(frames)]
            model.insert(packs)
            try index.insert(packs, covering: [random.object()])
        }
        let absent = (5000..<5400 as Range<UInt64>).map { ChunkID(words: (0, 0, $0)) }
        #expect(model.difference(to: index, absent: absent) == nil)
    }

    @Test(arguments: [0, 1 << 30]) func `of a thousand copies the usable one is found`(mapped: Int) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let id = random.chunk()
        let packs = (0..<1000).map { _ in random.pack([[random.chunk()], [id, random.chunk()]]) }
        let index = try scratch.open(mapped: mapped)
        try index.insert(packs, covering: [random.object()])
        for pack in packs {
            #expect(index.place(of: id, where: { $0.pack == pack.id }) == ChunkPlace(pack: pack.id, frame: 1))
        }
        #expect(index.places(of: id).count == 1000)
    }

    @Test func `a hundred thousand entries take at most 32 bytes each`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open()
        try index.insert((0..<200).map { _ in random.pack(frames: 10, chunks: 50) }, covering: [random.object()])
        let each = Double(scratch.byteCount) / Double(index.entryCount)
        print("bytes an entry: \(each)")
        #expect(index.entryCount == 100_000 && each <= 32)
    }

    @Test func `many small inserts leave few runs`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open()
        var most = 0
        for _ in 0..<300 {
            try index.insert([random.pack(frames: 1, chunks: 1 + random.below(40))], covering: [random.object()])
            most = max(most, scratch.names.count)
        }
        print("at most \(most) runs")
        #expect(most <= 7 && index.covered.count == 300)
    }

    @Test func `forEachChunk passes on what its closure throws`() throws {
        struct Enough: Error {}
        var random = Seeded(seed())
        let index = ChunkIndex(inMemory: ())
        try index.insert([random.pack(frames: 1, chunks: 10)], covering: [random.object()])
        var count = 0
        #expect(throws: Enough.self) {
            try index.forEachChunk { _, _ in
                count += 1
                if count == 5 { throw Enough() }
            }
        }
        #expect(count == 5)
    }

    @Test func `threads look up while another inserts`() async throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open(mapped: 40_000)
        let packs = (0..<120).map { _ in random.pack(frames: 2, chunks: 30) }
        try index.insert(Array(packs[..<20]), covering: [random.object()])
        let objects = (20..<120).map { _ in random.object() }
        let isDone = Count()
        let wrong = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    repeat {
                        for (number, pack) in packs.enumerated() {
                            for id in pack.frames[1] {
                                let place = index.place(of: id)
                                let right = ChunkPlace(pack: pack.id, frame: 1)
                                if place != right && (place != nil || number < 20) { wrong.next() }
                            }
                        }
                        // There may be fewer threads than tasks.
                        await Task.yield()
                    } while isDone.value == 0
                }
            }
            group.addTask {
                defer { isDone.next() }
                for (number, object) in objects.enumerated() {
                    try index.insert([packs[20 + number]], covering: [object])
                }
            }
            try await group.waitForAll()
        }
        #expect(wrong.value == 0)
        #expect(packs.allSatisfy { index.place(of: $0.frames[0][0])?.pack == $0.id })
    }
}
