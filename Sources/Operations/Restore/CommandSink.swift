import CLinux
import Files
import Vault

/// A command that a stream is fed to. It is ended with its last holder.
final class CommandSink {
    let program: String
    private let process: pid_t
    private let surroundings: Surroundings
    private(set) var input: Descriptor
    private var isReaped = false

    init(_ arguments: [[UInt8]], _ surroundings: Surroundings) throws {
        self.surroundings = surroundings
        program = Path(bytes: arguments.first ?? []).name.description
        var pipe = try Pipe(for: "the input of \(program)", surroundings.systemCalls)
        process = try Subprocess.start(
            arguments, input: pipe.reading.number, output: nil, error: nil)
        try pipe.reading.close()
        input = Descriptor(
            adopting: pipe.writing.release(), path: Path("the input of \(program)"),
            calls: surroundings.systemCalls)
    }

    deinit {
        if !isReaped { Subprocess.end(process, surroundings) }
    }

    /// Closes its input and waits for it.
    func finish() throws -> Int32 {
        try input.close()
        isReaped = true
        let status = Subprocess.wait(process, surroundings)
        if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
        return status
    }
}
