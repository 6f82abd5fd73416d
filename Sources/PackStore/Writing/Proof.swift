import Compression
import Workers

extension Decompressor {
    /// Decompresses what was made of `source` and compares: a fault of the encoder, or of memory,
    /// would otherwise be found when the data is needed.
    /// - Parameter room: holds what comes out.
    mutating func prove(
        _ stored: Slice, base: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        gives source: UnsafeRawBufferPointer, in room: Buffer
    ) throws {
        let result = room.room(0..<source.count)
        try stored.withBytes { (frame) throws(CompressionError) in
            try decompress(frame, base: base, into: result)
        }
        guard memoryEquals(UnsafeRawBufferPointer(result), source) else {
            throw CompressionError.library("a compressed frame does not give back what went in")
        }
    }
}
