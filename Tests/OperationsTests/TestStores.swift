import ObjectStorage
import Synchronization
import WireFormat

/// A store that ends a run before it writes more than it may.
final class StoppingStore: ObjectStore {
    struct Stopped: Error {}

    private let under: any ObjectStore
    private let left = Mutex(Int.max)

    init(_ under: any ObjectStore) { self.under = under }

    func allow(writes: Int) { left.withLock { $0 = writes } }

    var location: String { under.location }
    var isNear: Bool { under.isNear }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        let mayWrite = left.withLock { left in
            guard left > 0 else { return false }
            if left != .max { left -= 1 }
            return true
        }
        guard mayWrite else { throw Stopped() }
        try under.put(name, bytes)
    }
    func byteCount(of name: ObjectName) throws -> Int? { try under.byteCount(of: name) }
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        try under.read(name, at: offset, into: buffer)
    }
    func list(_ folder: Folder) throws -> [StoredObject] { try under.list(folder) }
    func remove(_ name: ObjectName) throws { try under.remove(name) }
}

/// A store that keeps packs with one byte changed, once it is told to.
final class LyingStore: ObjectStore {
    private let under: any ObjectStore
    private let isLying = Mutex(false)

    init(_ under: any ObjectStore) { self.under = under }

    func lies() { isLying.withLock { $0 = true } }

    var location: String { under.location }
    var isNear: Bool { under.isNear }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        var kept = Array(bytes)
        if case .pack = name, isLying.withLock({ $0 }) { kept[kept.count / 3] ^= 1 }
        try kept.withUnsafeBytes { try under.put(name, $0) }
    }
    func byteCount(of name: ObjectName) throws -> Int? { try under.byteCount(of: name) }
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        try under.read(name, at: offset, into: buffer)
    }
    func list(_ folder: Folder) throws -> [StoredObject] { try under.list(folder) }
    func remove(_ name: ObjectName) throws { try under.remove(name) }
}

/// A store that counts what is read of packs.
final class CountingStore: ObjectStore {
    private let under: any ObjectStore
    private let count = Mutex(0)

    init(_ under: any ObjectStore) { self.under = under }

    /// Bytes read since this was asked last.
    func take() -> Int {
        count.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    var location: String { under.location }
    var isNear: Bool { under.isNear }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        try under.put(name, bytes)
    }
    func byteCount(of name: ObjectName) throws -> Int? { try under.byteCount(of: name) }
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        let read = try under.read(name, at: offset, into: buffer)
        if case .pack = name { count.withLock { $0 += read } }
        return read
    }
    func list(_ folder: Folder) throws -> [StoredObject] { try under.list(folder) }
    func remove(_ name: ObjectName) throws { try under.remove(name) }
}
