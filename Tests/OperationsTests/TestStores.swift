import ObjectStorage
import Synchronization
import WireFormat

/// A store that ends a run before it writes more than it may.
final class StoppingStore: PassingStore {
    struct Stopped: Error {}

    let under: any ObjectStore
    private let left = Mutex(Int.max)

    init(_ under: any ObjectStore) { self.under = under }

    func allow(writes: Int) { left.withLock { $0 = writes } }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        let mayWrite = left.withLock { left in
            guard left > 0 else { return false }
            if left != .max { left -= 1 }
            return true
        }
        guard mayWrite else { throw Stopped() }
        try under.put(name, bytes)
    }
}

/// A store that keeps packs with one byte changed, once it is told to.
final class LyingStore: PassingStore {
    let under: any ObjectStore
    private let isLying = Mutex(false)

    init(_ under: any ObjectStore) { self.under = under }

    func lies() { isLying.withLock { $0 = true } }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        var kept = Array(bytes)
        if case .pack = name, isLying.withLock({ $0 }) { kept[kept.count / 3] ^= 1 }
        try kept.withUnsafeBytes { try under.put(name, $0) }
    }
}

/// A store that keeps what is written from being deleted, and knows what it was asked to keep longer.
final class KeepingStore: PassingStore {
    let under: any ObjectStore
    private let asked = Mutex<Set<ObjectName>>([])

    init(_ under: any ObjectStore) { self.under = under }

    var locks: Bool { true }
    var keptLonger: Set<ObjectName> { asked.withLock { $0 } }

    func keepLonger(_ name: ObjectName) throws -> LockChange {
        asked.withLock { $0.insert(name).inserted } ? .longer : .none
    }
}

/// A store that counts what is read of packs.
final class CountingStore: PassingStore {
    let under: any ObjectStore
    private let count = Mutex(0)

    init(_ under: any ObjectStore) { self.under = under }

    /// Bytes read since this was asked last.
    func take() -> Int {
        count.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        let read = try under.read(name, at: offset, into: buffer)
        if case .pack = name { count.withLock { $0 += read } }
        return read
    }
}

/// A store that takes nothing under some names.
final class RefusingStore: PassingStore {
    struct Refused: Error {}

    let under: any ObjectStore
    private let refuses = Mutex<@Sendable (ObjectName) -> Bool>({ _ in false })

    init(_ under: any ObjectStore) { self.under = under }

    func refuse(_ names: @escaping @Sendable (ObjectName) -> Bool) { refuses.withLock { $0 = names } }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        if refuses.withLock({ $0 })(name) { throw Refused() }
        try under.put(name, bytes)
    }
}
