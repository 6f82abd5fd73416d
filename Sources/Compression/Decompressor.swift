import CZstd

/// Undoes `Compressor`, with one reused context. One a worker: it is not shared between threads.
package struct Decompressor: ~Copyable {
    private let context: OpaquePointer
    private let windowBytesMax: Int

    /// - Parameter windowLog: frames that need a larger window are refused.
    package init(windowLog: Int = 23) {
        guard let context = ZSTD_createDCtx() else {
            fatalError("no memory left for decompression")
        }
        self.context = context
        windowBytesMax = 1 << windowLog
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses one frame, which must fill `result` exactly.
    package mutating func decompress(
        _ frame: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        into result: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        guard ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count else {
            throw .corrupt("it is not one frame")
        }
        // The library looks at the window only where it has to allocate one.
        guard Self.windowBytes(frame) <= windowBytesMax else {
            throw .corrupt("its window is too large")
        }
        _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        // Nothing may throw from here to the decompression, which lets go of the base: the context
        // would keep it for the next frame.
        if base.count > 0 {
            let set = ZSTD_DCtx_refPrefix(context, base.baseAddress, base.count)
            if ZSTD_isError(set) != 0 { throw .library(String(cString: ZSTD_getErrorName(set))) }
        }
        let count = ZSTD_decompressDCtx(
            context, result.baseAddress, result.count, frame.baseAddress, frame.count)
        if ZSTD_isError(count) != 0 {
            throw .corrupt(String(cString: ZSTD_getErrorName(count)).lowercased())
        }
        guard count == result.count else {
            throw .corrupt("it gives \(count) bytes instead of \(result.count)")
        }
    }

    /// What the header of a whole frame asks for (RFC 8878, section 3.1.1.1): its window, or else
    /// all of its content.
    private static func windowBytes(_ frame: UnsafeRawBufferPointer) -> UInt64 {
        // A skippable frame has no such header; it gives no bytes and is refused for that.
        guard frame.count >= 6, frame[4] & 0x20 == 0 else {
            return ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
        }
        let power: UInt64 = 1 << (10 + UInt64(frame[5] >> 3))
        return power + power / 8 * UInt64(frame[5] & 7)
    }
}
