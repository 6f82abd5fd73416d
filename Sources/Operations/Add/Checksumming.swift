import Sealing
import Workers

/// Bytes of a stream or file, to be taken into its checksum in this order.
enum ChecksumJob: Sendable {
    case bytes(Buffer, Range<Int>)
    case finish
}

/// Makes the checksum of a stream, or of each of its files, beside the thread that reads it. One a
/// stream: it takes the jobs in order.
final class Checksumming: PipelineWorker {
    private let key: [UInt8]
    private var checksum: StreamChecksum

    init(key: [UInt8]) {
        self.key = key
        checksum = StreamChecksum(key: key)
    }

    /// The checksum, at the end; nil before.
    func run(_ job: ChecksumJob) throws -> [UInt8]? {
        switch job {
        case .bytes(let buffer, let range):
            checksum.update(buffer.bytes(range))
            return nil
        case .finish:
            var used = StreamChecksum(key: key)
            swap(&used, &checksum)
            return used.finish()
        }
    }
}
