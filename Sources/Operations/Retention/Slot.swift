import WireFormat

/// The kinds of slots that snapshots can stand for, and which slot a moment lies in.
enum SlotKind: String, CaseIterable {
    case hourly, daily, weekly, monthly, yearly

    func count(in rules: RetentionRules) -> RetentionRules.Count {
        switch self {
        case .hourly: rules.keepHourly
        case .daily: rules.keepDaily
        case .weekly: rules.keepWeekly
        case .monthly: rules.keepMonthly
        case .yearly: rules.keepYearly
        }
    }

    /// - Parameters:
    ///   - time: milliseconds since 1970.
    ///   - weekStart: 0 for Sunday.
    func slot(of time: Int64, in zone: ZoneOffsets, weekStart: UInt8) -> Slot {
        let seconds = Times.floorDivide(time, 1000)
        let offset = zone.offset(at: seconds)
        let local = seconds + offset
        let day = Times.floorDivide(local, 86_400)
        switch self {
        // The hour that clocks show twice in autumn is two hours.
        case .hourly: return Slot(number: Times.floorDivide(local, 3600), offset: offset)
        case .daily: return Slot(number: day)
        // The first day of all was a Thursday.
        case .weekly: return Slot(number: Times.floorDivide(day + 4 - Int64(weekStart), 7))
        case .monthly:
            let (year, month, _) = Times.civil(day)
            return Slot(number: Int64(year) * 12 + Int64(month))
        case .yearly: return Slot(number: Int64(Times.civil(day).0))
        }
    }
}

/// One hour, day, week, month or year of one place.
struct Slot: Hashable {
    let number: Int64
    var offset: Int64 = 0
}
