import Files
import ObjectStorage
import TestSupport

/// The stores of this room.
enum StoreKind: CaseIterable, Sendable {
    case directory, memory

    /// Those that put no object over another.
    static let guarding = allCases

    /// An empty store and what keeps it alive.
    func make() throws -> (store: any ObjectStore, holder: TemporaryDirectory) {
        let holder = TemporaryDirectory()
        switch self {
        case .directory:
            let random = SharedRandom(seed: testSeed)
            let store = DirectoryStore(
                Path(holder.path) / "store", calls: .kernel, randomBytes: { random.bytes($0) })
            return (store, holder)
        case .memory: return (MemoryStore(), holder)
        }
    }
}
