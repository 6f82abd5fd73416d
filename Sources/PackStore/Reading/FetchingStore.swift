import ObjectStorage
import WireFormat
import Workers

/// A far store whose packs are read ahead: who knows what it will need says so (`expect`), and threads
/// fetch it in long ranges, several at once, into bounded memory, where `read` finds it. Everything else
/// passes. Fetched bytes are sealed: whoever opens them finds what is wrong with them.
///
/// A class: it owns threads.
package final class FetchingStore: PassingStore {
    package let under: any ObjectStore
    private let state: Monitor<FetchedBlocks>
    private let atOnce: Int
    private let threads = Monitor(Threads())

    /// - Parameters:
    ///   - atOnce: so many ranges are fetched at once; 0 fetches each when it is first read, on that
    ///     thread.
    ///   - bytesMax: so many bytes are held at most.
    package init(_ far: any ObjectStore, atOnce: Int, bytesMax: Int = FetchingStore.usualBytesMax) {
        under = far
        self.atOnce = atOnce
        state = Monitor(FetchedBlocks(bytesMax: bytesMax, hasThreads: atOnce > 0))
    }

    deinit { stop() }

    package static let usualBytesMax = 128 << 20

    /// Ends the threads, each after what it is fetching.
    package func stop() {
        state.change { $0.isStopped = true }
        threads.locked { $0.join() }
    }

    // MARK: ahead

    /// Whether more should be told of what will be needed.
    package var wantsMore: Bool { state.locked { $0.wantsMore } }

    /// What is being fetched or there, in bytes.
    package var bytesHeld: Int { state.locked { $0.bytesHeld } }

    /// Tells what will be needed next, by steps, in their order.
    /// - Parameter rest: about so many bytes of plaintext will follow: where there are some, what stands
    ///   behind is likely to be needed too.
    /// - Returns: for each step what must be handed to `done`.
    package func expect(_ steps: [[NeededSegment]], rest: Int) -> [Expected] {
        startThreads()
        return state.change { $0.expect(steps, rest: rest) }
    }

    /// Tells that a whole pack will be needed.
    package func expect(_ pack: ObjectName, byteCount: Int) -> Expected {
        startThreads()
        return state.change { $0.expect(pack, byteCount: byteCount) }
    }

    /// Tells that a step was made, or will not be.
    package func done(_ step: Expected) {
        state.change { $0.release(step) }
    }

    private func startThreads() {
        threads.locked { threads in
            guard threads.isEmpty else { return }
            for _ in 0..<atOnce {
                let (state, far) = (state, under)
                guard threads.start({ Self.work(state, far) }) else { break }
            }
            // A system without threads to give is served as if none were wanted.
            if threads.isEmpty { state.change { $0.hasThreads = false } }
        }
    }

    /// What a thread does until it is told to stop.
    private static func work(_ state: Monitor<FetchedBlocks>, _ far: any ObjectStore) {
        while let block = state.wait({ $0.next() }) { fetch(block, state, far) }
    }

    @discardableResult
    private static func fetch(
        _ block: FetchedBlocks.Task, _ state: Monitor<FetchedBlocks>, _ far: any ObjectStore
    ) -> Slice? {
        do {
            let buffer = Buffer(capacity: block.range.count)
            try far.read(block.name, block.range, into: buffer.room(0..<block.range.count))
            let slice = Slice(buffer, 0..<block.range.count)
            state.change { $0.finish(block.number, slice) }
            return slice
        } catch {
            state.change { $0.fail(block.number, error) }
            return nil
        }
    }

    // MARK: reading

    package func read(
        _ name: ObjectName, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        let wanted = offset..<(offset + buffer.count)
        while true {
            switch state.wait({ $0.look(name, wanted) }) {
            case .here(let slice, let range):
                slice.withBytes {
                    let start = offset - range.lowerBound
                    buffer.copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + buffer.count)]))
                }
                return buffer.count
            case .toFetch(let task): Self.fetch(task, state, under)
            case .failed(let error): throw error
            case .elsewhere: return try under.read(name, at: offset, into: buffer)
            }
        }
    }

    // MARK: what listings told

    package func byteCount(of name: ObjectName) throws -> Int? {
        if let known = state.locked({ $0.lengths[name] }) { return known }
        return try under.byteCount(of: name)
    }

    package func list(_ folder: Folder) throws -> [StoredObject] {
        let objects = try under.list(folder)
        if case .packs = folder {
            state.change { state in
                for object in objects { state.lengths[object.name] = object.byteCount }
            }
        }
        return objects
    }
}
