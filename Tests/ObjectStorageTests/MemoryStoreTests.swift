import Faults
import ObjectStorage
import Synchronization
import TestSupport
import Testing
import WireFormat

struct MemoryStoreTests {
    @Test func `objects have the time of the store's clock`() throws {
        let now = Mutex(Int64(1000))
        let store = MemoryStore { now.withLock { $0 } }
        try store.put(.key(id(1)), [1])
        now.withLock { $0 = 2000 }
        try store.put(.key(id(2)), [1])
        #expect(try store.list(.keys).map { $0.modified } == [1000, 2000])
    }

    @Test func `tampering changes what is there, and nothing that is not`() throws {
        let store = MemoryStore()
        try store.put(.config, [1, 2, 3])
        store.tamper(.config) { $0[0] = 9 }
        store.tamper(.key(id(1))) { $0 = [1] }
        #expect(try store.get(.config) == [9, 2, 3])
        #expect(try store.byteCount(of: .key(id(1))) == nil)
    }

    @Test func `errors name the object and say what may help`() {
        #expect(StorageError.missing(.config).message == "config is missing")
        #expect(StorageError.exists(.config).message == "config exists already")
        #expect(
            StorageError.tooLong(.config, byteCount: 5, limit: 3).message
                == "config has 5 bytes, more than the 3 there can be")
        #expect(
            StorageError.tooShort(.config, wanted: 5, got: 3).message
                == "config ends after 3 bytes, 5 are wanted")
        #expect(StorageError.noRepository("/srv/x").message == "there is no repository at /srv/x")
        #expect(StorageError.noRepository("/srv/x").hint == "repo init /srv/x makes one")
        #expect(
            StorageError.missing(.config).exitCode == .damage
                && StorageError.exists(.config).exitCode == .failed)
        #expect(StorageError.noRepository("x").exitCode == .noRepository)
        #expect(StorageError.badLocation("x", why: "y").exitCode == .usage)
    }
}
