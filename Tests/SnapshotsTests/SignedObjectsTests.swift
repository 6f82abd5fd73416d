import ObjectStorage
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import WireFormat

@Test func `a tombstone counts whatever its reason, and only with a good signature`() throws {
    let store = MemoryStore()
    let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
    let signed = SignedObjects(store: store, keyring: keyring)
    func id(_ byte: UInt8) -> ObjectID { ObjectID([UInt8](repeating: byte, count: 16)) }
    for reason: UInt8 in [1, 2, 3, 4, 200] {
        try signed.put(
            Tombstone(
                target: .pack, reason: Tombstone.Reason(rawValue: reason), domain: .shared,
                id: id(reason), time: 7))
    }
    store.tamper(.tombstone(.pack, id(2))) { $0[9] = 1 }
    var ignored: [ObjectName] = []
    let condemned = try signed.condemned(.pack) { name, _ in ignored.append(name) }
    #expect(condemned.map { $0.id } == [1, 3, 4, 200].map { id($0) })
    #expect(ignored == [.tombstone(.pack, id(2))])
}

@Test func `a record that is cut short, or stands under another name, is ignored`() throws {
    let store = MemoryStore()
    let keyring = Keyring(root: Secret(count: 32) { $0[0] = 9 })
    let random = SharedRandom(seed: testSeed)
    let context = DomainContext(
        store: store, keyring: keyring, keys: try #require(keyring.keys(of: 0)),
        random: HedgedRandom(randomBytes: { random.bytes($0) }, surroundings: { [1] }))
    let signed = SignedObjects(store: store, keyring: keyring)
    func id(_ byte: UInt8) -> ObjectID { ObjectID([UInt8](repeating: byte, count: 16)) }
    let good = try signed.put(.hold, [1, 2, 3], context)
    let bytes = try store.get(.record(.hold, good))
    // The same signed bytes under a name and in a folder that they do not say; and too few of them.
    let bad: [ObjectName] = [.record(.hold, id(0)), .record(.hold, id(1)), .record(.policy, good)]
    try store.put(bad[0], bytes)
    try store.put(bad[1], Array(bytes.suffix(ObjectHeader.byteCount + Record.signatureBytes)))
    try store.put(bad[2], bytes)
    var ignored: [ObjectName] = []
    func read(_ kind: Record.Kind) throws -> [ObjectID] {
        try signed.records(kind, context: { _ in context }) { name, _ in ignored.append(name) }
            .map { $0.id }
    }
    #expect(try read(.hold) == [good])
    #expect(ignored == [bad[0], bad[1]])
    #expect(try read(.policy).isEmpty)
    #expect(ignored == bad)
}
