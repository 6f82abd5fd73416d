import CZstd

/// Makes zstd frames with one reused context. One a worker: it is not shared between threads.
package struct Compressor: ~Copyable {
    private let context: OpaquePointer

    /// The tables of the lower levels forget the beginning of a longer base: without long-distance
    /// matching zstd silently finds nothing there.
    private static let longBaseBytes = 256 << 10

    package init() {
        guard let context = ZSTD_createCCtx() else { fatalError("no memory left for compression") }
        self.context = context
    }

    deinit { ZSTD_freeCCtx(context) }

    /// The most bytes that compressing `count` bytes can give.
    package static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// Compresses into `result`; nil where that is no shorter than `limit` bytes.
    /// - Parameters:
    ///   - level: zstd's, 1 to 19. Levels are not monotone on database dumps: 1 can beat 6.
    ///   - base: what the receiver will have at hand when it decompresses; empty for none.
    ///   - isRows: whether the bytes are rows of a dump, for which level 1 is set more finely.
    package mutating func compress(
        _ bytes: UnsafeRawBufferPointer, level: Int,
        base: UnsafeRawBufferPointer = .init(start: nil, count: 0), isRows: Bool = false,
        into result: UnsafeMutableRawBufferPointer, limit: Int
    ) throws(CompressionError) -> Int? {
        try check(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters))
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
        if level == 1 && isRows { try quicken() }
        if base.count > 0 {
            // The window must reach from the end of the source to the beginning of the base.
            let reach = base.count + bytes.count
            let log = max(10, reach.bitWidth - (reach - 1).leadingZeroBitCount)
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, Int32(log)))
            if base.count > Self.longBaseBytes {
                try check(ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1))
            }
            try check(ZSTD_CCtx_refPrefix(context, base.baseAddress, base.count))
        }
        let count = ZSTD_compress2(
            context, result.baseAddress, result.count, bytes.baseAddress, bytes.count)
        if ZSTD_isError(count) != 0 {
            // A result that does not fit into the room it is given is one that is not short enough.
            if ZSTD_getErrorCode(count) == ZSTD_error_dstSize_tooSmall { return nil }
            throw .library(String(cString: ZSTD_getErrorName(count)))
        }
        return count < limit ? count : nil
    }

    /// Rows at level 1 in a twentieth less time and as few bytes: a larger table and longer steps where
    /// nothing is found, but literals compressed, which zstd leaves out then by itself. Pages would
    /// take 2 % more.
    private func quicken() throws(CompressionError) {
        for (parameter, value) in [
            (ZSTD_c_hashLog, 15), (ZSTD_c_minMatch, 7), (ZSTD_c_targetLength, 2),
            (repo_zstd_literals, 1),
        ] { try check(ZSTD_CCtx_setParameter(context, parameter, Int32(value))) }
    }

    private func check(_ result: Int) throws(CompressionError) {
        if ZSTD_isError(result) != 0 { throw .library(String(cString: ZSTD_getErrorName(result))) }
    }
}
