import ObjectStorage
import Sealing
import Snapshots
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
