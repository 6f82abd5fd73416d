import ChunkIndex
import Files
import Testing
import WireFormat

/// A run's file, damaged in every way: it is not used, or what it says is right. Never a crash, never a wrong place.
@Suite struct RunDamageTests {
    /// A run with two packs, chunks in both, and three index objects, as a file's bytes.
    private func smallRun(_ random: inout Seeded) throws -> (bytes: [UInt8], model: Model) {
        let scratch = Scratch()
        let shared = (0..<10).map { _ in random.chunk() }
        let packs = [
            random.pack([(0..<20).map { _ in random.chunk() }, shared]),
            random.pack([shared, [], (0..<30).map { _ in random.chunk() }]),
        ]
        var model = Model()
        model.insert(packs)
        try scratch.open().insert(packs, covering: (0..<3).map { _ in random.object() })
        return (try scratch.contents(scratch.names[0]), model)
    }

    /// What the index says that is not so; nil where all is right, though some may be missing.
    private func falsehood(_ index: ChunkIndex, _ model: Model) -> String? {
        for (id, places) in model.places {
            let found = index.places(of: id)
            if !places.isSuperset(of: found) { return "\(id) at \(found)" }
            if index.place(of: id) != found.first { return "\(id) at \(String(describing: index.place(of: id)))" }
        }
        var wrong: String?
        index.forEachChunk { id, place in
            if model.places[id]?.contains(place) != true { wrong = "\(id) at \(place)" }
        }
        for (id, facts) in index.packs where model.packs[id]?.byteCount != facts.byteCount { wrong = "pack \(id)" }
        return wrong
    }

    @Test(arguments: [0, 1 << 30]) func `no flipped byte shows a wrong place, and every one is found`(
        mapped: Int
    ) throws {
        var random = Seeded(seed())
        let (sound, model) = try smallRun(&random)
        let more = random.pack(frames: 2, chunks: 20)
        let object = random.object()
        var both = model
        both.insert([more])
        let name = Path("run3-damaged")
        var refused = 0
        for at in sound.indices {
            for change in [UInt8(1) << UInt8(at % 8), sound[at]] where change != 0 {
                let scratch = Scratch()
                var bytes = sound
                bytes[at] ^= change
                try scratch.write(bytes, to: name)
                let index = try scratch.open(mapped: mapped)
                if index.covered.isEmpty {
                    refused += 1
                    #expect(scratch.names.isEmpty && index.entryCount == 0)
                    continue
                }
                let wrong = falsehood(index, model)
                try #require(wrong == nil, "byte \(at) ^ \(change): \(wrong ?? "")")
                if change == sound[at] {
                    #expect(try index.dropDamaged() && index.covered.isEmpty && scratch.names.isEmpty, "byte \(at)")
                } else {
                    // Merging carries no damage on: it takes all that was there, or drops the run.
                    try index.insert([more], covering: [object])
                    let difference = both.difference(to: index)
                    #expect(difference == nil || index.covered == [object], "byte \(at): \(difference ?? "")")
                    #expect(falsehood(index, both) == nil && scratch.names.count == 1)
                    #expect(try !index.dropDamaged())
                }
            }
        }
        print("\(sound.count) bytes, \(refused) refused when opened")
        #expect(refused > 0)
    }

    @Test func `a run of any other length is not used`() throws {
        var random = Seeded(seed())
        let (sound, _) = try smallRun(&random)
        for length in 0..<sound.count {
            let scratch = Scratch()
            try scratch.write(Array(sound[..<length]), to: "run3-short")
            let index = try scratch.open()
            #expect(index.covered.isEmpty && index.entryCount == 0 && scratch.names.isEmpty)
        }
        let scratch = Scratch()
        try scratch.write(sound + [0], to: "run3-long")
        #expect(try scratch.open().covered.isEmpty)
        try scratch.write(sound, to: "run3-right")
        #expect(try scratch.open().covered.count == 3)
    }

    @Test func `files of random bytes are not used`() throws {
        var random = Seeded(seed())
        let (sound, _) = try smallRun(&random)
        for _ in 0..<300 {
            let scratch = Scratch()
            var bytes = (0..<random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of them begin like a run.
            if random.below(2) == 0 { bytes = sound[..<random.below(128)] + bytes }
            try scratch.write(bytes, to: "run3-random")
            let index = try scratch.open()
            #expect(index.covered.isEmpty && index.place(of: random.chunk()) == nil)
        }
    }

    /// Tables and lines as an adversary would have them, under a right checksum: any place of theirs may come out,
    /// but nothing crashes.
    @Test(arguments: [0, 1 << 30]) func `garbage after a sound header and tables does no harm`(mapped: Int) throws {
        for seed in seed()..<(seed() + 300) {
            var random = Seeded(seed)
            let (sound, model) = try smallRun(&random)
            let scratch = Scratch()
            var bytes = sound
            // All after the tables is open to doubt.
            func word(_ number: Int) -> Int {
                sound[(8 * number)..<(8 * number + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
            }
            let end = (128 + 16 * word(4) + 24 * word(5) + word(10) + 63) & ~63
            for _ in 0..<(1 + random.below(2000)) {
                bytes[end + random.below(bytes.count - end)] = [0, 0xff, UInt8(random.below(256))][random.below(3)]
            }
            try scratch.write(bytes, to: "run3-garbage")
            let index = try scratch.open(mapped: mapped)
            #expect(index.covered.count == 3)
            for id in model.places.keys { _ = index.places(of: id) }
            for _ in 0..<20 { _ = index.place(of: random.chunk()) }
            index.forEachChunk { _, _ in }
            try index.insert([random.pack(frames: 1, chunks: 20)], covering: [random.object()])
            #expect(index.covered.count == 1 && index.entryCount == 20)
        }
    }
}
