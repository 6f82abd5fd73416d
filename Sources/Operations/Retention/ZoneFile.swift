/// Reads a file of the time zone database (RFC 8536, "TZif").
enum ZoneFile {
    /// The longest of the database has a tenth of it.
    static let byteCountMax = 64 << 10

    private static let typeBytes = 6
    /// RFC 8536, section 3.2: an offset lies between -25 and 26 hours.
    private static let offsets: ClosedRange<Int64> = -89_999...93_599

    /// How many there are of each thing in a block.
    private struct Header {
        static let byteCount = 44
        let version: UInt8
        let universal, standard, leaps, times, types, characters: Int

        func byteCount(timeBytes: Int) -> Int {
            times * (timeBytes + 1) + types * typeBytes + characters + leaps * (timeBytes + 4)
                + standard + universal
        }
    }

    /// - Returns: nil where it is no such file.
    static func read(_ bytes: [UInt8]) -> ZoneOffsets? {
        guard bytes.count <= byteCountMax, let first = header(bytes[...]) else { return nil }
        guard first.version >= UInt8(ascii: "2") else {
            return offsets(first, bytes.dropFirst(Header.byteCount), timeBytes: 4)?.zone
        }
        // The block of version 1 comes first, and says less.
        let second = bytes.dropFirst(Header.byteCount + first.byteCount(timeBytes: 4))
        guard let header = header(second),
            let (zone, rest) = offsets(header, second.dropFirst(Header.byteCount), timeBytes: 8),
            rest.first == UInt8(ascii: "\n")
        else { return nil }
        let footer = Array(rest.dropFirst().prefix { $0 != UInt8(ascii: "\n") })
        guard footer.count < rest.count - 1 else { return nil }
        guard !footer.isEmpty else { return zone }
        guard let rule = ZoneRule(footer) else { return nil }
        return ZoneOffsets(transitions: zone.transitions, first: zone.first, rule: rule)
    }

    private static func header(_ bytes: ArraySlice<UInt8>) -> Header? {
        guard bytes.count >= Header.byteCount, bytes.starts(with: "TZif".utf8) else { return nil }
        let counts = (0..<6).map { index in
            Int(number(bytes.dropFirst(20 + 4 * index).prefix(4)))
        }
        guard counts.allSatisfy({ (0...byteCountMax).contains($0) }), (1...256).contains(counts[4])
        else { return nil }
        return Header(
            version: bytes[bytes.startIndex + 4], universal: counts[0], standard: counts[1],
            leaps: counts[2], times: counts[3], types: counts[4], characters: counts[5])
    }

    private static func offsets(
        _ header: Header, _ block: ArraySlice<UInt8>, timeBytes: Int
    ) -> (zone: ZoneOffsets, rest: ArraySlice<UInt8>)? {
        let byteCount = header.byteCount(timeBytes: timeBytes)
        guard block.count >= byteCount else { return nil }
        let numbers = block.dropFirst(header.times * timeBytes)
        let types = numbers.dropFirst(header.times)
        func offset(_ type: Int) -> Int64 {
            number(types.dropFirst(type * typeBytes).prefix(4))
        }
        guard (0..<header.types).allSatisfy({ offsets.contains(offset($0)) }) else { return nil }
        var transitions: [ZoneOffsets.Transition] = []
        for index in 0..<header.times {
            let at = number(block.dropFirst(index * timeBytes).prefix(timeBytes))
            let type = Int(numbers[numbers.startIndex + index])
            guard type < header.types, transitions.last.map({ $0.at < at }) ?? true else {
                return nil
            }
            transitions.append(.init(at: at, offset: offset(type)))
        }
        return (
            ZoneOffsets(transitions: transitions, first: offset(0), rule: nil),
            block.dropFirst(byteCount)
        )
    }

    /// Big-endian, in two's complement.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        let value = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return bytes.count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : value
    }
}
