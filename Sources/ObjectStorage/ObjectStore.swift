import Faults
import WireFormat

/// Where objects live. Calls block, may be made from several threads at once, and return when what
/// they did is durable.
///
/// A store must show what was written to everything that begins afterwards (docs/format.md, section
/// 15). Objects are created whole or not at all, never changed, and only ever deleted.
package protocol ObjectStore: Sendable {
    /// For messages, such as `/srv/backup`.
    var location: String { get }
    /// Whether a read costs no network: bases are then read from the store itself.
    var isNear: Bool { get }
    /// Whether listings are known to lag behind what was written, and deleted.
    var isEventual: Bool { get }

    /// Creates an object. Throws `StorageError.exists` where the name is taken; a far store that cannot
    /// tell is asked before only where the name is not random.
    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws
    /// The object's length; nil where there is none.
    func byteCount(of name: ObjectName) throws -> Int?
    /// Reads from `offset` until the buffer is full or the object ends; returns how many bytes.
    /// Throws `StorageError.missing` where there is no object.
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    /// A whole object.
    /// - Parameter limit: a longer one is refused.
    func get(_ name: ObjectName, limit: Int) throws -> [UInt8]
    /// The objects whose names begin with `folder`, in the order of their names. What is no object
    /// is left out.
    func list(_ folder: Folder) throws -> [StoredObject]
    /// Deletes an object; none there is no error.
    func remove(_ name: ObjectName) throws
    /// Gives an object another name, which nothing has.
    func rename(_ name: ObjectName, to other: ObjectName) throws
    /// Whether a new repository may be made here.
    func isFree() throws -> Bool
    /// The store's own clock, by which `StoredObject.modified` goes: milliseconds since 1970.
    func now() throws -> Int64
    /// Whether what is written is kept from being deleted for a time.
    var locks: Bool { get }
    /// Keeps an object from being deleted for as long as one that is written now, give or take a day.
    func keepLonger(_ name: ObjectName) throws -> LockChange
    /// Removes what writers that died left of objects that were never finished.
    /// - Parameter time: by the store's clock; what was touched since is left alone.
    /// - Returns: how many bytes that freed.
    func removeRemains(before time: Int64) throws -> Int
    /// Keeps some room for tombstones and records, without which a full disk could not be freed of anything. What
    /// cannot be had now is had by a later prune.
    func makeReserve()
}

/// What became of the time that an object is kept for.
package enum LockChange: Sendable {
    case longer
    /// It is kept so long already, or is not there, or nobody asked.
    case none
    /// It is not kept, and the store has not shown yet that it can: one that cannot might take the request for
    /// another, and put something over the object.
    case unproven
}

/// An object as a listing shows it.
package struct StoredObject: Equatable, Sendable {
    package let name: ObjectName
    package let byteCount: Int
    /// By the store's clock, milliseconds since 1970.
    package let modified: Int64

    package init(name: ObjectName, byteCount: Int, modified: Int64) {
        self.name = name
        self.byteCount = byteCount
        self.modified = modified
    }
}

/// What can be listed.
package enum Folder: Hashable, Sendable {
    case keys
    case packs(DomainID)
    case index(DomainID)
    case snapshots(DomainID)
    case commits(DomainID)
    case tombstones(Tombstone.Target)
    case records(Record.Kind)
    /// Of every domain.
    case all(Root)

    package enum Root: String, Sendable, CaseIterable {
        case keys, packs, index, snapshots, commits, tombstones, records
    }

    /// What the names in it begin with, up to a slash, without it.
    package var path: String {
        switch self {
        case .keys: "keys"
        case .packs(let domain): "packs/\(domain)"
        case .index(let domain): "index/\(domain)"
        case .snapshots(let domain): "snapshots/\(domain)"
        case .commits(let domain): "commits/\(domain)"
        case .tombstones(let target): "tombstones/\(target.folder)"
        case .records(let kind): "records/\(kind.folder)"
        case .all(let root): root.rawValue
        }
    }
}

extension ObjectStore {
    package var isEventual: Bool { false }
    package var locks: Bool { false }
    package func keepLonger(_ name: ObjectName) throws -> LockChange { .none }

    /// Most stores keep nothing of an object that was not finished.
    package func removeRemains(before time: Int64) throws -> Int { 0 }

    package func rename(_ name: ObjectName, to other: ObjectName) throws {
        try put(other, get(name))
        try remove(name)
    }

    /// Most stores have no end.
    package func makeReserve() {}

    /// Whether a repository is here.
    package func hasConfigOrKeys() throws -> Bool {
        if try byteCount(of: .config) != nil { return true }
        return try !list(.keys).isEmpty
    }

    /// Whether a new repository may be made here: no object of any is there.
    package func isFree() throws -> Bool {
        guard try !hasConfigOrKeys() else { return false }
        return try Folder.Root.allCases.allSatisfy { try list(.all($0)).isEmpty }
    }

    package func get(_ name: ObjectName) throws -> [UInt8] {
        try get(name, limit: Limits.objectBytes)
    }

    package func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        guard let count = try byteCount(of: name) else { throw StorageError.missing(name) }
        guard count <= limit else {
            throw StorageError.tooLong(name, byteCount: count, limit: limit)
        }
        return try read(name, 0..<count)
    }

    /// Exactly the bytes of a range.
    package func read(_ name: ObjectName, _ range: Range<Int>) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            try read(
                name, range,
                into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count))
            count = range.count
        }
    }

    /// Exactly the bytes of a range.
    package func read(
        _ name: ObjectName, _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
    ) throws {
        let count = try read(name, at: range.lowerBound, into: buffer)
        guard count == range.count else {
            throw StorageError.tooShort(
                name, wanted: range.upperBound, got: range.lowerBound + count)
        }
    }

    package func put(_ name: ObjectName, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try put(name, $0) }
    }
}
