import Files
import ObjectStorage
import WireFormat

/// Copies of the packs and manifests that this machine wrote last, for a store that is far: what
/// the next night's deltas stand on is read from here.
///
/// They are sealed as they are in the store. All of them may be lost; what is damaged is found when
/// it is opened, and only costs a delta.
package struct PackCache: Sendable {
    /// The copies under the names that they have in the repository.
    package let store: DirectoryStore
    private let root: Path
    private let bytesMax: Int
    private let calls: SystemCalls

    init(
        _ root: Path, bytesMax: Int, calls: SystemCalls,
        randomBytes: @escaping @Sendable (Int) throws -> [UInt8]
    ) {
        self.root = root
        self.bytesMax = bytesMax
        self.calls = calls
        store = DirectoryStore(root, calls: calls, randomBytes: randomBytes, isDurable: false)
    }

    /// Keeps a copy of an object. What cannot be kept is only missed.
    func keep(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= bytesMax else { return }
        try? store.put(name, bytes)
    }

    /// Notes that objects are of use now.
    /// - Parameter now: milliseconds since 1970.
    package func touch(_ names: [ObjectName], now: Int64) {
        for name in names {
            _ = calls.setTimes(root / name.description, now / 1000, now % 1000 * 1_000_000)
        }
    }

    /// Removes what was not of use for longest, until the rest is no larger than it may be.
    package func trim() {
        let kept = Folder.Root.allCases.flatMap { (try? store.list(.all($0))) ?? [] }
        var bytes = kept.reduce(0) { $0 + $1.byteCount }
        for object in kept.sorted(by: { ($0.modified, $0.byteCount) < ($1.modified, $1.byteCount) })
        {
            guard bytes > bytesMax else { return }
            try? store.remove(object.name)
            bytes -= object.byteCount
        }
    }
}

/// A far store that leaves a copy of what is written in a cache.
struct WriteThroughStore: PassingStore {
    let under: any ObjectStore
    let cache: PackCache

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        try under.put(name, bytes)
        switch name {
        case .pack, .snapshot: cache.keep(name, bytes)
        default: break
        }
    }
}

/// A far store whose packs and manifests are read from copies where there are any. For what is looked
/// into, not for whether it exists.
struct ReadThroughStore: PassingStore {
    let under: any ObjectStore
    let cache: PackCache

    func byteCount(of name: ObjectName) throws -> Int? {
        try (try? cache.store.byteCount(of: name)) ?? under.byteCount(of: name)
    }
    func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        if let copy = try? cache.store.get(name, limit: limit) { return copy }
        return try under.get(name, limit: limit)
    }
    func read(_ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
        -> Int
    {
        if let count = try? cache.store.read(name, at: offset, into: buffer) { return count }
        return try under.read(name, at: offset, into: buffer)
    }
}
