import Sealing
import WireFormat

extension ChunkNamer {
    /// The name of a chunk.
    package func id(of plaintext: UnsafeRawBufferPointer) -> ChunkID {
        var code: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &code) {
            guard let base = $0.baseAddress else { return }
            name(plaintext, into: base.assumingMemoryBound(to: UInt8.self))
        }
        return ChunkID(words: (code.0.littleEndian, code.1.littleEndian, code.2.littleEndian))
    }
}
