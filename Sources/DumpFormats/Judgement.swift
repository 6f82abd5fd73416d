import Faults

/// How the command that wrote a stream ended.
package enum ProducerExit: Sendable, Equatable {
    case status(Int32)
    case signal(Int32)
}

/// What proves that a stream is complete; the raw value stands in manifests.
package enum Evidence: String, Sendable, Equatable {
    case trailer
    case exitStatus = "exit-status"
    case both
    case none
}

/// Whether a stream may be stored as good.
package struct Judgement: Sendable, Equatable {
    /// nil: nobody can say.
    package var complete: Bool?
    package var evidence: Evidence
    /// Why it must not be stored, unless the caller was told to store it all the same (`complete`
    /// is then false).
    package var refusal: Refusal?

    package init(complete: Bool?, evidence: Evidence, refusal: Refusal?) {
        self.complete = complete
        self.evidence = evidence
        self.refusal = refusal
    }
}

/// A stream that was cut off, or whose producer failed.
package struct Refusal: Explained, Equatable {
    package let message: String
    package let hint: String?
    package var exitCode: ExitCode { .incompleteStream }

    package init(message: String, hint: String?) {
        self.message = message
        self.hint = hint
    }
}

/// - Parameters:
///   - exit: how the producer ended; nil where it is unknown (a pipe).
///   - acceptedStatuses: exit statuses beside 0 that count as success.
package func judge(
    _ report: StreamReport, exit: ProducerExit?, acceptedStatuses: Set<Int32>
) -> Judgement {
    if let refusal = refusal(report, exit, acceptedStatuses) {
        return Judgement(complete: false, evidence: .none, refusal: refusal)
    }
    switch (report.end, exit) {
    case (.seen, nil): return Judgement(complete: true, evidence: .trailer, refusal: nil)
    case (.seen, _): return Judgement(complete: true, evidence: .both, refusal: nil)
    case (_, nil): return Judgement(complete: nil, evidence: .none, refusal: nil)
    case (_, _): return Judgement(complete: true, evidence: .exitStatus, refusal: nil)
    }
}

private func refusal(
    _ report: StreamReport, _ exit: ProducerExit?, _ acceptedStatuses: Set<Int32>
) -> Refusal? {
    let failure = exit.flatMap { describeFailure($0, acceptedStatuses) }
    guard report.byteCount > 0 else {
        let cause = failure.map { ": \($0)" } ?? ""
        return Refusal(
            message: "the stream is empty\(cause): nothing saved",
            hint: failure == nil ? "look at what the producer said, and whether it ran" : nil)
    }
    if case .missing(let at, let inside, let wanted) = report.end {
        let place = inside.isEmpty ? "" : " inside \(oneLine(inside))"
        let cause = failure.map { "; \($0)" } ?? ""
        return Refusal(
            message: "\(describeStream(report)) stream ended after \(describeSize(at))\(place);"
                + " \(wanted) is missing\(cause): nothing saved",
            hint: describeWayOut(report, exit))
    }
    if case .contradicted(let fault) = report.end {
        return Refusal(
            message: "\(describeStream(report)) stream was changed on its way: \(oneLine(fault))"
                + ": nothing saved",
            hint: "make the backup again; pg_verifybackup says the same of what arrived")
    }
    guard let failure else { return nil }
    return Refusal(
        message: "\(failure) after \(describeSize(report.byteCount)): nothing saved",
        hint: hintOnStatus(exit))
}

private func describeFailure(_ exit: ProducerExit, _ acceptedStatuses: Set<Int32>) -> String? {
    switch exit {
    case .status(0): nil
    case .status(let status) where acceptedStatuses.contains(status): nil
    case .status(let status): "the producer failed with exit status \(status)"
    case .signal(let signal): "the producer was ended by signal \(signal)"
    }
}

private func hintOnStatus(_ exit: ProducerExit?) -> String? {
    guard case .status(let status) = exit else { return nil }
    return "if that status is harmless, say --accept-status \(status)"
}

private func describeStream(_ report: StreamReport) -> String {
    guard let inner = report.innerFormat, inner != .raw else { return report.format.rawValue }
    return "\(inner.rawValue) in \(report.format.rawValue)"
}

/// Only text passes through filters that lose its last line.
private func describeWayOut(_ report: StreamReport, _ exit: ProducerExit?) -> String? {
    guard (report.innerFormat ?? report.format).isText else { return nil }
    guard exit == nil else { return "if a filter removed its end, say --format raw" }
    return "run the producer as repo add SERIES -- COMMAND, or say --format raw"
}

/// Names may hold newlines and what else moves a terminal's cursor.
private func oneLine(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.prefix(300).map {
                $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : $0
            }))
}

/// A number of bytes for people, in powers of 1,000: `412.3 MB`.
func describeSize(_ bytes: UInt64) -> String {
    guard bytes >= 1_000 else { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
    var divisor: UInt64 = 1_000
    var unit = 0
    // 999,950 bytes round to 1.0 MB, not to 1000.0 kB
    while unit < units.count - 1, bytes >= divisor * 1_000 - divisor / 20 {
        divisor *= 1_000
        unit += 1
    }
    let (whole, rest) = bytes.quotientAndRemainder(dividingBy: divisor)
    let tenths = (rest / (divisor / 100) + 5) / 10
    return tenths == 10 ? "\(whole + 1).0 \(units[unit])" : "\(whole).\(tenths) \(units[unit])"
}
