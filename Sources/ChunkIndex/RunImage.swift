import Files

/// A run in memory, for an index without a directory.
///
/// A class: runs share it, and its memory goes with the last. Written by one `RunWriter` and read
/// only afterwards.
final class RunImage: RunSink, @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    /// Pages that are never written cost nothing.
    init(byteCountMax: Int) {
        memory = .allocate(byteCount: byteCountMax, alignment: 64)
    }

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    func write(_ bytes: RawSpan, at offset: Int) {
        precondition(
            offset >= 0 && bytes.byteCount <= memory.count - offset,
            "a run larger than it was said to be")
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: memory[offset..<(offset + $0.count)])
                .copyMemory(from: $0)
        }
    }
}
