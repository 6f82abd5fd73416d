import CLinux
import Glibc

/// Times as stores write them.
enum Timestamps {
    /// `20261128T031500Z` of milliseconds since 1970.
    static func compact(_ time: Int64) -> String {
        let parts = parts(time)
        return text(parts.year, 4) + text(parts.month, 2) + text(parts.day, 2) + "T"
            + text(parts.hour, 2) + text(parts.minute, 2) + text(parts.second, 2) + "Z"
    }

    /// `2026-11-28T03:15:00Z` of milliseconds since 1970.
    static func iso(_ time: Int64) -> String {
        let parts = parts(time)
        return text(parts.year, 4) + "-" + text(parts.month, 2) + "-" + text(parts.day, 2) + "T"
            + text(parts.hour, 2) + ":" + text(parts.minute, 2) + ":" + text(parts.second, 2) + "Z"
    }

    /// Milliseconds since 1970 of `2026-11-28T03:15:00.000Z`, with any number of digits behind the dot,
    /// or none; nil of anything else.
    static func parse(iso text: String) -> Int64? {
        let digits = text.split { !$0.isNumber }
        guard digits.count >= 6, text.hasSuffix("Z"),
            let year = Int64(digits[0]), let month = Int64(digits[1]), let day = Int64(digits[2]),
            let hour = Int64(digits[3]), let minute = Int64(digits[4]), let second = Int64(digits[5])
        else { return nil }
        return milliseconds(year, month, day, hour, minute, second)
    }

    /// Milliseconds since 1970 of `Sat, 28 Nov 2026 03:15:00 GMT`; nil of anything else.
    static func parse(http text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == ":" }
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard words.count == 8, words[7] == "GMT", let day = Int64(words[1]),
            let month = months.firstIndex(where: { $0 == words[2] }), let year = Int64(words[3]),
            let hour = Int64(words[4]), let minute = Int64(words[5]), let second = Int64(words[6])
        else { return nil }
        return milliseconds(year, Int64(month + 1), day, hour, minute, second)
    }

    private static func milliseconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64,
        _ second: Int64
    ) -> Int64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        // Days since 1970, with years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000
    }

    private static func parts(_ time: Int64) -> (
        year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    ) {
        var seconds = time_t(time / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return (
            Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday),
            Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)
        )
    }

    private static func text(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
