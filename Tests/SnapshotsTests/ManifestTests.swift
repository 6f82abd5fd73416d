import ObjectStorage
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import WireFormat

private func id(_ byte: UInt8) -> ObjectID { ObjectID([UInt8](repeating: byte, count: 16)) }

/// A domain whose manifests may be put together by hand.
private struct Place {
    let context: DomainContext
    let store = MemoryStore()
    var snapshots: SnapshotStore { SnapshotStore(context) }

    init() throws {
        let random = SharedRandom(seed: testSeed)
        let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
        context = DomainContext(
            store: store, keyring: keyring, keys: try #require(keyring.keys(of: 0)),
            random: HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [1] }))
    }

    /// Puts what is sealed as a manifest is, whatever it is.
    func put(_ content: [UInt8], _ id: ObjectID, _ contentClass: ContentClass = .list) throws {
        let header = ObjectHeader(.manifest, domain: .shared, id: id).bytes
        let envelope = try NewEnvelope(contentClass, context)
        let sealed = envelope.key.cipher().seal(
            number: 0, associated: envelope.key.associated(number: 0, context: header),
            Padding.pad(content))
        try snapshots.publish(header + envelope.stored.bytes + sealed, id: id)
    }

    func manifest(_ id: ObjectID, expecting head: Head? = nil) throws -> Manifest {
        try snapshots.manifest(id, expecting: head)
    }
}

private let head = Head(
    series: "s", kind: .full, time: 0, started: 0, ended: 0, completeness: .complete,
    evidence: .both, writer: id(1), sequence: 1)

private let manifest = Manifest(
    head: head,
    streams: [
        .init(
            role: .data, contentClass: .data, byteCount: 0,
            checksumKey: [UInt8](repeating: 7, count: 32),
            checksum: [UInt8](repeating: 8, count: 16), list: .inline([]), name: nil,
            cuttingRule: 1)
    ])

/// `u8 codec | u32 raw length`.
private func encoded(_ codec: UInt8, _ rawBytes: Int, _ content: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.u8(codec)
    writer.u32(rawBytes)
    return writer.bytes + content
}

@Test func `a manifest that is sealed as it should be and says what cannot be is refused`() throws {
    let place = try Place()
    let bytes = manifest.bytes
    try place.put(encoded(0, bytes.count, bytes), id(2))
    #expect(try place.manifest(id(2)).head.series == "s")
    let bad = [
        encoded(0, bytes.count + 1, bytes), encoded(0, Limits.objectBytes + 1, bytes),
        encoded(1, bytes.count, bytes), encoded(2, bytes.count, bytes), [0, 1],
    ]
    for (number, content) in bad.enumerated() {
        let name = id(UInt8(10 + number))
        try place.put(content, name)
        #expect(throws: (any Error).self, "\(number)") { try place.manifest(name) }
    }
    try place.put(encoded(0, bytes.count, bytes), id(3), .data)
    #expect { try place.manifest(id(3)) } throws: { "\($0)".contains("of another class") }
}

@Test func `a manifest with any byte changed does not open`() throws {
    let place = try Place()
    try place.snapshots.publish(
        place.snapshots.seal(manifest, id: id(2)), id: id(2))
    let count = try #require(try place.store.byteCount(of: .snapshot(.shared, id(2))))
    for at in [0, 20, 39, 40, 100, 150, count - 20, count - 1] {
        place.store.tamper(.snapshot(.shared, id(2))) { $0[at] ^= 1 }
        #expect(throws: (any Error).self, "byte \(at)") { try place.manifest(id(2)) }
        place.store.tamper(.snapshot(.shared, id(2))) { $0[at] ^= 1 }
    }
    #expect(try place.manifest(id(2)).head.series == "s")
}

@Test func `a manifest counts with the head that its commit has, and no other`() throws {
    let place = try Place()
    let sealed = try place.snapshots.seal(manifest, id: id(2))
    try place.snapshots.publish(sealed, id: id(2))
    var committed = head
    committed.manifestHash = Digest32(SHA256.hash(sealed))
    #expect(try place.manifest(id(2), expecting: committed).head.series == "s")
    committed.series = "t"
    #expect { try place.manifest(id(2), expecting: committed) } throws: {
        "\($0)".contains("head and its commit differ")
    }
    committed = head
    #expect(throws: SealingError.self) { try place.manifest(id(2), expecting: committed) }
}

@Test func `a manifest longer than any object may be is not sealed`() throws {
    let place = try Place()
    let said = [UInt8](repeating: 0, count: Limits.objectBytes / 2)
    var long = manifest
    long.producer = .init(standardError: said)
    #expect(throws: WireError.self) { try place.snapshots.seal(long, id: id(2)) }
}

/// Somebody puts something else in a tombstone's place as soon as it is free.
private struct Obstinate: PassingStore {
    let under: any ObjectStore

    func remove(_ name: ObjectName) throws {
        try under.remove(name)
        try under.put(name, [1, 2, 3])
    }
}

@Test func `what takes a tombstone's place again and again is given up on`() throws {
    let store = Obstinate(under: MemoryStore())
    let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
    let tombstone = Tombstone(
        target: .pack, reason: .pruned, domain: .shared, id: id(4), time: 7)
    try store.put(.tombstone(.pack, id(4)), [0])
    #expect(throws: StorageError.self) {
        try SignedObjects(store: store, keyring: keyring).put(tombstone)
    }
}
