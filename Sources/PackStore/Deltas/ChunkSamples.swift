import Synchronization
import WireFormat

/// The samples of chunks that were looked into last: many runs are held against the same ones.
final class ChunkSamples: Sendable {
    private let known = Mutex(RecentlyUsed<ChunkID, [UInt32]>(sizeMax: chunksMax))

    /// So many chunks, at about a KiB each.
    private static let chunksMax = 1024

    /// The samples of a chunk, made where they are not known.
    func samples(of id: ChunkID, make: () throws -> [UInt32]) rethrows -> [UInt32] {
        if let known = known.withLock({ $0.find(id) }) { return known }
        let made = try make()
        known.withLock { $0.insert(id, made, size: 1) }
        return made
    }
}
