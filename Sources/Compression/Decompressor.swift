import CZstd

/// Undoes `Compressor`, with one reused context. One a worker: it is not shared between threads.
package struct Decompressor: ~Copyable {
    private let context: OpaquePointer

    /// - Parameter windowLog: frames that need a larger window are refused.
    package init(windowLog: Int = 23) {
        guard let context = ZSTD_createDCtx() else { fatalError("no memory left for decompression") }
        self.context = context
        _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(windowLog))
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses one frame, which must fill `result` exactly.
    package mutating func decompress(
        _ frame: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        into result: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        if base.count > 0 {
            let set = ZSTD_DCtx_refPrefix(context, base.baseAddress, base.count)
            if ZSTD_isError(set) != 0 { throw .library(String(cString: ZSTD_getErrorName(set))) }
        }
        guard ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count else {
            throw .corrupt("it is not one frame")
        }
        let count = ZSTD_decompressDCtx(context, result.baseAddress, result.count, frame.baseAddress, frame.count)
        if ZSTD_isError(count) != 0 { throw .corrupt(String(cString: ZSTD_getErrorName(count)).lowercased()) }
        guard count == result.count else { throw .corrupt("it gives \(count) bytes instead of \(result.count)") }
    }
}
