import Vault

/// Decides when progress is shown, and how.
struct ProgressMeter: Sendable {
    /// Milliseconds of a clock that only runs forward.
    typealias Time = Int64

    private let interval: Time
    private let began: Time
    private var shown: Time?
    private var latest = Progress(bytes: 0)
    /// What was shown in the last seconds: the rate is theirs.
    private var samples: [(time: Time, bytes: Int)]

    /// Nothing is shown of what is over at once.
    static let quietTime: Time = 500
    private static let rateTime: Time = 5000

    /// - Parameter interval: the least time between two showings.
    init(now: Time, interval: Time) {
        began = now
        self.interval = interval
        samples = [(now, 0)]
    }

    /// Takes in how far it came; whether that is to be shown.
    mutating func take(_ progress: Progress, now: Time) -> Bool {
        // The next of several things that are done begins anew.
        if progress.bytes < latest.bytes { samples = [(now, progress.bytes)] }
        latest = progress
        guard now - began >= Self.quietTime, now - (shown ?? .min / 2) >= interval else {
            return false
        }
        shown = now
        samples.append((now, progress.bytes))
        while samples.count > 2, now - samples[1].time >= Self.rateTime { samples.removeFirst() }
        return true
    }

    /// Bytes a second of late.
    private var rate: Int {
        guard let first = samples.first, let last = samples.last, last.time > first.time else {
            return 0
        }
        return max(0, (last.bytes - first.bytes) * 1000 / Int(last.time - first.time))
    }

    /// `412.3 MB of 700.1 MB  180.2 MB/s  2.8 MB new  0:02 left`, or `17 of 120 packs deleted`.
    var text: String {
        if let step = latest.step { return "\(step.done) of \(step.total) \(step.name)" }
        var parts = [Figures.size(latest.bytes)]
        if let total = latest.bytesTotal, total > 0 { parts[0] += " of \(Figures.size(total))" }
        parts.append("\(Figures.size(rate))/s")
        if let new = latest.bytesNew { parts.append("\(Figures.size(new)) new") }
        if let total = latest.bytesTotal, total >= latest.bytes, rate > 0 {
            parts.append("\(Figures.clock((total - latest.bytes) / rate)) left")
        }
        return parts.joined(separator: "  ")
    }

    var json: JSON {
        if let step = latest.step {
            return .object([
                "type": "progress", "step": .string(step.name), "done": .integer(step.done),
                "total": .integer(step.total),
                "seconds": .seconds(Double((shown ?? began) - began) / 1000),
            ])
        }
        return .object([
            "type": "progress", "bytes": .integer(latest.bytes),
            "bytes_total": .optional(latest.bytesTotal),
            "bytes_new": .optional(latest.bytesNew), "bytes_per_second": .integer(rate),
            "seconds": .seconds(Double((shown ?? began) - began) / 1000),
        ])
    }
}
