import WireFormat

/// A store in front of another: what it does not do itself, the other does.
package protocol PassingStore: ObjectStore {
    var under: any ObjectStore { get }
}

extension PassingStore {
    package var location: String { under.location }
    package var isNear: Bool { under.isNear }
    package var isEventual: Bool { under.isEventual }
    package var locks: Bool { under.locks }
    package func keepLonger(_ name: ObjectName) throws -> LockChange {
        try under.keepLonger(name)
    }

    package func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        try under.put(name, bytes)
    }
    package func byteCount(of name: ObjectName) throws -> Int? { try under.byteCount(of: name) }
    package func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try under.read(name, at: offset, into: buffer)
    }
    package func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        try under.get(name, limit: limit)
    }
    package func list(_ folder: Folder) throws -> [StoredObject] { try under.list(folder) }
    package func remove(_ name: ObjectName) throws { try under.remove(name) }
    package func isFree() throws -> Bool { try under.isFree() }
    package func now() throws -> Int64 { try under.now() }
    package func removeRemains(before time: Int64) throws -> Int {
        try under.removeRemains(before: time)
    }
    package func makeReserve() { under.makeReserve() }
}
