import CLinux
import Synchronization

/// SIGINT and SIGTERM ask a command to end: they set a flag and wake whoever waits for input.
///
/// The only globals of the program: a signal handler can reach nothing else.
enum Signals {
    private static let received = Atomic<Int32>(0)
    private static let receivedAt = Atomic<Int>(0)
    private static let wakeUpEnd = Atomic<Int32>(-1)

    /// The signal that asked to end, if one did.
    static var requested: Int32? {
        let signal = received.load(ordering: .relaxed)
        return signal == 0 ? nil : signal
    }

    /// Takes the signals over.
    /// - Returns: a descriptor that becomes readable with the first of them; negative where there
    ///   can be none.
    static func install() -> Int32 {
        repo_ignore_signal(SIGPIPE)
        var ends: [Int32] = [-1, -1]
        let hasPipe = repo_pipe(&ends) == 0
        _ = requested
        receivedAt.store(0, ordering: .relaxed)
        wakeUpEnd.store(hasPipe ? ends[1] : -1, ordering: .relaxed)
        for signal in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { Signals.take($0) }
            sigaction(signal, &action, nil)
        }
        return hasPipe ? ends[0] : -1
    }

    /// The handler: calls nothing but what signal-safety(7) allows.
    private static func take(_ signal: Int32) {
        let error = __errno_location().pointee
        defer { __errno_location().pointee = error }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let isFirst = received.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
            .exchanged
        if isFirst {
            receivedAt.store(time.tv_sec, ordering: .relaxed)
            var byte: UInt8 = 1
            _ = repo_write(wakeUpEnd.load(ordering: .relaxed), &byte, 1)
        } else if time.tv_sec - receivedAt.load(ordering: .relaxed) >= 2 {
            // Asked again, later: whatever it is that does not end, the repository stays valid
            // without us. Not at once: timeout(1) sends each signal twice.
            _exit(128 + signal)
        }
    }
}
