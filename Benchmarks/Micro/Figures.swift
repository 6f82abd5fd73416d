import Glibc

/// One figure of a run.
struct Figure {
    let what: String
    let value: Double
    let unit: String
}

/// Takes figures: each is the median of several rounds, in CPU seconds of the process, so that what
/// else the machine does does not count.
struct Figures {
    let rounds: Int
    private(set) var all: [Figure] = []

    init(rounds: Int) { self.rounds = rounds }

    /// How fast `body` gets through `count` bytes.
    mutating func bytes(_ what: String, _ count: Int, _ body: () throws -> Void) rethrows {
        add(what, Double(count) / (try seconds(body)) / 1e6, "MB/s")
    }

    /// What one of `count` calls that `body` makes takes.
    mutating func calls(_ what: String, _ count: Int, _ body: () throws -> Void) rethrows {
        add(what, (try seconds(body)) / Double(count) * 1e9, "ns")
    }

    mutating func add(_ what: String, _ value: Double, _ unit: String) {
        all.append(Figure(what: what, value: value, unit: unit))
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        try body()  // Once for memory and caches.
        var taken: [Double] = []
        for _ in 0..<rounds {
            let begun = Clock.cpu()
            try body()
            taken.append(Clock.cpu() - begun)
        }
        return max(taken.sorted()[rounds / 2], 1e-9)
    }

    // MARK: showing

    /// A table that can be pasted into a Markdown page.
    var table: String {
        let width = all.map(\.what.count).max() ?? 0
        let head = "| " + String(repeating: " ", count: width) + " |   figure | unit           |\n"
        let rule =
            "|" + String(repeating: "-", count: width + 2) + "|---------:|----------------|\n"
        return all.reduce(into: head + rule) { text, figure in
            let value = Self.text(figure.value)
            text += "| " + figure.what + String(repeating: " ", count: width - figure.what.count)
            text += " | " + String(repeating: " ", count: max(0, 8 - value.count)) + value
            text += " | " + figure.unit
            text += String(repeating: " ", count: max(0, 14 - figure.unit.count)) + " |\n"
        }
    }

    var json: String {
        "["
            + all.map { #"{"what":"\#($0.what)","value":\#($0.value),"unit":"\#($0.unit)"}"# }
            .joined(separator: ",\n ") + "]\n"
    }

    /// Three digits, no more than are known.
    private static func text(_ value: Double) -> String {
        let places = value >= 100 ? 0 : value >= 10 ? 1 : 2
        let scale = [1.0, 10, 100][places]
        let rounded = Int((value * scale).rounded())
        guard places > 0 else { return "\(rounded)" }
        let fraction = "\(rounded % Int(scale))"
        return "\(rounded / Int(scale))." + String(repeating: "0", count: places - fraction.count)
            + fraction
    }
}

enum Clock {
    /// Seconds of CPU that this process has taken.
    static func cpu() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

    /// Seconds of a clock that only runs forward.
    static func wall() -> Double { seconds(CLOCK_MONOTONIC) }

    private static func seconds(_ clock: Int32) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
