import CLinux
import Files
import Vault
import Workers

/// Gathers the parts of a stream into large writes.
final class Output {
    private let number: Int32
    private let path: Path
    private let surroundings: Surroundings
    private var buffer: [UInt8] = []
    private(set) var byteCount = 0
    /// Whether runs of zeros may be left out as holes: only in a new file.
    private let isSparse: Bool
    private var position = 0

    private static let bytesMax = 256 << 10
    private static let holeBytesMin = 64 << 10

    init(_ number: Int32, path: Path, isSparse: Bool, _ surroundings: Surroundings) {
        self.number = number
        self.path = path
        self.isSparse = isSparse
        self.surroundings = surroundings
        buffer.reserveCapacity(Self.bytesMax)
        _ = repo_set_pipe_size(number, 1 << 20)
    }

    func write(_ part: StreamPart) throws {
        byteCount += part.count
        switch part {
        case .bytes(let slice):
            guard slice.count < Self.bytesMax else {
                try flush()
                return try slice.withBytes { try write($0) }
            }
            slice.withBytes { buffer.append(contentsOf: $0) }
            if buffer.count >= Self.bytesMax { try flush() }
        case .zeros(let count):
            if isSparse && count >= Self.holeBytesMin {
                try flush()
                position += count
                return
            }
            var rest = count
            while rest > 0 {
                let now = min(rest, max(1, Self.bytesMax - buffer.count))
                buffer.append(contentsOf: repeatElement(0, count: now))
                rest -= now
                if buffer.count >= Self.bytesMax { try flush() }
            }
        }
    }

    func flush() throws {
        guard !buffer.isEmpty else { return }
        defer { buffer.removeAll(keepingCapacity: true) }
        try buffer.withUnsafeBytes { try write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            let base = bytes.baseAddress! + done
            let count =
                isSparse
                ? surroundings.systemCalls.pwrite(
                    number, base, bytes.count - done, Int64(position))
                : surroundings.systemCalls.write(number, base, bytes.count - done)
            if count == -Int(EINTR) || count == -Int(EAGAIN) { continue }
            guard count > 0, count <= bytes.count - done else {
                throw FileError("write to", path, code: count < 0 ? Int32(-count) : EIO)
            }
            done += count
            position += count
        }
    }

    /// Writes what is left; a sparse file gets its length.
    func finish() throws {
        try flush()
        guard isSparse else { return }
        var result: Int32
        repeat {
            result = surroundings.systemCalls.truncate(number, Int64(byteCount))
        } while result == -EINTR
        if result < 0 { throw FileError("write to", path, code: -result) }
    }
}
