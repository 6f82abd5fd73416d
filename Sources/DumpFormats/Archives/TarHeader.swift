/// The 512 bytes before a member.
struct TarHeader {
    var path: [UInt8]
    var type: UInt8
    var byteCount: UInt64
    var mode: UInt32
    var owner: UInt64
    var group: UInt64
    var modified: Int64
    var linkTarget: [UInt8]
    var ownerName: [UInt8]
    var groupName: [UInt8]
    var device: (major: UInt32, minor: UInt32)
    /// GNU's old sparse format: more blocks of the sparse map follow.
    var isSparseContinued: Bool

    /// - Returns: nil where the checksum is wrong or a length cannot be meant.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 512, TarHeader.hasChecksum(bytes),
            let size = TarHeader.number(bytes.part(124, 136)), size <= Limits.payloadBytesMax
        else { return nil }
        byteCount = size
        type = bytes[156]
        mode = UInt32(truncatingIfNeeded: TarHeader.number(bytes.part(100, 108)) ?? 0)
        owner = TarHeader.number(bytes.part(108, 116)) ?? 0
        group = TarHeader.number(bytes.part(116, 124)) ?? 0
        modified = Int64(clamping: TarHeader.number(bytes.part(136, 148)) ?? 0)
        linkTarget = Array(bytes.part(157, 257).untilZero)
        path = Array(bytes.part(0, 100).untilZero)
        let hasNames = bytes.matches("ustar", at: 257)
        ownerName = hasNames ? Array(bytes.part(265, 297).untilZero) : []
        groupName = hasNames ? Array(bytes.part(297, 329).untilZero) : []
        let number = { (start: Int) in
            UInt32(truncatingIfNeeded: TarHeader.number(bytes.part(start, start + 8)) ?? 0)
        }
        device = hasNames ? (number(329), number(337)) : (0, 0)
        let isGNU = bytes.matches("ustar  ", at: 257)
        if bytes.matches("ustar\0", at: 257), bytes[345] != 0 {
            path = bytes.part(345, 500).untilZero + [UInt8(ascii: "/")] + path
        }
        isSparseContinued = isGNU && type == UInt8(ascii: "S") && bytes[482] != 0
    }

    /// The sum of all bytes, the checksum's own counted as spaces; some old programs summed signed
    /// bytes.
    private static func hasChecksum(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let wanted = number(bytes.part(148, 156)) else { return false }
        var sum: UInt64 = 0
        var high: UInt64 = 0
        for index in 0..<512 {
            let byte = (148..<156).contains(index) ? Ascii.space : bytes[index]
            sum += UInt64(byte)
            if byte >= 0x80 { high += 256 }
        }
        return wanted == sum || high <= sum && wanted == sum - high
    }

    /// Octal digits among spaces and zeros, or GNU's base 256, big-endian after a first bit.
    private static func number(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard let first = bytes.first else { return nil }
        var value: UInt64 = 0
        if first & 0x80 != 0 {
            guard first == 0x80 else { return nil }
            for byte in bytes.part(from: 1) {
                guard value < 1 << 55 else { return nil }
                value = value << 8 | UInt64(byte)
            }
            return value
        }
        var hasEnded = false
        var hasBegun = false
        for byte in bytes {
            switch byte {
            case 0x30...0x37:
                guard !hasEnded else { return nil }
                hasBegun = true
                value = value << 3 | UInt64(byte - 0x30)
            case Ascii.space, 0: hasEnded = hasBegun || byte == 0
            default: return nil
            }
        }
        return value
    }

    /// Whether a stream begins with a tar header.
    static func opens(_ head: UnsafeRawBufferPointer) -> Bool {
        if head.count >= 512 {
            return TarHeader(head.part(0, 512)).map { !$0.path.isEmpty } ?? false
        }
        return head.matches("ustar", at: 257)
    }

    /// Whether a stream too short for a header looks like the beginning of one: a name, then zeros,
    /// then octal digits where the mode stands.
    static func mayBegin(_ head: UnsafeRawBufferPointer) -> Bool {
        guard head.count >= 108, head.count < 512, head[0] > Ascii.space else { return false }
        let name = head.part(0, 100)
        guard name.part(from: name.untilZero.count).isZero else { return false }
        for byte in head.part(100, 107) where !(0x30...0x37).contains(byte) && byte != Ascii.space {
            return false
        }
        return head[107] == 0 || head[107] == Ascii.space
    }
}

/// A block of 512 bytes where a header should be.
enum TarBlock {
    case zero
    case header(TarHeader)
    case other

    init(_ bytes: UnsafeRawBufferPointer) {
        if bytes.isZero {
            self = .zero
        } else if let header = TarHeader(bytes) {
            self = .header(header)
        } else {
            self = .other
        }
    }
}

/// What pax headers and GNU long names say of the next member, or of all that follow.
struct TarOverrides {
    var path: [UInt8]?
    var linkTarget: [UInt8]?
    var byteCount: UInt64?
    var modified: (seconds: Int64, nanoseconds: UInt32)?
    var owner: UInt64?
    var group: UInt64?
    var ownerName: [UInt8]?
    var groupName: [UInt8]?
    var isSparse = false

    /// Records of the form `LENGTH KEY=VALUE\n`, the length counting all of it.
    mutating func take(paxRecords bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let space = rest.position(of: Ascii.space), space < 20,
            let length = rest.leadingNumber, length > UInt64(space + 1),
            length <= UInt64(rest.count)
        {
            let record = rest.part(space + 1, Int(length) - 1)
            if let equals = record.position(of: UInt8(ascii: "=")) {
                take(record.part(0, equals), record.part(from: equals + 1))
            }
            rest = rest.part(from: Int(length))
        }
    }

    private mutating func take(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if key.hasPrefix("GNU.sparse.") { isSparse = true }
        if key.equals("path") {
            path = path ?? Array(value)
        } else if key.equals("GNU.sparse.name") {
            path = Array(value)
        } else if key.equals("linkpath") {
            linkTarget = Array(value)
        } else if key.equals("size") {
            byteCount = value.leadingNumber.flatMap { $0 <= Limits.payloadBytesMax ? $0 : nil }
        } else if key.equals("mtime") {
            modified = TarOverrides.time(value)
        } else if key.equals("uid") {
            owner = value.leadingNumber
        } else if key.equals("gid") {
            group = value.leadingNumber
        } else if key.equals("uname") {
            ownerName = Array(value)
        } else if key.equals("gname") {
            groupName = Array(value)
        }
    }

    /// Seconds, negative ones too, with a fraction or without.
    private static func time(
        _ text: UnsafeRawBufferPointer
    ) -> (seconds: Int64, nanoseconds: UInt32)? {
        let isNegative = text.first == Ascii.dash
        let digits = text.part(from: isNegative ? 1 : 0)
        guard let whole = digits.leadingNumber else { return nil }
        var nanoseconds: UInt32 = 0
        if let point = digits.position(of: UInt8(ascii: ".")) {
            var unit: UInt32 = 100_000_000
            for byte in digits.part(point + 1, point + 10) {
                guard (0x30...0x39).contains(byte) else { break }
                nanoseconds += UInt32(byte - 0x30) * unit
                unit /= 10
            }
        }
        let seconds = Int64(clamping: whole)
        guard isNegative else { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes before the first zero.
    var untilZero: UnsafeRawBufferPointer { part(0, position(of: 0 as UInt8) ?? count) }
}
