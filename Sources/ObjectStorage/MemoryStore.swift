import Synchronization
import WireFormat

/// Objects in memory, for tests. A class: everybody who holds it sees the same objects.
package final class MemoryStore: ObjectStore {
    private let objects = Mutex<[ObjectName: (bytes: [UInt8], modified: Int64)]>([:])
    private let clock: @Sendable () -> Int64

    /// - Parameter now: the store's clock, milliseconds since 1970.
    package init(now: @escaping @Sendable () -> Int64 = { 0 }) { clock = now }

    /// What another holds at this moment.
    package init(copying other: MemoryStore) {
        clock = other.clock
        let copy = other.objects.withLock { $0 }
        objects.withLock { $0 = copy }
    }

    package var location: String { "memory" }
    package var isNear: Bool { true }

    package func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        let copy = Array(bytes)
        let time = clock()
        let isNew = objects.withLock { objects in
            guard objects[name] == nil else { return false }
            objects[name] = (copy, time)
            return true
        }
        guard isNew else { throw StorageError.exists(name) }
    }

    package func byteCount(of name: ObjectName) throws -> Int? {
        objects.withLock { $0[name]?.bytes.count }
    }

    package func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard let object = objects.withLock({ $0[name]?.bytes }) else {
            throw StorageError.missing(name)
        }
        guard offset < object.count else { return 0 }
        let count = min(buffer.count, object.count - offset)
        object.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)]))
        }
        return count
    }

    package func list(_ folder: Folder) throws -> [StoredObject] {
        let found = objects.withLock { objects in
            objects.compactMap { name, object in
                folder.holds(name)
                    ? StoredObject(
                        name: name, byteCount: object.bytes.count, modified: object.modified) : nil
            }
        }
        if case .all = folder {
            return found.sorted { $0.name.description < $1.name.description }
        }
        return found.sorted { ($0.name.id ?? .zero) < ($1.name.id ?? .zero) }
    }

    package func now() throws -> Int64 { clock() }

    package func remove(_ name: ObjectName) throws {
        _ = objects.withLock { $0.removeValue(forKey: name) }
    }
}

extension Folder {
    /// The same as that the name begins with the folder's path.
    fileprivate func holds(_ name: ObjectName) -> Bool {
        switch (self, name) {
        case (.packs(let own), .pack(let domain, _)), (.index(let own), .index(let domain, _)),
            (.snapshots(let own), .snapshot(let domain, _)),
            (.commits(let own), .commit(let domain, _)):
            own == domain
        case (.tombstones(let own), .tombstone(let target, _)): own == target
        case (.records(let own), .record(let kind, _)): own == kind
        case (.keys, .key), (.all(.keys), .key), (.all(.packs), .pack), (.all(.index), .index),
            (.all(.snapshots), .snapshot), (.all(.commits), .commit),
            (.all(.tombstones), .tombstone), (.all(.records), .record):
            true
        default: false
        }
    }
}

extension ObjectID {
    fileprivate static let zero = ObjectID([UInt8](repeating: 0, count: byteCount))
}

extension MemoryStore {
    /// Changes what a store must never change: for tests of what is noticed.
    package func tamper(_ name: ObjectName, _ change: (inout [UInt8]) -> Void) {
        objects.withLock { objects in
            guard var object = objects[name] else { return }
            change(&object.bytes)
            objects[name] = object
        }
    }
}
