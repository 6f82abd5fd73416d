/// Fields as docs/format.md, section 1, lays them out, written without the code under test: what
/// damaged, reordered and foreign objects are put together from.
struct RawField: Equatable {
    var number: UInt16
    var isCritical = false
    var value: [UInt8]

    static func wide(_ fields: [RawField]) -> [UInt8] {
        fields.flatMap { field in
            little(field.number | (field.isCritical ? 0x8000 : 0))
                + little(UInt32(field.value.count)) + field.value
        }
    }

    static func narrow(_ fields: [RawField]) -> [UInt8] {
        fields.flatMap { field in
            [UInt8(field.number) | (field.isCritical ? 0x80 : 0)]
                + leb128(UInt64(field.value.count)) + field.value
        }
    }

    static func parseWide(_ bytes: [UInt8]) -> [RawField] {
        var fields: [RawField] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let tag = UInt16(rest.removeFirst()) | UInt16(rest.removeFirst()) << 8
            var count = 0
            for shift in 0..<4 { count |= Int(rest.removeFirst()) << (8 * shift) }
            fields.append(
                RawField(
                    number: tag & 0x7fff, isCritical: tag & 0x8000 != 0,
                    value: Array(rest.prefix(count))))
            rest.removeFirst(count)
        }
        return fields
    }

    static func parseNarrow(_ bytes: [UInt8]) -> [RawField] {
        var fields: [RawField] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let tag = rest.removeFirst()
            let count = Int(parseLEB128(&rest))
            fields.append(
                RawField(
                    number: UInt16(tag & 0x7f), isCritical: tag & 0x80 != 0,
                    value: Array(rest.prefix(count))))
            rest.removeFirst(count)
        }
        return fields
    }
}

func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

func leb128(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + leb128(value >> 7)
}

func parseLEB128(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
    let byte = rest.removeFirst()
    return UInt64(byte & 0x7f) | (byte < 0x80 ? 0 : parseLEB128(&rest) << 7)
}
