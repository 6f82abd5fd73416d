import PackStore
import Synchronization
import TestSupport
import Testing
import Workers

private struct Failure: Error, Equatable { let number: Int }

private func block(_ byte: Int, _ byteCount: Int = 1024) -> Slice {
    Slice(copying: [UInt8](repeating: UInt8(truncatingIfNeeded: byte), count: byteCount))
}

@Test func `a cache keeps what was used last, and no more bytes than it may`() throws {
    struct Weak { weak var buffer: Buffer? }
    let cache = SharedCache<Int>(bytesMax: 64 << 10)
    var kept: [Weak] = []
    for key in 0..<1000 {
        let slice = try cache.block(key) { block(key) }
        kept.append(Weak(buffer: slice.buffer))
        // Asked for all the time, it stays.
        let first = try cache.block(0) { block(0) }
        #expect(first.withBytes { $0[0] } == 0)
    }
    let alive = kept.count { $0.buffer != nil }
    #expect(alive >= 32 && alive <= 65, "\(alive)")
    #expect(kept[0].buffer != nil)
    #expect(cache.made == 1000)
    _ = try cache.block(999) { throw Failure(number: 999) }
    #expect(throws: Failure(number: 500)) { try cache.block(500) { throw Failure(number: 500) } }
}

@Test func `a block longer than the whole cache is given out all the same`() throws {
    let cache = SharedCache<Int>(bytesMax: 100)
    for key in 0..<10 {
        let slice = try cache.block(key) { block(key, 5000) }
        #expect(slice.withBytes { $0.count == 5000 && $0[4999] == UInt8(key) })
    }
}

@Test func `what one thread makes the others wait for`() throws {
    let cache = SharedCache<String>(bytesMax: 1 << 20)
    let arrived = Monitor(0)
    let got = Mutex<Set<ObjectIdentifier>>([])
    let outcomes = Outcomes()
    let threads = (0..<8).map { _ in
        startThread {
            outcomes.add(
                Result {
                    arrived.change { $0 += 1 }
                    let slice = try cache.block("k") {
                        // All others are on their way by then.
                        _ = arrived.wait { $0 == 8 ? true : nil }
                        return block(1)
                    }
                    _ = got.withLock { $0.insert(ObjectIdentifier(slice.buffer)) }
                })
        }
    }
    for thread in threads { thread.join() }
    #expect(outcomes.failures.isEmpty)
    #expect(cache.made == 1 && got.withLock { $0.count } == 1)
}

@Test func `whoever fails gets the error, and the next one tries again`() throws {
    let cache = SharedCache<String>(bytesMax: 1 << 20)
    let arrived = Monitor(0)
    let attempts = Atomic(0)
    let outcomes = Outcomes()
    let threads = (0..<8).map { _ in
        startThread {
            outcomes.add(
                Result {
                    arrived.change { $0 += 1 }
                    _ = try cache.block("k") {
                        _ = arrived.wait { $0 == 8 ? true : nil }
                        let attempt = attempts.add(1, ordering: .relaxed).newValue
                        if attempt <= 3 { throw Failure(number: attempt) }
                        return block(1)
                    }
                })
        }
    }
    for thread in threads { thread.join() }
    #expect(outcomes.failures.count == 3, "\(outcomes.failures)")
    #expect(attempts.load(ordering: .relaxed) == 4 && cache.made == 1)
}

@Test func `threads that hammer a small cache get what they ask for, made once at a time`() throws {
    let seed = announcedSeed()
    let cache = SharedCache<Int>(bytesMax: 20 << 10)
    let making = Mutex<Set<Int>>([])
    let wrong = Atomic(0)
    let failures = Atomic(0)
    let threads = (0..<8).map { number in
        startThread {
            var random = SeededRandom(seed: seed &+ UInt64(number))
            for _ in 0..<4000 {
                let key = random.number(0...60)
                let fails = random.number(0...20) == 0
                do {
                    let slice = try cache.block(key) {
                        guard making.withLock({ $0.insert(key).inserted }) else {
                            wrong.add(1, ordering: .relaxed)
                            return block(key)
                        }
                        defer { _ = making.withLock { $0.remove(key) } }
                        if fails { throw Failure(number: key) }
                        // Some stand on others that are less, as deltas do.
                        let below = key / 2
                        if below < key { _ = try cache.block(below) { block(below) } }
                        return block(key)
                    }
                    if slice.withBytes({ $0[0] != UInt8(key) || $0.count != 1024 }) {
                        wrong.add(1, ordering: .relaxed)
                    }
                } catch {
                    failures.add(1, ordering: .relaxed)
                }
            }
        }
    }
    for thread in threads { thread.join() }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(failures.load(ordering: .relaxed) > 0 && cache.made >= 61)
}
