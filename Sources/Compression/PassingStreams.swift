import CZlib
import CZstd

/// Decompresses a zstd stream that passes through, to look inside. A class: it frees its context
/// with its last holder.
package final class ZstdStream {
    private let context: OpaquePointer
    private var output = [UInt8](repeating: 0, count: 256 << 10)
    /// Whether what came so far ends with a whole frame.
    package private(set) var reachedEnd = false

    package init() {
        guard let context = ZSTD_createDCtx() else {
            fatalError("no memory left for decompression")
        }
        self.context = context
        // Whoever made the stream chose its window; `zstd --long=27` is the most that tools open
        // unasked.
        _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDCtx(context) }

    package func decompress(
        _ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws(CompressionError) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var failure: CompressionError?
        output.withUnsafeMutableBytes { room in
            while input.pos < input.size {
                var out = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let result = ZSTD_decompressStream(context, &out, &input)
                if ZSTD_isError(result) != 0 {
                    failure = .corrupt(String(cString: ZSTD_getErrorName(result)).lowercased())
                    return
                }
                reachedEnd = result == 0
                if out.pos > 0 {
                    sink(UnsafeRawBufferPointer(start: room.baseAddress, count: out.pos))
                }
            }
            // What the input completed may still wait for room.
            while !reachedEnd {
                var out = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let result = ZSTD_decompressStream(context, &out, &input)
                if ZSTD_isError(result) != 0 || out.pos == 0 { break }
                reachedEnd = result == 0
                sink(UnsafeRawBufferPointer(start: room.baseAddress, count: out.pos))
            }
        }
        if let failure { throw failure }
    }
}

/// Decompresses a gzip stream, of one member or several, that passes through.
package final class GzipStream {
    private var stream = z_stream()
    private var output = [UInt8](repeating: 0, count: 256 << 10)
    package private(set) var reachedEnd = false

    package init() {
        guard repo_inflate_init_gzip(&stream) == Z_OK else {
            fatalError("no memory left for decompression")
        }
    }

    deinit { inflateEnd(&stream) }

    package func decompress(
        _ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws(CompressionError) {
        var failure: CompressionError?
        output.withUnsafeMutableBytes { room in
            stream.next_in = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.avail_in = UInt32(bytes.count)
            while true {
                if reachedEnd {
                    guard stream.avail_in > 0 else { return }
                    // Zeros behind a member are tape padding; anything else begins another member.
                    if stream.next_in.pointee == 0 {
                        stream.next_in += 1
                        stream.avail_in -= 1
                        continue
                    }
                    inflateReset(&stream)
                    reachedEnd = false
                }
                stream.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(room.count)
                let result = inflate(&stream, Z_NO_FLUSH)
                let made = room.count - Int(stream.avail_out)
                if made > 0 { sink(UnsafeRawBufferPointer(start: room.baseAddress, count: made)) }
                if result == Z_STREAM_END {
                    reachedEnd = true
                } else if result == Z_BUF_ERROR
                    || (result == Z_OK && made < room.count && stream.avail_in == 0)
                {
                    return
                } else if result != Z_OK {
                    failure = .corrupt(
                        stream.msg.map { String(cString: $0) } ?? "zlib error \(result)")
                    return
                }
            }
        }
        if let failure { throw failure }
    }
}
