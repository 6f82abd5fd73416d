/// How far a place's clocks are ahead of UTC, at any time.
package struct ZoneOffsets: Sendable, Equatable {
    struct Transition: Sendable, Equatable {
        /// Seconds since 1970.
        let at: Int64
        let offset: Int64
    }

    /// In ascending order.
    let transitions: [Transition]
    /// Before the first of them.
    let first: Int64
    /// After the last of them.
    let rule: ZoneRule?

    package static let utc = ZoneOffsets(transitions: [], first: 0, rule: nil)

    /// Seconds ahead of UTC.
    /// - Parameter seconds: since 1970.
    package func offset(at seconds: Int64) -> Int64 {
        guard let last = transitions.last else { return rule?.offset(at: seconds) ?? first }
        if seconds >= last.at { return rule?.offset(at: seconds) ?? last.offset }
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : transitions[low - 1].offset
    }
}

/// What a POSIX `TZ` says: from when to when clocks are put forward, every year.
struct ZoneRule: Sendable, Equatable {
    enum Day: Sendable, Equatable {
        /// From 1, and February 29 is never counted.
        case julian(Int64)
        /// From 0.
        case ofYear(Int64)
        /// The n-th such day of a month, 5 for the last; days of the week from Sunday, 0.
        case weekday(month: Int64, week: Int64, day: Int64)
    }

    struct Change: Sendable, Equatable {
        let day: Day
        /// Of local time, seconds since midnight.
        let seconds: Int64
    }

    let standard: Int64
    let summer: (offset: Int64, from: Change, to: Change)?

    static func == (a: ZoneRule, b: ZoneRule) -> Bool {
        a.standard == b.standard && a.summer?.offset == b.summer?.offset
            && a.summer?.from == b.summer?.from && a.summer?.to == b.summer?.to
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        // Beyond, a year may begin or end where no number of seconds reaches.
        guard seconds.magnitude < 1 << 60 else { return standard }
        let local = seconds + standard
        let year = Int64(Times.civil(Times.floorDivide(local, 86_400)).0)
        let begins = moment(summer.from, year) - standard
        let ends = moment(summer.to, year) - summer.offset
        // In the south, and where winter is what is put back, summer runs over the new year.
        let isSummer =
            begins < ends
            ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends
        return isSummer ? summer.offset : standard
    }

    /// In local time, as seconds since 1970.
    private func moment(_ change: Change, _ year: Int64) -> Int64 {
        let newYear = Times.days(year: year, month: 1, day: 1)
        let day: Int64
        switch change.day {
        case .julian(let number):
            let isLeap = Times.days(year: year + 1, month: 1, day: 1) - newYear == 366
            day = newYear + number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .ofYear(let number): day = newYear + number
        case .weekday(let month, let week, let wanted):
            let first = Times.days(year: year, month: month, day: 1)
            let next =
                month == 12
                ? Times.days(year: year + 1, month: 1, day: 1)
                : Times.days(year: year, month: month + 1, day: 1)
            let weekday = (first + 4) - Times.floorDivide(first + 4, 7) * 7
            var candidate = first + (wanted - weekday + 7) % 7 + (week - 1) * 7
            while candidate >= next { candidate -= 7 }
            day = candidate
        }
        return day * 86_400 + change.seconds
    }
}
