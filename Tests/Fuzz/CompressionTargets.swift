import Compression
import DumpFormats
import Sealing
import WireFormat

/// Frames and streams of zstd and gzip.
func compressionTargets() -> [FuzzTarget] { [frame, zstdStream, gzipStream] }

private let rows = Array(
    (0..<200).map { "(\($0),'name \($0 % 7)',NULL,\($0 * 37 % 101)),\n" }.joined().utf8)

private func compressed(_ bytes: [UInt8], base: [UInt8] = []) -> [UInt8] {
    guard let frame = reading({ try compress(bytes, base: base) }) else {
        preconditionFailure("what is sound can be compressed")
    }
    return frame
}

private func decompressed(
    _ decompressor: inout Decompressor, _ frame: [UInt8], base: [UInt8], count: Int
) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: count)
    do {
        try frame.withUnsafeBytes { frame in
            try base.withUnsafeBytes { base in
                try result.withUnsafeMutableBytes {
                    try decompressor.decompress(frame, base: base, into: $0)
                }
            }
        }
    } catch {
        return nil
    }
    return result
}

/// Two bytes of what the directory says: how long the plaintext is, and whether there is a base.
private let frame = FuzzTarget(
    name: "zstd-frame", inputBytesMax: 8192,
    seeds: [
        [UInt8(rows.count & 255), UInt8(rows.count >> 8)] + compressed(rows),
        [UInt8(rows.count & 255), UInt8(rows.count >> 8) | 0x80]
            + compressed(rows, base: Array(rows.reversed()) + rows),
    ]
) { bytes in
    guard bytes.count >= 2 else { return }
    let count = Int(bytes[0]) | Int(bytes[1] & 0x7f) << 8
    let base = bytes[1] & 0x80 == 0 ? [] : Array(rows.reversed()) + rows
    var decompressor = Decompressor(windowLog: Limits.zstdWindowLog)
    let frame = Array(bytes.dropFirst(2))
    let first = decompressed(&decompressor, frame, base: base, count: count)
    // The context is used again: nothing of a bad frame may stay in it.
    mustHold(
        decompressed(&decompressor, sound, base: [], count: rows.count) == rows,
        "a sound frame reads behind a bad one")
    mustHold(
        decompressed(&decompressor, frame, base: base, count: count) == first,
        "the same frame reads the same")
}

private let sound = compressed(rows)

/// Reads a stream at once and in pieces.
private func readStream(
    _ bytes: [UInt8],
    _ make: () -> (
        read: (UnsafeRawBufferPointer, (UnsafeRawBufferPointer) -> Void) throws -> Void,
        reachedEnd: () -> Bool
    )
) {
    guard bytes.count >= 2 else { return }
    let stream = Array(bytes.dropFirst(2))
    func sum(_ pieces: Pieces?) -> (hash: UInt64, count: Int, reachedEnd: Bool)? {
        let (read, reachedEnd) = make()
        var (hash, count, isBroken) = (UInt64(1), 0, false)
        let take = { (piece: UnsafeRawBufferPointer) in
            guard !isBroken, count < madeBytesMax else { return }
            do {
                try read(piece) { made in
                    count += made.count
                    for byte in made { hash = hash &* 1_099_511_628_211 ^ UInt64(byte) }
                }
            } catch {
                isBroken = true
            }
        }
        if var pieces { pieces.each(stream, take) } else { stream.withUnsafeBytes(take) }
        return isBroken || count >= madeBytesMax ? nil : (hash, count, reachedEnd())
    }
    let (whole, parts) = (sum(nil), sum(Pieces(bytes[0], bytes[1])))
    mustHold((whole == nil) == (parts == nil), "pieces decide whether a stream is read")
    guard let whole, let parts else { return }
    mustHold(whole == parts, "pieces decide what a stream is read as")
}

/// A few bytes may stand for gigabytes: beyond, it is only memory that is of interest.
private let madeBytesMax = 4 << 20

private let zstdStream = FuzzTarget(
    // The window that `zstd --long=27` asks for, and what goes with it.
    name: "zstd-stream", memoryBytesMax: 144 << 20, share: 20,
    seeds: [[3, 0] + sound, [0, 1] + sound + sound]
) { bytes in
    readStream(bytes) {
        let stream = ZstdStream()
        return ({ try stream.decompress($0, into: $1) }, { stream.reachedEnd })
    }
}

private let gzipStream = FuzzTarget(
    name: "gzip-stream", share: 20,
    seeds: [[2, 1] + gzipped, [0, 0] + gzipped + gzipped + [0, 0, 0]]
) { bytes in
    readStream(bytes) {
        let stream = GzipStream()
        return ({ try stream.decompress($0, into: $1) }, { stream.reachedEnd })
    }
}

/// A stream as gzip writes it.
private let gzipped = contents(of: "Tests/DumpFormatsTests/Fixtures/raw-csv.gz")

/// What looks into a compressed stream in passing, as an add does it.
let opensAll: DecompressorFactory = { format in
    switch format {
    case .zstd: ZstdPassing()
    case .gzip: GzipPassing()
    default: nil
    }
}

private struct ZstdPassing: StreamDecompressor {
    let stream = ZstdStream()
    var reachedEnd: Bool { stream.reachedEnd }

    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws { try stream.decompress(input, into: sink) }
}

private struct GzipPassing: StreamDecompressor {
    let stream = GzipStream()
    var reachedEnd: Bool { stream.reachedEnd }

    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws { try stream.decompress(input, into: sink) }
}

final class HashForManifests: PassingHash {
    private var hash = SHA256()

    func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bytes) }

    func finish() -> [UInt8] {
        var used = SHA256()
        swap(&used, &hash)
        return used.finish()
    }
}

/// A fixture, unpacked.
func unpacked(_ fixture: String) -> [UInt8] {
    let stream = GzipStream()
    var bytes: [UInt8] = []
    contents(of: "Tests/DumpFormatsTests/Fixtures/\(fixture).gz").withUnsafeBytes { packed in
        do {
            try stream.decompress(packed) { bytes += $0 }
        } catch {
            fatalError("\(fixture).gz is damaged")
        }
    }
    return bytes
}
