import Workers

/// Blocks of bytes that several threads need again, up to a number of bytes: what one makes the
/// others wait for instead of making it as well.
///
/// Whoever makes a block may ask for others meanwhile, as long as no two can wait for each other.
package final class SharedCache<Key: Hashable & Sendable>: Sendable {
    private let state: Monitor<State>

    private struct State {
        var blocks: RecentlyUsed<Key, Slice>
        /// What is being made.
        var coming: Set<Key> = []
        var made = 0
        var madeBytes = 0
    }

    /// - Parameter bytesMax: so much is kept at most, counted by whole buffers.
    package init(bytesMax: Int) { state = Monitor(State(blocks: RecentlyUsed(sizeMax: bytesMax))) }

    /// How many blocks were made so far.
    package var made: Int { state.locked { $0.made } }
    /// How many bytes they had.
    package var madeBytes: Int { state.locked { $0.madeBytes } }

    /// The block of a key, made if it is not there.
    package func block(_ key: Key, make: () throws -> Slice) throws -> Slice {
        let found = state.wait { state -> Slice?? in
            if let found = state.blocks.find(key) { return .some(found) }
            guard !state.coming.contains(key) else { return nil }
            state.coming.insert(key)
            return .some(nil)
        }
        if let found { return found }
        do {
            let block = try make()
            state.change { state in
                state.coming.remove(key)
                state.made += 1
                state.madeBytes += block.count
                state.blocks.insert(key, block, size: block.buffer.capacity)
            }
            return block
        } catch {
            _ = state.change { $0.coming.remove(key) }
            throw error
        }
    }
}
