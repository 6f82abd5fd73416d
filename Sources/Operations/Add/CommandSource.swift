import CLinux
import DumpFormats
import Faults
import Files
import Synchronization
import Vault
import Workers

/// A command whose output is the stream: started without a shell, its standard input empty, its
/// standard error passed through and its last part kept. It is ended with its last holder.
final class CommandSource: ByteSource {
    let program: String?
    private let process: pid_t
    private let outputDescriptor: Descriptor
    private let output: DescriptorSource
    private let errors: ErrorTail
    private let surroundings: Surroundings
    private var isReaped = false

    init(_ arguments: [[UInt8]], _ surroundings: Surroundings) throws {
        self.surroundings = surroundings
        let program = Path(bytes: arguments.first ?? []).name.description
        self.program = program
        let calls = surroundings.systemCalls
        var out = try Pipe(for: "the output of \(program)", calls)
        var err = try Pipe(for: "the errors of \(program)", calls)
        do {
            process = try Subprocess.start(
                arguments, input: nil, output: out.writing.number, error: err.writing.number)
        } catch {
            throw ProducerFailed(cause: error)
        }
        try out.writing.close()
        try err.writing.close()
        let number = out.reading.release()
        let path = Path("the output of \(program)")
        outputDescriptor = Descriptor(adopting: number, path: path, calls: calls)
        output = DescriptorSource(number, path: path, surroundings)
        errors = ErrorTail(
            Descriptor(
                adopting: err.reading.release(), path: Path("the errors of \(program)"),
                calls: calls),
            stop: try Pipe(for: "the end of \(program)", calls))
    }

    deinit { cancel() }

    var byteCountExpected: Int? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try output.read(into: buffer)
    }

    func finish() throws -> ProducerExit? {
        isReaped = true
        let status = Subprocess.wait(process, surroundings)
        errors.finish()
        return repo_exited(status) != 0
            ? .status(repo_exit_status(status)) : .signal(repo_term_signal(status))
    }

    /// Ends the command; what it writes is not wanted any more.
    func cancel() {
        guard !isReaped else { return }
        isReaped = true
        Subprocess.end(process, surroundings)
        errors.finish()
    }

    /// The last part of its standard error, once it has ended.
    var standardError: [UInt8] { errors.tail }
}

/// A producer that could not even be started.
package struct ProducerFailed: Explained {
    let cause: CommandFailed

    package var message: String { cause.message + ": nothing saved" }
    package var hint: String? { cause.hint }
    package var exitCode: ExitCode { .incompleteStream }
}

/// Passes a command's standard error through and keeps its last part, on a thread of its own.
///
/// A class: its thread and its owner share it.
private final class ErrorTail: Sendable {
    private let pump: Pump
    private let thread: Mutex<Threads>

    /// - Parameters:
    ///   - errors: where the command's standard error arrives.
    ///   - stop: a pipe that becomes readable when the command has ended.
    init(_ errors: consuming Descriptor, stop: consuming Pipe) {
        let pump = Pump(errors, stop)
        var threads = Threads()
        let isStarted = threads.start { pump.run() }
        precondition(isStarted, "a thread for a command's errors can be started")
        self.pump = pump
        thread = Mutex(threads)
    }

    /// The command has ended: takes what it left and does not wait for others that hold its
    /// standard error, such as a connection it left open for the next command.
    func finish() {
        thread.withLock { thread in
            guard !thread.isEmpty else { return }
            pump.stop()
            thread.join()
        }
    }

    var tail: [UInt8] { pump.kept.withLock { $0 } }

    private final class Pump: Sendable {
        private let errors: Descriptor
        private let stopping: Pipe
        let kept = Mutex<[UInt8]>([])
        private static let bytesMax = 8 << 10

        init(_ errors: consuming Descriptor, _ stopping: consuming Pipe) {
            self.errors = errors
            self.stopping = stopping
        }

        func stop() {
            withUnsafeBytes(of: UInt8(0)) { try? stopping.writing.write($0) }
        }

        func run() {
            var block = [UInt8](repeating: 0, count: 4096)
            while true {
                var ready: Int32 = 0
                let polled = repo_poll_two(errors.number, stopping.reading.number, -1, &ready)
                if polled == -EINTR { continue }
                // What is there is taken first; only then the end counts.
                guard polled > 0, ready & 1 != 0 else { return }
                let count = block.withUnsafeMutableBytes { (try? errors.read(into: $0)) ?? 0 }
                guard count > 0 else { return }
                _ = repo_write(2, block, count)
                kept.withLock { kept in
                    kept += block[..<count]
                    if kept.count > Self.bytesMax { kept.removeFirst(kept.count - Self.bytesMax) }
                }
            }
        }
    }
}
