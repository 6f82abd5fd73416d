import ObjectStorage
import Synchronization
import WireFormat

/// What a run wrote to the other repository.
final class SentObjects: Sendable {
    private let state = Mutex<(count: Int, bytes: Int, packs: [ObjectName: Int])>((0, 0, [:]))

    var count: Int { state.withLock { $0.count } }
    var bytes: Int { state.withLock { $0.bytes } }

    /// The packs of a domain, by their names, and how long they are.
    func packs(of domain: DomainID) -> [(id: ObjectID, byteCount: Int)] {
        state.withLock { state in
            state.packs.compactMap { name, byteCount in
                if case .pack(domain, let id) = name { (id, byteCount) } else { nil }
            }
        }.sorted { $0.id < $1.id }
    }

    fileprivate func note(_ name: ObjectName, _ byteCount: Int) {
        state.withLock { state in
            state.count += 1
            state.bytes += byteCount
            if case .pack = name { state.packs[name] = byteCount }
        }
    }

    /// A store that notes what is written to it.
    struct Store: PassingStore {
        let under: any ObjectStore
        let sent: SentObjects

        func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) throws {
            try under.put(name, bytes)
            sent.note(name, bytes.count)
        }
    }
}
