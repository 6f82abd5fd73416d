import Synchronization
import TestSupport
import Testing
import Workers

struct BufferTests {
    private func address(_ buffer: Buffer) -> UInt { UInt(bitPattern: buffer.base) }

    @Test func `a block goes back to its pool with its last holder, and is used again`() {
        let pool = BufferPool(capacity: 4096)
        var seen: Set<UInt> = []
        for _ in 0..<1000 { seen.insert(address(pool.take())) }
        #expect(seen.count == 1)
        var holders = (0..<5).map { _ in pool.take() }
        let first = Set(holders.map { address($0) })
        #expect(first.count == 5, "no block is given to two")
        holders.removeAll()
        holders = (0..<5).map { _ in pool.take() }
        #expect(Set(holders.map { address($0) }) == first)
    }

    @Test func `a slice keeps its block from the pool`() {
        let pool = BufferPool(capacity: 64)
        var slice: Slice? = Slice(pool.take(), 3..<10)
        slice.map { slice in slice.buffer.room(3..<10).copyBytes(from: [1, 2, 3, 4, 5, 6, 7]) }
        let kept = slice.map { address($0.buffer) }
        let other = pool.take()
        #expect(address(other) != kept)
        other.room(0..<64).initializeMemory(as: UInt8.self, repeating: 0xff)
        #expect(slice.map { $0.withBytes { Array($0) } } == [1, 2, 3, 4, 5, 6, 7])
        #expect(slice?.count == 7)
        slice = nil
        #expect(address(pool.take()) == kept)
    }

    @Test func `a block outlives its pool's other users`() {
        var pool: BufferPool? = BufferPool(capacity: 128)
        weak let observed = pool
        var buffer = pool?.take()
        pool = nil
        #expect(observed != nil, "the block will want to go back")
        #expect(buffer?.capacity == 128)
        buffer?.room(0..<128).initializeMemory(as: UInt8.self, repeating: 1)
        buffer = nil
        #expect(observed == nil)
    }

    @Test func `blocks of any size are aligned and writable to their end`() {
        for capacity in [0, 1, 63, 64, 65, 1 << 20] {
            let buffer = Buffer(capacity: capacity)
            #expect(buffer.capacity == capacity && address(buffer).isMultiple(of: 64))
            buffer.room(0..<capacity).initializeMemory(as: UInt8.self, repeating: 9)
            #expect(buffer.bytes(0..<capacity).allSatisfy { $0 == 9 })
            #expect(buffer.bytes(capacity..<capacity).isEmpty)
        }
        #expect(address(BufferPool(capacity: 100).take()).isMultiple(of: 64))
    }

    @Test func `bytes and room are the same memory, where the range says`() {
        let buffer = Buffer(capacity: 100)
        buffer.room(10..<20).copyBytes(from: Array(1...10))
        #expect(Array(buffer.bytes(12..<15)) == [3, 4, 5])
        #expect(Slice(buffer, 12..<15).withBytes { Array($0) } == [3, 4, 5])
    }

    @Test func `a slice of bytes is a copy of them`() {
        var random = SeededRandom(seed: announcedSeed())
        for count in [0, 1, 1000] {
            let bytes = random.bytes(count)
            let slice = Slice(copying: bytes)
            #expect(slice.withBytes { Array($0) } == bytes && slice.count == count)
        }
    }

    @Test func `a range beyond a block is our own bug`() async {
        await #expect(processExitsWith: .failure) { _ = Buffer(capacity: 10).bytes(5..<11) }
        await #expect(processExitsWith: .failure) { _ = Buffer(capacity: 10).room(0..<11) }
        await #expect(processExitsWith: .failure) { _ = Buffer(capacity: 10).bytes(-1..<5) }
        await #expect(processExitsWith: .failure) {
            Slice(Buffer(capacity: 10), 5..<11).withBytes { _ in }
        }
    }

    @Test func `threads that take and return blocks never share one`() async {
        let pool = BufferPool(capacity: 4096)
        await withTaskGroup(of: Bool.self) { group in
            for thread: UInt8 in 0..<4 {
                group.addTask {
                    for _ in 0..<3000 {
                        let buffer = pool.take()
                        buffer.room(0..<4096).initializeMemory(as: UInt8.self, repeating: thread)
                        guard buffer.bytes(0..<4096).allSatisfy({ $0 == thread }) else {
                            return false
                        }
                    }
                    return true
                }
            }
            for await isAlone in group { #expect(isAlone) }
        }
    }
}
