import CLinux

/// Points in time, as milliseconds since 1970, and their spellings.
package enum Times {
    /// RFC 3339 in UTC, to the second: `2026-11-21T04:16:09Z`.
    package static func utc(_ time: Int64) -> String {
        let seconds = floorDivide(time, 1000)
        let (year, month, day) = civil(floorDivide(seconds, 86_400))
        let rest = Int(seconds - floorDivide(seconds, 86_400) * 86_400)
        return
            "\(pad(year, 4))-\(pad(month))-\(pad(day))T\(pad(rest / 3600)):\(pad(rest / 60 % 60)):\(pad(rest % 60))Z"
    }

    /// For people, in local time: `2026-11-21 04:16`.
    package static func local(_ time: Int64) -> String {
        let t = broken(time)
        return
            "\(pad(Int(t.tm_year) + 1900, 4))-\(pad(Int(t.tm_mon) + 1))-\(pad(Int(t.tm_mday))) \(pad(Int(t.tm_hour))):\(pad(Int(t.tm_min)))"
    }

    /// For names of files, in local time: `20261121-0416`.
    package static func compact(_ time: Int64) -> String {
        let digits = local(time).filter { $0.isNumber }
        return "\(digits.prefix(8))-\(digits.suffix(4))"
    }

    private static func broken(_ time: Int64) -> tm {
        var seconds = time_t(floorDivide(time, 1000))
        var result = tm()
        localtime_r(&seconds, &result)
        return result
    }

    /// Reads `2026-11-21`, `2026-11-21T04:16`, `2026-11-21T04:16:09`, with a space or `T`, in local
    /// time, or with `Z` in UTC. The end of what is named: a day's last millisecond, a minute's, a
    /// second's.
    package static func parse(_ text: some StringProtocol) -> (first: Int64, last: Int64)? {
        var rest = Array(text.utf8)
        let isUTC = rest.last == UInt8(ascii: "Z")
        if isUTC { rest.removeLast() }
        guard rest.allSatisfy({ $0 < 0x80 }) else { return nil }
        let parts = rest.split(whereSeparator: {
            $0 == UInt8(ascii: "T") || $0 == UInt8(ascii: " ")
        })
        guard (1...2).contains(parts.count) else { return nil }
        func numbers(_ part: ArraySlice<UInt8>, _ separator: Character) -> [Int]? {
            let fields = part.split(
                separator: separator.asciiValue!, omittingEmptySubsequences: false)
            let values = fields.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            return values.count == fields.count && values.allSatisfy { $0 >= 0 } ? values : nil
        }
        guard let date = numbers(parts[0], "-"), date.count == 3, parts[0].count == 10,
            (1...12).contains(date[1]),
            (1...31).contains(date[2])
        else { return nil }
        var clock = [0, 0, 0]
        var span: Int64 = 86_400_000
        if parts.count == 2 {
            guard let given = numbers(parts[1], ":"), (2...3).contains(given.count), given[0] < 24,
                given[1] < 60,
                given.count == 2 || given[2] < 61
            else { return nil }
            clock = given + (given.count == 2 ? [0] : [])
            span = given.count == 2 ? 60_000 : 1000
        }
        var t = tm()
        t.tm_year = Int32(date[0] - 1900)
        t.tm_mon = Int32(date[1] - 1)
        t.tm_mday = Int32(date[2])
        t.tm_hour = Int32(clock[0])
        t.tm_min = Int32(clock[1])
        t.tm_sec = Int32(clock[2])
        t.tm_isdst = -1
        let seconds = isUTC ? timegm(&t) : mktime(&t)
        let first = Int64(seconds) * 1000
        return (first, first + span - 1)
    }

    private static func pad(_ value: Int, _ width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// For any `a`, also what a broken clock says; `b` is positive.
    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        a % b < 0 ? a / b - 1 : a / b
    }

    /// Days since 1970 to year, month and day of the Gregorian calendar.
    static func civil(_ days: Int64) -> (Int, Int, Int) {
        // Counted from March 1, so that the leap day ends the year; eras of 400 years.
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isAfterDecember = month >= 10
        let year = yearOfEra + era * 400 + (isAfterDecember ? 1 : 0)
        return (Int(year), Int(isAfterDecember ? month - 9 : month + 3), Int(day))
    }

    /// The day number of a date, of which the day may lie beyond its month.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
