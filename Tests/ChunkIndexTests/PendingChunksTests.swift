import ChunkIndex
import Testing
import WireFormat

@Suite struct PendingChunksTests {
    @Test func `random claims agree with a dictionary`() {
        for seed in seed()..<(seed() + 20) {
            var random = Seeded(seed)
            var pending = PendingChunks()
            var model: [ChunkID: PendingChunks.Claim] = [:]
            var ids: [ChunkID] = []
            for _ in 0..<3000 {
                switch random.below(6) {
                case 0...3:
                    let id = ids.isEmpty || random.below(4) > 0 ? random.chunk() : ids[random.below(ids.count)]
                    let isNew = pending.insert(id)
                    #expect(isNew == (model[id] == nil))
                    if model[id] == nil {
                        model[id] = .claimed
                        ids.append(id)
                    }
                case 4 where !ids.isEmpty:
                    let id = ids[random.below(ids.count)]
                    let pack = random.below(2) == 0 ? UInt32.max - 1 : UInt32(random.below(100))
                    let frame = random.below(2) == 0 ? UInt16.max : UInt16(random.below(100))
                    pending.place(id, pack: pack, frame: frame)
                    model[id] = .placed(pack: pack, frame: frame)
                default:
                    #expect(pending.value(of: random.chunk()) == nil)
                    if random.below(300) == 0 {
                        pending.removeAll()
                        (model, ids) = ([:], [])
                    }
                }
            }
            #expect(pending.count == model.count)
            #expect(ids.allSatisfy { pending.contains($0) && pending.value(of: $0) == model[$0] }, "seed \(seed)")
        }
    }

    @Test func `an entry takes at most 48 bytes from a thousand on`() {
        var random = Seeded(seed())
        var pending = PendingChunks()
        var most = 0.0
        for count in 1...300_000 {
            _ = pending.insert(random.chunk())
            if count >= 1000 { most = max(most, Double(pending.byteCount) / Double(count)) }
        }
        print("at most \(most) bytes an entry")
        #expect(pending.count == 300_000 && most <= 48)
    }

    @Test func `an empty table takes nothing`() {
        var random = Seeded(seed())
        var pending = PendingChunks()
        #expect(pending.byteCount == 0 && pending.value(of: random.chunk()) == nil)
        _ = pending.insert(random.chunk())
        pending.removeAll()
        #expect(pending.byteCount == 0 && pending.count == 0)
    }

    @Test func `ids that are no hashes are kept apart`() {
        var pending = PendingChunks()
        let ids =
            (0..<5000 as Range<UInt64>).flatMap { number in
                [
                    ChunkID(words: (number, 0, 0)), ChunkID(words: (0, number + 1, 0)),
                    ChunkID(words: (0, 0, number + 1)),
                ]
            }
        for isNew in [true, false] {
            for id in ids {
                let wasNew = pending.insert(id)
                #expect(wasNew == isNew && pending.value(of: id) == .claimed)
            }
        }
        #expect(pending.count == ids.count)
    }
}
