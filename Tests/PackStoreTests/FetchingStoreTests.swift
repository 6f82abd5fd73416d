import ObjectStorage
import PackStore
import Sealing
import Synchronization
import TestSupport
import Testing
import WireFormat
import Workers

/// A store in memory that takes itself for far, and notes what is asked for.
private final class FarMemory: PassingStore {
    let under: any ObjectStore
    let reads = Mutex<[Range<Int>]>([])
    /// What is thrown instead of an answer.
    let failure = Mutex<(any Error)?>(nil)
    let isNear = false
    let location = "far"

    init(_ near: any ObjectStore) { under = near }

    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        if let failure = failure.withLock({ $0 }) { throw failure }
        reads.withLock { $0.append(offset..<(offset + buffer.count)) }
        return try under.read(name, at: offset, into: buffer)
    }
}

/// Packs of chunks that do not compress, far away, and a way to read them.
private struct FarPlace {
    let chunks: [[UInt8]]
    let memory: FarMemory
    let store: FetchingStore
    let context: DomainContext
    let finder: ChunkFinder
    private let place: Place

    init(chunkCount: Int, atOnce: Int, bytesMax: Int) throws {
        place = try Place()
        var random = SeededRandom(seed: testSeed)
        chunks = (0..<chunkCount).map { _ in random.bytes(512 << 10) }
        _ = try place.write(chunks)
        memory = FarMemory(place.context.store)
        store = FetchingStore(memory, atOnce: atOnce, bytesMax: bytesMax)
        var context = place.context
        context.store = store
        self.context = context
        finder = ChunkFinder(context, place.index)
        _ = try IndexKeeper(context, place.index).refresh { _, _ in }
    }

    func stretch(_ number: Int) throws -> Stretch {
        var stretch = Stretch()
        stretch.append(try finder.find(try place.id(chunks[number])))
        return stretch
    }

    /// Reads some chunks in order, after having told of them.
    /// - Parameter look: called before each is read.
    func read(_ numbers: [Int], rest: Int = 0, _ look: (Int) -> Void = { _ in }) throws {
        let pool = BufferPool(capacity: 2 << 20)
        let decoder = try StretchDecoder(
            context, finder, DecodedFrames(bytesMax: 2 << 20), pool: pool)
        var plan = FetchPlan(store, finder)
        defer { plan.end() }
        let stretches = try numbers.map { try stretch($0) }
        for stretch in stretches { plan.gather(stretch) }
        plan.tell(rest: rest)
        for (number, stretch) in zip(numbers, stretches) {
            look(number)
            let bytes = try decoder.run(stretch).withBytes { Array($0) }
            #expect(bytes == chunks[number])
            plan.stretchDone()
        }
    }
}

@Suite struct FetchingStoreTests {
    @Test(arguments: [0, 1, 4])
    func `what follows each other is fetched in a few long ranges`(_ atOnce: Int) throws {
        let far = try FarPlace(chunkCount: 96, atOnce: atOnce, bytesMax: 64 << 20)
        _ = try far.stretch(0)
        let all = Array(0..<96)
        for number in all { _ = try far.stretch(number) }
        let before = far.memory.reads.withLock { $0.count }
        try far.read(all)
        let reads = far.memory.reads.withLock { Array($0[before...]) }
        // Nine long ones, the first of which is divided.
        #expect(reads.count <= 10, "\(reads)")
        #expect(reads.reduce(0) { $0 + $1.count } < 50 << 20)
        // What comes first does not wait for all that is read with it.
        #expect((reads.map { $0.count }.min() ?? 0) <= 2 << 20)
    }

    @Test func `of a pack that little is needed of only that is fetched`() throws {
        let far = try FarPlace(chunkCount: 40, atOnce: 2, bytesMax: 64 << 20)
        let some = [1, 2, 12, 13]
        for number in some { _ = try far.stretch(number) }
        let before = far.memory.reads.withLock { $0.count }
        try far.read(some)
        let reads = far.memory.reads.withLock { Array($0[before...]) }
        #expect(reads.count == 2, "\(reads)")
        #expect(reads.reduce(0) { $0 + $1.count } < 5 << 20)
    }

    @Test(arguments: [0, 3])
    func `memory is bounded, whatever was told of`(_ atOnce: Int) throws {
        let bytesMax = 20 << 20
        let far = try FarPlace(chunkCount: 96, atOnce: atOnce, bytesMax: bytesMax)
        try far.read(Array(0..<96)) { _ in #expect(far.store.bytesHeld <= bytesMax) }
        // Also where nothing fits: then one range at a time.
        let narrow = try FarPlace(chunkCount: 40, atOnce: atOnce, bytesMax: 1 << 20)
        try narrow.read(Array(0..<40)) { _ in #expect(narrow.store.bytesHeld <= 13 << 20) }
    }

    @Test func `what needs ranges out of their order gets them, and does not wait for ever`() throws
    {
        let far = try FarPlace(chunkCount: 80, atOnce: 2, bytesMax: 14 << 20)
        var random = SeededRandom(seed: testSeed)
        try far.read((0..<120).map { _ in Int(random.next() % 80) })
    }

    @Test func `an error that is no damage is told to who waits`() throws {
        struct Down: Error {}
        let far = try FarPlace(chunkCount: 40, atOnce: 2, bytesMax: 64 << 20)
        for number in 0..<40 { _ = try far.stretch(number) }
        far.memory.failure.withLock { $0 = Down() }
        #expect(throws: Down.self) { try far.read(Array(0..<40)) }
    }

    @Test func `a pack that is gone is told by its name`() throws {
        let far = try FarPlace(chunkCount: 40, atOnce: 2, bytesMax: 64 << 20)
        let names = try far.memory.list(.packs(far.context.domain)).map { $0.name }
        for number in 0..<40 { _ = try far.stretch(number) }
        for name in names { try far.memory.remove(name) }
        #expect {
            try far.read(Array(0..<40))
        } throws: {
            guard case .missing(let name)? = $0 as? StorageError else { return false }
            return names.contains(name)
        }
    }
}
