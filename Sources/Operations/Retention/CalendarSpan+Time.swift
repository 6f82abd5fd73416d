import WireFormat

extension CalendarSpan {
    private static let units: [(letters: String, unit: Unit, milliseconds: Int64)] = [
        ("m", .minutes, 60_000), ("h", .hours, 3_600_000), ("d", .days, 86_400_000),
        ("w", .weeks, 604_800_000), ("mo", .months, 0), ("y", .years, 0),
    ]

    /// More is a slip of the pen.
    private static let max = CalendarSpan(1000, .years)

    /// Reads `90m`, `12h`, `30d`, `2w`, `6mo`, `1y`.
    package init(parsing text: String) throws(RetentionError) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let letters = text.dropFirst(digits.count)
        guard let unit = Self.units.first(where: { $0.letters == letters })?.unit,
            let count = UInt32(digits), count > 0
        else { throw .badSpan(text) }
        self.init(count, unit)
        guard after(0) <= Self.max.after(0) else {
            throw .badSpan(text)
        }
    }

    /// As it is typed: `30d`.
    package var text: String {
        "\(count)\(Self.units.first { $0.unit == unit }?.letters ?? "")"
    }

    /// The moment so long before another, milliseconds since 1970.
    package func before(_ time: Int64) -> Int64 { moved(time, sign: -1) }
    /// The moment so long after another. Of months and years the same day in UTC, or the month's
    /// last.
    package func after(_ time: Int64) -> Int64 { moved(time, sign: 1) }

    private func moved(_ time: Int64, sign: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(distance(from: time, sign: sign))
        return overflow ? (sign > 0 ? .max : .min) : sum
    }

    private func distance(from time: Int64, sign: Int64) -> Int64 {
        let milliseconds = Self.units.first { $0.unit == unit }?.milliseconds ?? 0
        guard milliseconds == 0 else { return Int64(count) * milliseconds * sign }
        // What no calendar reaches is as far as can be: 2^32 months do not fit into milliseconds.
        let months = Int64(count) * (unit == .years ? 12 : 1)
        guard months <= 12 * 1_000_000, time.magnitude <= 1 << 58 else {
            return sign > 0 ? .max : .min
        }
        let day = Times.floorDivide(time, 86_400_000)
        let (year, month, dayOfMonth) = Times.civil(day)
        let moved = Int64(year) * 12 + Int64(month) - 1 + months * sign
        let (newYear, newMonth) = (
            Times.floorDivide(moved, 12), moved - Times.floorDivide(moved, 12) * 12 + 1
        )
        let first = Times.days(year: newYear, month: newMonth, day: 1)
        let next =
            newMonth == 12
            ? Times.days(year: newYear + 1, month: 1, day: 1)
            : Times.days(year: newYear, month: newMonth + 1, day: 1)
        let target = first + min(Int64(dayOfMonth), next - first) - 1
        return (target - day) * 86_400_000
    }
}
