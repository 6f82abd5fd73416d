import Synchronization
import WireFormat

/// The samples of chunks that were looked into last: many runs are held against the same ones.
///
/// Two generations, as in `SharedCache`.
final class ChunkSamples: Sendable {
    private let state = Mutex(State())

    /// So many chunks a generation, at about a KiB each.
    private static let chunksMax = 512

    private struct State {
        var young: [ChunkID: [UInt32]] = [:]
        var old: [ChunkID: [UInt32]] = [:]
    }

    /// The samples of a chunk, made where they are not known.
    func samples(of id: ChunkID, make: () throws -> [UInt32]) rethrows -> [UInt32] {
        if let known = state.withLock({ $0.young[id] ?? $0.old[id] }) { return known }
        let made = try make()
        state.withLock { state in
            state.young[id] = made
            if state.young.count > Self.chunksMax {
                state.old = state.young
                state.young = [:]
            }
        }
        return made
    }
}
