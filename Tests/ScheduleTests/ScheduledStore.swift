import ObjectStorage
import WireFormat

/// A client's way to the store, by which each of its requests is a step of the world. A listing is several:
/// each half is looked at in its own moment.
final class ScheduledStore: ObjectStore {
    private let under: any ObjectStore
    private let world: World
    private let client: Int
    /// Is told what was asked and answered; nil for nobody.
    private let chronicle: Chronicle?
    /// Whether others may come before any object is read, not only before tombstones. Other names are never
    /// used again, so it matters only where one is gone then.
    private let restsAtReads: Bool

    init(
        _ under: any ObjectStore, _ world: World, client: Int, chronicle: Chronicle? = nil,
        restsAtReads: Bool = true
    ) {
        self.restsAtReads = restsAtReads
        self.under = under
        self.world = world
        self.client = client
        self.chronicle = chronicle
    }

    var location: String { under.location }
    var isNear: Bool { true }

    private func ask<Answer: Hashable>(_ body: () throws -> Answer) throws -> Answer {
        try world.request(of: client) {
            do {
                let answer = try body()
                chronicle?.tell(client, answer)
                return answer
            } catch {
                chronicle?.tell(client, "refused")
                throw error
            }
        }
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
        _ = try ask {
            try under.put(name, bytes)
            chronicle?.put(name, bytes)
            return true
        }
    }

    func byteCount(of name: ObjectName) throws -> Int? { try ask { try under.byteCount(of: name) } }

    func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard restsAtReads else { return try under.read(name, at: offset, into: buffer) }
        // What is there under a name is always the same: how much it was tells enough.
        return try ask { try under.read(name, at: offset, into: buffer) }
    }

    func get(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        guard restsAtReads || name.isTombstone else { return try under.get(name, limit: limit) }
        return try ask { try under.get(name, limit: limit) }
    }

    func list(_ folder: Folder) throws -> [StoredObject] {
        // Random names: the last digit parts them anywhere, not only in two runs.
        func part(_ isFirst: Bool) throws -> [StoredObject] {
            var found: [StoredObject] = []
            _ = try ask {
                found = try under.list(folder).filter { object in
                    (object.name.id?.words.1 ?? 0) % 2 == (isFirst ? 0 : 1)
                }
                return found.map { $0.name }
            }
            return found
        }
        let parts = try part(true) + part(false)
        // Every folder but `all` has one kind of names.
        if case .all = folder { return parts.sorted { "\($0.name)" < "\($1.name)" } }
        return parts.sorted { ($0.name.id?.words.0.byteSwapped ?? 0) < ($1.name.id?.words.0.byteSwapped ?? 0) }
    }

    func remove(_ name: ObjectName) throws {
        _ = try ask {
            try under.remove(name)
            chronicle?.remove(name)
            return true
        }
    }

    func isFree() throws -> Bool { try under.isFree() }
    func now() throws -> Int64 { try under.now() }
}

extension ObjectName {
    fileprivate var isTombstone: Bool { if case .tombstone = self { true } else { false } }
}
