import Sealing
import Synchronization
import TestSupport
import Testing

/// Secrets and the pages they live in. What looks at the pages runs in a process of its own: others
/// would take the slots meanwhile.
struct SecretTests {
    @Test func `a secret holds what it was made of, and what was moved is gone`() {
        for count in 1...64 {
            var source = block(1, count)
            let moved = Secret(moving: &source)
            #expect(source.isEmpty)
            #expect(bytes(moved) == block(1, count) && moved.count == count)
            #expect(bytes(moved.copy()) == block(1, count))
            let copied = block(2, count).withUnsafeBytes { bytes(Secret(copying: $0)) }
            #expect(copied == block(2, count))
            #expect(
                bytes(Secret(count: count) { _ in }) == [UInt8](repeating: 0, count: count),
                "it begins as zeros")
        }
    }

    @Test func `wiping overwrites the bytes and empties the array`() {
        var array = block(1, 100)
        array.wipe()
        #expect(array.isEmpty)
        array.wipe()
        #expect(array.isEmpty)
    }

    @Test func `a secret that cannot be filled throws and gives its slot back`() async {
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            _ = try Secret(count: 32) { _ throws(Refusal) in throw Refusal() }
        }
        await #expect(processExitsWith: .success) {
            struct Refusal: Error {}
            func address() -> UInt {
                secret(block(1)).withBytes { UInt(bitPattern: $0.baseAddress) }
            }
            let before = address()
            for _ in 0..<1000 {
                _ = try? Secret(count: 32) { _ throws(Refusal) in throw Refusal() }
            }
            guard address() == before else { fatalError("slots were lost") }
        }
    }

    @Test func `a slot is wiped when its secret goes, and used again`() async {
        await #expect(processExitsWith: .success) {
            func slot() -> UnsafeRawPointer {
                let key = secret(block(0xa0, 64))
                guard bytes(key) == block(0xa0, 64) else { fatalError("it holds something else") }
                return key.withBytes { $0.baseAddress! }
            }
            let left = slot()
            // The page stays mapped for the life of the process; only the slot's owner is gone.
            let remains = UnsafeRawBufferPointer(start: left, count: 64)
            guard remains.allSatisfy({ $0 == 0 }) else { fatalError("the key is still there") }
            guard slot() == left else { fatalError("another slot was taken") }
        }
    }

    @Test func `many secrets at once keep apart, and their slots serve the next ones`() async {
        _ = announcedSeed()
        await #expect(processExitsWith: .success) {
            final class Holder {
                let key: Secret
                init(_ bytes: [UInt8]) { key = secret(bytes) }
                var address: UInt { key.withBytes { UInt(bitPattern: $0.baseAddress) } }
            }
            var random = SeededRandom(seed: testSeed)
            let contents = (0..<5000).map { _ in random.bytes(random.number(1...64)) }
            var holders = contents.map { Holder($0) }
            let addresses = Set(holders.map { $0.address })
            guard addresses.count == 5000 else { fatalError("two secrets share a slot") }
            for (holder, content) in zip(holders, contents) {
                guard bytes(holder.key) == content else { fatalError("a secret changed") }
            }
            guard addresses.allSatisfy({ $0.isMultiple(of: 64) }) else {
                fatalError("slots overlap")
            }
            holders = []
            holders = contents.reversed().map { Holder($0) }
            guard holders.allSatisfy({ addresses.contains($0.address) }) else {
                fatalError("slots are not used again")
            }
        }
    }

    @Test func `threads that make and drop secrets never see each other's`() async {
        await withTaskGroup(of: Bool.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    var random = SeededRandom(seed: testSeed &+ UInt64(thread))
                    for _ in 0..<20_000 {
                        let content = random.bytes(32)
                        let key = secret(content)
                        let other = key.copy()
                        guard bytes(key) == content, bytes(other) == content else { return false }
                    }
                    return true
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test func `equality in constant time is equality`() {
        for count in [0, 1, 32, 33] {
            #expect(equalInConstantTime(block(1, count), block(1, count)))
            for changed in flipped(block(1, count)) {
                #expect(!equalInConstantTime(block(1, count), changed))
            }
            #expect(!equalInConstantTime(block(1, count), block(1, count + 1)))
        }
    }
}
