import Sealing
import WireFormat
import Workers

/// Proves files by the checksums that their entries hold, and at the end that all of them are those
/// that were saved (docs/format.md, section 11).
struct FileProof: ~Copyable {
    private let stream: Manifest.Stream
    private var file: StreamChecksum
    private var all: StreamChecksum
    private let snapshot: String

    /// - Parameters:
    ///   - stream: the data stream; nil, or one that is summed as a whole, has nothing to be proven here.
    ///   - snapshot: its name, for errors.
    init?(_ stream: Manifest.Stream?, snapshot: String) {
        guard let stream, stream.sumsFiles else { return nil }
        self.stream = stream
        self.snapshot = snapshot
        file = StreamChecksum(key: stream.checksumKey)
        all = StreamChecksum(key: stream.checksumKey)
    }

    /// Takes in some bytes of a file, in order.
    func take(_ part: StreamPart) { file.update(part) }

    /// The file ended.
    mutating func end(_ entry: CatalogEntry) throws {
        guard entry.byteCount > 0 else { return }
        var used = StreamChecksum(key: stream.checksumKey)
        swap(&used, &file)
        guard let checksum = entry.checksum, equalInConstantTime(used.finish(), checksum) else {
            let path = String(decoding: entry.path, as: UTF8.self)
            throw OperationError.checksumDiffers("\(path) in snapshot \(snapshot)")
        }
        checksum.withUnsafeBytes { all.update($0) }
    }

    /// All files were taken in.
    consuming func finish() throws {
        guard equalInConstantTime(all.finish(), stream.checksum) else {
            throw OperationError.checksumDiffers("snapshot \(snapshot)")
        }
    }
}

extension StreamChecksum {
    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    /// Takes in a part of a stream.
    func update(_ part: StreamPart) {
        switch part {
        case .bytes(let slice): slice.withBytes { update($0) }
        case .zeros(let count):
            var rest = count
            while rest > 0 {
                let now = min(rest, Self.zeros.count)
                Self.zeros.withUnsafeBytes {
                    update(UnsafeRawBufferPointer(rebasing: $0[..<now]))
                }
                rest -= now
            }
        }
    }
}
