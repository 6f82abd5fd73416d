import Faults
import Testing
import WireFormat

/// Expects `body` to refuse what it reads as malformed: damage, exit 5.
func expectMalformed(
    _ why: String = "", sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    expectExit(.damage, why, sourceLocation, body)
}

/// Expects `body` to refuse what it reads as being of a later version: exit 6.
func expectUnknown(
    _ why: String = "", sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    expectExit(.unknownVersion, why, sourceLocation, body)
}

private func expectExit(
    _ code: ExitCode, _ why: String, _ sourceLocation: SourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("it is accepted: \(why)", sourceLocation: sourceLocation)
    } catch let error as WireError {
        #expect(error.exitCode == code, "\(why): \(error.message)", sourceLocation: sourceLocation)
        #expect(!error.message.isEmpty && !error.mayRetry, sourceLocation: sourceLocation)
    } catch {
        Issue.record("not a WireError: \(error), \(why)", sourceLocation: sourceLocation)
    }
}
