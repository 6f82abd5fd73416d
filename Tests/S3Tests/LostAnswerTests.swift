import Faults
import ObjectStorage
import S3
import Synchronization
import TestSupport
import Testing
import WireFormat

/// An answer that is lost on a connection that was used before: libcurl sends the request again by
/// itself, and the store has the object by then.
@Test(arguments: [FakeS3.Fault.closeAfter, .resetAfter])
func `an object whose answer was lost is put, on a fresh connection and on one in use`(
    _ fault: FakeS3.Fault
) throws {
    for byteCount in [100, 70_000, 3_000_000] {
        for requestsBefore in 0..<3 {
            let isArmed = Atomic(false)
            let server = FakeS3(plan: { request in
                request.method == "PUT" && isArmed.exchange(false, ordering: .relaxed)
                    ? fault : nil
            })
            var random = SeededRandom(seed: testSeed)
            let store = try store(server)
            for _ in 0..<requestsBefore { _ = try store.byteCount(of: .config) }
            let name = ObjectName.pack(.shared, ObjectID(random.bytes(16)))
            let bytes = random.bytes(byteCount)
            isArmed.store(true, ordering: .relaxed)
            try store.put(name, bytes)
            #expect(try store.get(name) == bytes)
            // Whoever puts it once more is told.
            #expect(throws: StorageError.self) { try store.put(name, bytes) }
        }
    }
}
