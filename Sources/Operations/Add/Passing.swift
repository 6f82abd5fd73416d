import Compression
import DumpFormats
import Sealing

/// Looks into compressed streams in passing.
enum Passing {
    /// What opens a stream of a format; nil where nothing does.
    static let decompressors: DecompressorFactory = { format in
        switch format {
        case .zstd: ZstdPassing()
        case .gzip: GzipPassing()
        default: nil
        }
    }
}

/// For manifests that prove themselves. A class: `SHA256` cannot be copied.
final class PassingSHA256: PassingHash {
    private var hash = SHA256()

    func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bytes) }

    func finish() -> [UInt8] {
        var used = SHA256()
        swap(&used, &hash)
        return used.finish()
    }
}

private struct ZstdPassing: StreamDecompressor {
    private let stream = ZstdStream()
    var reachedEnd: Bool { stream.reachedEnd }

    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws {
        try stream.decompress(input, into: sink)
    }
}

private struct GzipPassing: StreamDecompressor {
    private let stream = GzipStream()
    var reachedEnd: Bool { stream.reachedEnd }

    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws {
        try stream.decompress(input, into: sink)
    }
}
