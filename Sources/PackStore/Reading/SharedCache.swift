import Workers

/// Blocks of bytes that several threads need again, up to a number of bytes: what one makes the
/// others wait for instead of making it as well.
///
/// Two generations: what is used moves to the young one; when that holds half of what there is room
/// for, the old one is dropped. That is nearly least-recently-used, at the cost of one look into a
/// dictionary.
///
/// Whoever makes a block may ask for others meanwhile, as long as no two can wait for each other.
package final class SharedCache<Key: Hashable & Sendable>: Sendable {
    private let state: Monitor<State>

    private struct State {
        var young: [Key: Slice] = [:]
        var old: [Key: Slice] = [:]
        var youngBytes = 0
        var bytesMax: Int
        /// What is being made.
        var coming: Set<Key> = []
        var made = 0

        mutating func find(_ key: Key) -> Slice? {
            if let found = young[key] { return found }
            guard let found = old.removeValue(forKey: key) else { return nil }
            insert(key, found)
            return found
        }

        mutating func insert(_ key: Key, _ block: Slice) {
            guard young.updateValue(block, forKey: key) == nil else { return }
            youngBytes += block.buffer.capacity
            guard youngBytes > bytesMax / 2 else { return }
            old = young
            young = [:]
            youngBytes = 0
        }
    }

    /// - Parameter bytesMax: so much is kept at most, counted by whole buffers.
    package init(bytesMax: Int) { state = Monitor(State(bytesMax: bytesMax)) }

    /// How many blocks were made so far.
    package var made: Int { state.locked { $0.made } }

    /// The block of a key, made if it is not there.
    package func block(_ key: Key, make: () throws -> Slice) throws -> Slice {
        let found = state.wait { state -> Slice?? in
            if let found = state.find(key) { return .some(found) }
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
                state.insert(key, block)
            }
            return block
        } catch {
            _ = state.change { $0.coming.remove(key) }
            throw error
        }
    }
}
