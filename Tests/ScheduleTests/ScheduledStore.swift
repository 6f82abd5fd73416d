import ObjectStorage
import WireFormat

/// A client's way to the store, by which each of its requests is a step of the world. A listing is several:
/// each half is looked at in its own moment.
final class ScheduledStore: ObjectStore {
    private let under: any ObjectStore
    private let world: World
    private let client: Int

    init(_ under: any ObjectStore, _ world: World, client: Int) {
        self.under = under
        self.world = world
        self.client = client
    }

    var location: String { under.location }
    var isNear: Bool { true }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        try world.request(of: client) { try under.put(name, bytes) }
    }

    func byteCount(of name: ObjectName) throws -> Int? {
        try world.request(of: client) { try under.byteCount(of: name) }
    }

    func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try world.request(of: client) { try under.read(name, at: offset, into: buffer) }
    }

    func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        try world.request(of: client) { try under.get(name, limit: limit) }
    }

    func list(_ folder: Folder) throws -> [StoredObject] {
        // Random names: the last digit parts them anywhere, not only in two runs.
        func part(_ isFirst: Bool) throws -> [StoredObject] {
            try world.request(of: client) {
                try under.list(folder).filter { object in
                    (object.name.id?.words.1 ?? 0) % 2 == (isFirst ? 0 : 1)
                }
            }
        }
        let parts = try part(true) + part(false)
        // Every folder but `all` has one kind of names.
        if case .all = folder { return parts.sorted { "\($0.name)" < "\($1.name)" } }
        return parts.sorted { ($0.name.id?.words.0.byteSwapped ?? 0) < ($1.name.id?.words.0.byteSwapped ?? 0) }
    }

    func remove(_ name: ObjectName) throws {
        try world.request(of: client) { try under.remove(name) }
    }

    func isFree() throws -> Bool { try under.isFree() }
    func now() throws -> Int64 { try under.now() }
}
