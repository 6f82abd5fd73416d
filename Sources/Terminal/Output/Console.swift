import CLinux
import Faults
import Files
import Synchronization
import Vault

/// Standard output and standard error: data and results to the one, everything else to the other.
///
/// A class: shared by the command and by the threads that have something to tell.
final class Console: Sendable {
    struct Settings: Sendable {
        var isJSON = false
        var isQuiet = false
        var showsProgress = true
        var hasColors = true
        var outputIsTerminal = false
        var errorIsTerminal = false
        /// Columns of the terminal that progress is shown on.
        var width = 80
    }

    private struct State {
        var pending: [UInt8] = []
        /// Why standard output took nothing more; told to whoever writes next.
        var failure: (any Error)?
        var meter: ProgressMeter?
        /// Columns that the progress line takes; 0 where there is none.
        var lineWidth = 0
        var showsProgress: Bool
    }

    let settings: Settings
    private let calls: SystemCalls
    private let milliseconds: @Sendable () -> Int64
    private let state: Mutex<State>

    private static let pendingBytesMax = 32 << 10

    /// - Parameter milliseconds: of a clock that only runs forward.
    init(_ settings: Settings, calls: SystemCalls, milliseconds: @escaping @Sendable () -> Int64) {
        self.settings = settings
        self.calls = calls
        self.milliseconds = milliseconds
        state = Mutex(State(showsProgress: settings.showsProgress && !settings.isQuiet))
    }

    var isJSON: Bool { settings.isJSON }

    // MARK: standard output

    /// What was asked for. Throws `OutputClosed` where nobody reads it any more.
    func out(_ line: String) throws { try out(bytes: Array(line.utf8)) }

    func out(_ object: JSON) throws { try out(object.line) }

    /// A line that need not be UTF-8.
    func out(bytes: [UInt8]) throws {
        try state.withLock { state in
            state.pending += bytes
            state.pending.append(UInt8(ascii: "\n"))
            if state.pending.count >= Self.pendingBytesMax { try flush(&state) }
        }
    }

    func out(_ table: Table) throws {
        for line in table.lines { try out(line) }
    }

    /// What a command did, for people; `--quiet` leaves it out.
    func summary(_ line: String) throws {
        if !settings.isQuiet && !settings.isJSON { try out(line) }
    }

    /// Sees to it that what was said has left, and that it could.
    func flush() throws { try state.withLock { try flush(&$0) } }

    private func flush(_ state: inout State) throws {
        if let failure = state.failure { throw failure }
        guard !state.pending.isEmpty else { return }
        if settings.outputIsTerminal { erase(&state) }
        defer { state.pending.removeAll(keepingCapacity: true) }
        let result = write(state.pending, to: 1)
        guard result < 0 else { return }
        let failure: any Error =
            result == -EPIPE ? OutputClosed() : FileError("write", "standard output", code: -result)
        state.failure = failure
        throw failure
    }

    // MARK: standard error

    func warn(_ message: String) { say("warning", message, color: "33") }

    func hint(_ message: String) {
        if !settings.isQuiet && !settings.isJSON { say("hint", message, color: "36") }
    }

    /// A word on the side, for people.
    func note(_ message: String) {
        if !settings.isQuiet && !settings.isJSON { say(nil, message, color: nil) }
    }

    /// Lines for somebody who may not know what to ask for.
    func explain(_ text: String) { sayLine(text) }

    /// An error and what can be done about it.
    func report(_ error: any Error) {
        let explained = error as? any Explained
        let message = explanation(of: error)
        if settings.isJSON {
            sayJSON([
                "type": "error", "message": .string(message), "hint": .optional(explained?.hint),
                "exit_code": .integer(Int((explained?.exitCode ?? .failed).rawValue)),
            ])
        } else {
            say("error", message, color: "31")
            if let hint = explained?.hint { say("hint", hint, color: "36") }
        }
    }

    private func say(_ kind: String?, _ message: String, color: String?) {
        if settings.isJSON {
            return sayJSON(["type": .string(kind ?? "note"), "message": .string(message)])
        }
        let isColored = settings.hasColors && settings.errorIsTerminal
        var line = "repo: "
        if let kind {
            line +=
                isColored && color != nil
                ? "\u{1b}[\(color ?? "0")m\(kind):\u{1b}[0m " : "\(kind): "
        }
        sayLine(line + printable(message))
    }

    private func sayJSON(_ members: KeyValuePairs<String, JSON>) {
        sayLine(JSON.object(members).line)
    }

    private func sayLine(_ line: String) {
        state.withLock { state in
            // What was said before stands before it, where both go to one terminal. That it could
            // not be said, the next who says something there is told.
            try? flush(&state)
            erase(&state)
            _ = write(Array((line + "\n").utf8), to: 2)
        }
    }

    // MARK: progress

    /// How often JSON lines tell of progress, and how often the line on a terminal changes.
    private static let jsonInterval: Int64 = 1000
    private static let lineInterval: Int64 = 100

    func show(_ progress: Progress) {
        guard settings.isJSON || settings.errorIsTerminal else { return }
        let now = milliseconds()
        state.withLock { state in
            guard state.showsProgress else { return }
            var meter =
                state.meter
                ?? ProgressMeter(
                    now: now, interval: settings.isJSON ? Self.jsonInterval : Self.lineInterval)
            let isDue = meter.take(progress, now: now)
            state.meter = meter
            guard isDue else { return }
            if settings.isJSON {
                _ = write(Array((meter.json.line + "\n").utf8), to: 2)
            } else {
                draw(meter.text, &state)
            }
        }
    }

    /// No progress from now on: something else has the terminal.
    func endProgress() {
        state.withLock { state in
            erase(&state)
            state.showsProgress = false
        }
    }

    /// The cursor stays at the left, so that what others write does not continue the line.
    private func draw(_ text: String, _ state: inout State) {
        let text = text.prefix(max(1, settings.width - 1))
        let space = String(repeating: " ", count: max(0, state.lineWidth - text.count))
        state.lineWidth = text.count
        _ = write(Array("\r\(text)\(space)\r".utf8), to: 2)
    }

    private func erase(_ state: inout State) {
        guard state.lineWidth > 0 else { return }
        _ = write(Array(("\r" + String(repeating: " ", count: state.lineWidth) + "\r").utf8), to: 2)
        state.lineWidth = 0
    }

    /// - Returns: 0, or `-errno`.
    private func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            var done = 0
            while done < bytes.count {
                let count = calls.write(descriptor, base + done, bytes.count - done)
                if count == -Int(EINTR) { continue }
                if count == -Int(EAGAIN) {
                    // Somebody made the terminal non-blocking: wait until it takes more.
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wanted, 1, -1)
                    continue
                }
                if count <= 0 { return count < 0 ? Int32(count) : -EIO }
                done += count
            }
            return 0
        }
    }
}

/// Nobody reads standard output any more: `repo list | head`. No reason for words.
struct OutputClosed: Error {}
