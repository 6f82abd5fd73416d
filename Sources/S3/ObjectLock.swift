import Faults

/// For how long nobody can delete what is written (S3's Object Lock).
package struct ObjectLock: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Nobody can shorten it, whoever he is.
        case compliance
        /// Who has the right to bypass it can: an owner of the bucket has.
        case governance

        var word: String { rawValue.uppercased() }
    }

    package let days: Int
    package private(set) var mode: Mode

    /// A number that was meant to be another costs money for as long.
    private static let daysMax = 3650

    /// - Parameter text: `30`, `30:governance`; nil is returned for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let days = Int(parts[0]), (1...Self.daysMax).contains(days) else {
            return nil
        }
        self.days = days
        guard let mode = parts.count == 2 ? Mode(rawValue: String(parts[1])) : .compliance else {
            return nil
        }
        self.mode = mode
    }

    var milliseconds: Int64 { Int64(days) * 86_400_000 }

    /// What asks for it in a PUT.
    /// - Parameter now: by the store's clock.
    func headers(now: Int64) -> [(String, String)] {
        [
            ("x-amz-object-lock-mode", mode.word),
            ("x-amz-object-lock-retain-until-date", Timestamps.iso(now + milliseconds)),
        ]
    }

    /// The body that asks for it for an object that is there.
    func body(now: Int64) -> [UInt8] {
        Array(
            """
            <Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>\(mode.word)</Mode>\
            <RetainUntilDate>\(Timestamps.iso(now + milliseconds))</RetainUntilDate></Retention>
            """.utf8)
    }

    /// Whether an object that was put a moment ago is kept as it was asked for.
    func isMet(by retention: Retention?, now: Int64) -> Bool {
        // The request may have been on its way for long.
        isMet(by: retention, now: now, but: 3_600_000)
    }

    /// Whether an object is kept so long, but for a day.
    func isMostlyMet(by retention: Retention?, now: Int64) -> Bool {
        isMet(by: retention, now: now, but: 86_400_000)
    }

    private func isMet(by retention: Retention?, now: Int64, but milliseconds: Int64) -> Bool {
        guard let retention, retention.mode == mode || retention.mode == .compliance else {
            return false
        }
        return retention.until > now + self.milliseconds - milliseconds
    }

    /// The same for an object that is kept more strictly: nobody can make that less strict.
    func asStrict(as retention: Retention?) -> ObjectLock {
        var lock = self
        if retention?.mode == .compliance { lock.mode = .compliance }
        return lock
    }

    /// What a store says of an object.
    struct Retention {
        let mode: Mode
        /// By the store's clock.
        let until: Int64

        init?(mode: String?, until: String?) {
            guard let mode = mode.flatMap({ Mode(rawValue: $0.lowercased()) }),
                let until = until.flatMap(Timestamps.parse(iso:))
            else { return nil }
            (self.mode, self.until) = (mode, until)
        }
    }
}

/// What was to be locked is not.
enum LockError: Explained {
    /// The object is there, and nothing keeps it.
    case ignored(String)
    /// It may be kept; this key may not see whether.
    case unseen(String)
    case refused(S3Error)

    var message: String {
        switch self {
        case .ignored(let name):
            "the store ignores Object Lock: it took \(name) and does not keep it from being deleted"
        case .unseen(let name):
            "whether the store keeps \(name) from being deleted cannot be seen"
        case .refused(let error): "the store refuses Object Lock: \(error.message)"
        }
    }

    var hint: String? {
        switch self {
        case .ignored:
            "store it elsewhere, or without --object-lock: docs/s3.md says which stores know it"
        case .unseen: "the key lacks the right s3:GetObjectRetention: docs/s3.md"
        case .refused:
            "a bucket has it when it is made so, and keys need s3:PutObjectRetention: docs/s3.md"
        }
    }
}
