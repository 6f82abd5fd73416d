import CZlib
import CZstd
import Compression
import TestSupport
import Testing

func compress(
    _ bytes: [UInt8], base: [UInt8] = [], level: Int = 3, limit: Int = .max, room: Int? = nil
) throws -> [UInt8]? {
    var compressor = Compressor()
    return try compress(
        with: &compressor, bytes, base: base, level: level, limit: limit, room: room)
}

func compress(
    with compressor: inout Compressor, _ bytes: [UInt8], base: [UInt8] = [], level: Int = 3,
    limit: Int = .max, room: Int? = nil
) throws -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: room ?? Compressor.bound(bytes.count))
    let count = try bytes.withUnsafeBytes { bytes in
        try base.withUnsafeBytes { base in
            try result.withUnsafeMutableBytes {
                try compressor.compress(
                    bytes, level: level, base: base, into: $0, limit: limit)
            }
        }
    }
    return count.map { Array(result[..<$0]) }
}

func decompress(_ frame: [UInt8], base: [UInt8] = [], count: Int, windowLog: Int = 23) throws
    -> [UInt8]
{
    var decompressor = Decompressor(windowLog: windowLog)
    return try decompress(with: &decompressor, frame, base: base, count: count)
}

func decompress(
    with decompressor: inout Decompressor, _ frame: [UInt8], base: [UInt8] = [], count: Int
) throws -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    try frame.withUnsafeBytes { frame in
        try base.withUnsafeBytes { base in
            try result.withUnsafeMutableBytes {
                try decompressor.decompress(frame, base: base, into: $0)
            }
        }
    }
    return result
}

/// Expects what is read to be refused as damage.
func expectCorrupt(
    _ why: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    #expect("\(why)", sourceLocation: sourceLocation, performing: body, throws: isCorrupt)
}

func isCorrupt(_ error: any Error) -> Bool {
    if case CompressionError.corrupt = error { true } else { false }
}

/// A zstd frame that the library makes with a checksum.
func zstdFrame(_ bytes: [UInt8], withChecksum: Bool = true) throws -> [UInt8] {
    let context = try #require(ZSTD_createCCtx())
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, withChecksum ? 1 : 0)
    var result = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = ZSTD_compress2(context, &result, result.count, bytes, bytes.count)
    try #require(ZSTD_isError(count) == 0)
    return Array(result[..<count])
}

/// A gzip member.
func gzipMember(_ bytes: [UInt8], level: Int32 = 6) throws -> [UInt8] {
    var stream = z_stream()
    let began = deflateInit2_(
        &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    try #require(began == Z_OK)
    defer { deflateEnd(&stream) }
    var result = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 100)
    var input = bytes
    let ended = input.withUnsafeMutableBufferPointer { input in
        result.withUnsafeMutableBufferPointer { result in
            (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
            (stream.next_out, stream.avail_out) = (result.baseAddress, UInt32(result.count))
            return deflate(&stream, Z_FINISH)
        }
    }
    try #require(ended == Z_STREAM_END)
    return Array(result[..<Int(stream.total_out)])
}

/// A frame of one raw block of three bytes, with the header's bytes behind the magic number as
/// given.
func smallFrame(_ header: [UInt8]) -> [UInt8] {
    hex("28b52ffd") + header + hex("190000") + Array("abc".utf8)
}
