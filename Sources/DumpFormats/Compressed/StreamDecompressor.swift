/// Decompresses a stream in passing. Made by the caller, so that this room links no library.
///
/// Members or frames that follow each other (gzip, zstd) are one stream; zeros after the last gzip
/// member are padding.
package protocol StreamDecompressor {
    /// Takes the next compressed bytes and hands on what comes out, in parts of any size.
    ///
    /// - Throws: `DecompressionFault.unsupported` where the stream may be sound and only this
    ///   decompressor cannot open it (a window too large, a method it lacks); anything else means
    ///   that the stream is damaged. It is not called again after throwing.
    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void) throws

    /// Whether all that was taken so far ends with a complete member or frame.
    var reachedEnd: Bool { get }
}

package enum DecompressionFault: Error, Sendable, Equatable {
    case damaged
    case unsupported(String)
}

/// Makes the decompressor of a format; nil: it cannot be looked into.
package typealias DecompressorFactory = @Sendable (StreamFormat) -> (any StreamDecompressor)?
