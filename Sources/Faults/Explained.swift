/// What every error of ours can tell the person at the terminal.
///
/// Rooms throw their own enums; `Terminal` prints them through this protocol and switches over no
/// types.
package protocol Explained: Error {
    /// One line, lower case, no full stop: what happened, naming the thing. Never holds a secret.
    var message: String { get }
    /// One line that says what to do, naming a command that works, where something can be done.
    var hint: String? { get }
    /// The exit status this error leads to.
    var exitCode: ExitCode { get }
    /// Whether the same request may succeed when simply made again.
    var mayRetry: Bool { get }
}

extension Explained {
    package var hint: String? { nil }
    package var exitCode: ExitCode { .failed }
    package var mayRetry: Bool { false }
}

/// What an error says to people: its message, or where it is none of ours what Swift makes of it.
package func explanation(of error: any Error) -> String {
    (error as? any Explained)?.message ?? "\(error)"
}

/// The exit statuses of the program. Scripts rely on them: add, never renumber (docs/cli.md).
package enum ExitCode: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    /// A snapshot was saved with a reservation: files unreadable, stream shrunk.
    case reservation = 3
    /// The stream was cut off or its producer failed: nothing was committed.
    case incompleteStream = 4
    case damage = 5
    case unknownVersion = 6
    case rolledBack = 7
    case noRepository = 10
    case noKeyOpens = 12
    case interrupted = 130
    case terminated = 143
}

/// An error that happened while something was being done, said once.
package struct InContext: Explained {
    package let context: String
    package let underlying: any Error

    /// - Parameter context: for example `while reading packs/3f/3f9c...`.
    package init(_ context: String, _ underlying: any Error) {
        self.context = context
        self.underlying = underlying
    }

    private var explained: (any Explained)? { underlying as? any Explained }
    package var message: String { "\(explanation(of: underlying)) (\(context))" }
    package var hint: String? { explained?.hint }
    package var exitCode: ExitCode { explained?.exitCode ?? .failed }
    package var mayRetry: Bool { explained?.mayRetry ?? false }
}
