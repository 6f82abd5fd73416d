import CLinux
import Files
import Operations
import Sealing
import Vault
import WireFormat

/// Asks a person for a password, on the terminal the program was started from, without showing it.
struct Prompt: ~Copyable {
    private let terminal: Descriptor
    private let surroundings: Surroundings

    private static let attemptsMax = 3

    /// Asks only where somebody can be there: nil where neither input nor messages are on a
    /// terminal. A script that has both elsewhere would wait for ever.
    static func open(_ surroundings: Surroundings) -> Prompt? {
        guard isatty(0) == 1 || isatty(2) == 1 else { return nil }
        guard
            let terminal = try? Descriptor(
                "/dev/tty", flags: O_RDWR, mode: 0, calls: surroundings.systemCalls, action: "open")
        else { return nil }
        return Prompt(terminal: terminal, surroundings: surroundings)
    }

    private init(terminal: consuming Descriptor, surroundings: Surroundings) {
        self.terminal = terminal
        self.surroundings = surroundings
    }

    /// Asks once, and again where nothing was typed.
    func password(_ question: String) throws -> Secret {
        for _ in 0..<Self.attemptsMax {
            do {
                return try ask(question)
            } catch CredentialError.empty {
                try say("an empty password opens nothing\n")
            }
        }
        throw CredentialError.aborted
    }

    /// Asks for one that does not exist yet, twice.
    func newPassword(_ question: String) throws -> Secret {
        for _ in 0..<Self.attemptsMax {
            let first = try password(question)
            let second = try password("the same once more: ")
            let isSame = first.withBytes { a in second.withBytes { b in a.elementsEqual(b) } }
            if isSame { return first }
            try say("the two differ\n")
        }
        throw CredentialError.differ
    }

    private func ask(_ question: String) throws -> Secret {
        var settings = termios()
        guard tcgetattr(terminal.number, &settings) == 0 else { throw CredentialError.aborted }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        try say(question)
        // What was typed before the question is no answer to it.
        tcsetattr(terminal.number, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal.number, TCSAFLUSH, &settings)
            try? say("\n")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Limits.passwordBytes + 3, alignment: 16)
        defer {
            repo_wipe(buffer.baseAddress!, buffer.count)
            buffer.deallocate()
        }
        try wait()
        // The terminal hands over a whole line.
        let count = try terminal.read(into: buffer)
        guard count > 0 else { throw CredentialError.aborted }
        return try SecretReader.password(
            UnsafeRawBufferPointer(rebasing: buffer[..<count]), source: "your answer")
    }

    /// Until a line is typed, or a signal asks to end.
    private func wait() throws {
        while true {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            var ready: Int32 = 0
            let result = repo_poll_two(terminal.number, surroundings.wakeUp, -1, &ready)
            if result < 0 && result != -EINTR { throw CredentialError.aborted }
            if result > 0 && ready & 1 != 0 { return }
        }
    }

    private func say(_ text: String) throws {
        var text = text
        try text.withUTF8 { try terminal.write(UnsafeRawBufferPointer($0)) }
    }
}
