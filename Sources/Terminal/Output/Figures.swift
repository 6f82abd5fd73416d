/// Numbers as people read them.
enum Figures {
    /// In sentences, powers of 1,000: `412.3 MB`.
    static func size(_ bytes: Int) -> String {
        bytes == 1
            ? "1 byte"
            : scaled(bytes, base: 1000, units: ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"])
    }

    /// In tables, powers of 1,024: `1.2 GiB`.
    static func tableSize(_ bytes: Int) -> String {
        scaled(bytes, base: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
    }

    private static func scaled(_ bytes: Int, base: Int, units: [String]) -> String {
        guard bytes >= base else { return "\(bytes) \(units[0])" }
        var divisor = base
        var unit = 1
        // 999,950 bytes round to 1.0 MB, not to 1000.0 kB.
        while unit < units.count - 1, bytes / divisor >= base || tenths(bytes, divisor) >= 10 * base
        {
            divisor *= base
            unit += 1
        }
        let value = tenths(bytes, divisor)
        return "\(value / 10).\(value % 10) \(units[unit])"
    }

    /// Rounded, without overflow for any number of bytes.
    private static func tenths(_ bytes: Int, _ divisor: Int) -> Int {
        let (whole, rest) = bytes.quotientAndRemainder(dividingBy: divisor)
        return whole * 10 + Int((Double(rest) / Double(divisor) * 10).rounded())
    }

    /// `0.4 %`, `12 %`.
    static func percent(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "0 %" }
        let percent = Double(part) / Double(whole) * 100
        if part > 0 && percent < 0.05 { return "<0.1 %" }
        if percent >= 9.95 { return "\(Int(percent.rounded())) %" }
        return "\(decimal(percent)) %"
    }

    /// How long something took: `40 ms`, `1.3 s`, `2 min 5 s`, `1 h 2 min`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 0.0995 { return "\(Int((max(0, seconds) * 1000).rounded())) ms" }
        guard seconds >= 59.95 else { return "\(decimal(seconds)) s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// A clock that runs: `0:07`, `1:02:03`.
    static func clock(_ seconds: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return (hours > 0 ? "\(hours):\(two(minutes))" : "\(minutes)") + ":\(two(seconds % 60))"
    }

    /// `12,345`.
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + text
    }

    /// `1 snapshot`, `2 snapshots`.
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    /// One digit after the point.
    private static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
