import Sealing
import Workers

/// Bytes of a stream, to be taken into the checksum of the whole in this order.
enum ChecksumJob: Sendable {
    case bytes(Buffer, Range<Int>)
    case finish
}

/// Makes the checksum of a stream beside the thread that reads it. One a stream: it takes the jobs
/// in order.
final class Checksumming: PipelineWorker {
    private let key: [UInt8]
    private var checksum: StreamChecksum

    init(key: [UInt8]) {
        self.key = key
        checksum = StreamChecksum(key: key)
    }

    /// The checksum, at the end; nothing before.
    func run(_ job: ChecksumJob) throws -> [UInt8] {
        switch job {
        case .bytes(let buffer, let range):
            checksum.update(buffer.bytes(range))
            return []
        case .finish:
            var used = StreamChecksum(key: key)
            swap(&used, &checksum)
            return used.finish()
        }
    }
}
