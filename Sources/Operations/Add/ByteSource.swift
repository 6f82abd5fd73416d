import CLinux
import DumpFormats
import Files
import Vault

/// Where the bytes of a stream come from.
protocol ByteSource {
    /// Reads what is there, up to the size of the buffer, waiting if nothing is; 0 at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// After the end: how the producer ended; nil where that cannot be known.
    mutating func finish() throws -> ProducerExit?
    /// Gives up early.
    mutating func cancel()
    /// How many bytes there will be, where that is known.
    var byteCountExpected: Int? { get }
    /// Of a command: what it is called.
    var program: String? { get }
    /// Of a command that has ended: the last part of what it said.
    var standardError: [UInt8] { get }
}

extension ByteSource {
    var program: String? { nil }
    var standardError: [UInt8] { [] }
}

/// A pipe or a file.
struct DescriptorSource: ByteSource {
    private let number: Int32
    private let path: Path
    private let surroundings: Surroundings
    private(set) var byteCountExpected: Int?

    /// More at once does not help: the pipe holds no more, and its writer should go on filling it
    /// meanwhile.
    private static let readBytes = 256 << 10
    private static let pipeBytes: Int32 = 1 << 20

    init(_ number: Int32, path: Path, _ surroundings: Surroundings) {
        self.number = number
        self.path = path
        self.surroundings = surroundings
        _ = repo_set_pipe_size(number, Self.pipeBytes)
        var status = stat()
        if surroundings.systemCalls.fstat(number, &status) == 0, status.kind == .file {
            byteCountExpected = Int(status.st_size)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        while true {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            var ready: Int32 = 0
            let polled = repo_poll_two(number, surroundings.wakeUp, -1, &ready)
            if polled == -EINTR || (polled > 0 && ready & 1 == 0) { continue }
            let wanted = min(buffer.count, Self.readBytes)
            let count = surroundings.systemCalls.read(number, base, wanted)
            if count == -Int(EINTR) || count == -Int(EAGAIN) { continue }
            guard count >= 0, count <= wanted else {
                throw FileError("read", path, code: count < 0 ? Int32(-count) : EIO)
            }
            return count
        }
    }

    func finish() throws -> ProducerExit? { nil }
    func cancel() {}
}

/// A file read as a stream; it is closed with its last holder.
final class FileSource: ByteSource {
    private let file: Descriptor
    private let source: DescriptorSource

    init(_ path: Path, _ surroundings: Surroundings) throws {
        let file = try Descriptor(reading: path, calls: surroundings.systemCalls)
        guard try file.status().kind != .directory else {
            throw FileError("read", path, code: EISDIR)
        }
        source = DescriptorSource(file.number, path: path, surroundings)
        self.file = file
    }

    var byteCountExpected: Int? { source.byteCountExpected }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try source.read(into: buffer)
    }
    func finish() throws -> ProducerExit? { nil }
    func cancel() {}
}
