/// A length of time as people say it: 30 days, 6 months, 7 years (docs/format.md, section 13).
package struct CalendarSpan: Hashable, Sendable {
    package enum Unit: UInt8, Sendable, CaseIterable {
        case minutes = 1
        case hours = 2
        case days = 3
        case weeks = 4
        case months = 5
        case years = 6
    }

    /// At least 1.
    package let count: UInt32
    package let unit: Unit

    package init(_ count: UInt32, _ unit: Unit) {
        precondition(count > 0, "a span is longer than nothing")
        self.count = count
        self.unit = unit
    }

    /// `u8 unit | u32 count`.
    static let byteCount = 5

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.u8(unit.rawValue)
        writer.integer(count)
        return writer.bytes
    }
}

extension FieldReader {
    func span(_ number: UInt16) throws(WireError) -> CalendarSpan? {
        guard let value = try optional(number, count: CalendarSpan.byteCount) else { return nil }
        var reader = ByteReader(value, what: what)
        guard let unit = CalendarSpan.Unit(rawValue: try reader.u8()) else {
            throw .unknown("\(what) has a unit of time this program does not know")
        }
        let count: UInt32 = try reader.integer()
        guard count > 0 else { throw malformed("field \(number) is no time at all") }
        return CalendarSpan(count, unit)
    }
}
