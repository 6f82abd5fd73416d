import Faults

/// The command line cannot mean anything.
struct UsageError: Explained, Equatable {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    var exitCode: ExitCode { .usage }
}
