import DumpFormats
import Files
import Vault
import Workers

/// One source that several adds read, each on its own thread: every one gets every byte, and one that
/// gives up does not stop the others.
///
/// A class: who reads the source and who takes from it share it.
final class SharedSource: Sendable {
    private struct Ending {
        let exit: Result<ProducerExit?, any Error>
        let standardError: [UInt8]
    }

    private struct State {
        /// What was read and some reader has not taken yet, and the number of the first.
        var blocks: [Slice] = []
        var first = 0
        /// The number of the block that each reader takes next; nil where it takes no more.
        var next: [Int?]
        /// The source has no more bytes, or an error in place of them.
        var end: Result<Void, any Error>?
        var ending: Ending?

        /// Whether anybody still takes blocks.
        var isWanted: Bool { next.contains { $0 != nil } }

        /// Forgets what all readers have taken.
        mutating func forget() {
            let oldest = next.compactMap { $0 }.min() ?? first + blocks.count
            blocks.removeFirst(min(blocks.count, max(0, oldest - first)))
            first = max(first, oldest)
        }
    }

    private let state: Monitor<State>
    fileprivate let byteCountExpected: Int?
    fileprivate let program: String?

    private static let blockBytes = 256 << 10
    /// So far may the slowest reader be behind the fastest.
    private static let blocksMax = 16

    init(readers: Int, byteCountExpected: Int?, program: String?) {
        state = Monitor(State(next: Array(repeating: 0, count: readers)))
        self.byteCountExpected = byteCountExpected
        self.program = program
    }

    /// Reads the source to its end and hands out what it gives, on the thread that calls.
    func pump(_ source: some ByteSource) {
        var source = source
        let pool = BufferPool(capacity: Self.blockBytes)
        do {
            while true {
                let isWanted = state.wait { state -> Bool? in
                    guard state.isWanted else { return false }
                    return state.blocks.count < Self.blocksMax ? true : nil
                }
                guard isWanted else {
                    source.cancel()
                    return
                }
                let buffer = pool.take()
                let count = try source.read(into: buffer.room(0..<Self.blockBytes))
                guard count > 0 else { break }
                state.change { $0.blocks.append(Slice(buffer, 0..<count)) }
            }
            state.change { $0.end = .success(()) }
        } catch {
            source.cancel()
            state.change { $0.end = .failure(error) }
            return
        }
        // How it ended is known when it ends, whoever asks first.
        let exit = Result { try source.finish() }
        let ending = Ending(exit: exit, standardError: source.standardError)
        state.change { $0.ending = ending }
    }

    /// The source as one of the adds sees it.
    struct Reader: ByteSource {
        private let shared: SharedSource
        private let number: Int
        /// The rest of the block that was taken last.
        private var rest: Slice?

        init(_ shared: SharedSource, number: Int) {
            self.shared = shared
            self.number = number
        }

        var byteCountExpected: Int? { shared.byteCountExpected }
        var program: String? { shared.program }
        var standardError: [UInt8] { shared.state.locked { $0.ending?.standardError ?? [] } }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            guard let block = try rest ?? shared.take(number) else { return 0 }
            let count = min(block.count, buffer.count)
            block.withBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            let start = block.range.lowerBound + count
            rest =
                count == block.count ? nil : Slice(block.buffer, start..<block.range.upperBound)
            return count
        }

        func finish() throws -> ProducerExit? {
            try shared.state.wait { $0.ending }.exit.get()
        }

        func cancel() { shared.leave(number) }
    }

    private func take(_ reader: Int) throws -> Slice? {
        try state.wait { state -> Result<Slice?, any Error>? in
            guard let next = state.next[reader] else { return .success(nil) }
            let place = next - state.first
            if place < state.blocks.count { return .success(state.blocks[place]) }
            return state.end.map { end in end.map { nil } }
        }.get().map { block in
            state.change { state in
                state.next[reader]? += 1
                state.forget()
            }
            return block
        }
    }

    /// One takes no more: the others need not wait for it.
    func leave(_ reader: Int) {
        state.change { state in
            state.next[reader] = nil
            state.forget()
        }
    }
}
