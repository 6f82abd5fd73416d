/// One member of a tar archive, as its headers tell.
package struct TarMember: Sendable, Equatable {
    package var path: String
    /// The type flag of its header: `0` a file, `1` a hard link, `2` a symbolic link, `5` a directory, ...
    package var type: UInt8
    /// Bytes of payload in the archive; for a sparse file less than the file's size.
    package var byteCount: UInt64
    package var mode: UInt32
    package var owner: UInt64
    package var group: UInt64
    /// Seconds since 1970.
    package var modified: Int64
    package var linkTarget: String
    /// Where its first header begins in the stream.
    package var start: UInt64
}

package enum TarEvent {
    case member(TarMember)
    /// The next bytes of the member's payload.
    case payload(UnsafeRawBufferPointer)
    case memberEnd
    /// Two zero blocks were seen; the archive ended before this byte.
    case end(UInt64)
    /// What stands here is no tar; nothing after it is looked at.
    case lost(UInt64)
}

/// Takes a tar archive apart as it passes: ustar, GNU, pax and the old format of version 7.
///
/// After the end another archive may follow, as with `cat a.tar b.tar`. Sources: POSIX.1-2017 pax, GNU tar's manual
/// ("Basic Tar Format").
package struct TarReader {
    private enum State {
        case header
        case sparseHeader
        /// The payload of a pax header or of a GNU long name.
        case metadata(type: UInt8, kept: Int)
        case payload
        case padding
        case ended
        case lost
    }

    private var fields = FieldReader()
    private var state = State.header
    private var offset: UInt64 = 0
    private var remaining: UInt64 = 0
    private var padding: UInt64 = 0
    private var zeroBlocks = 0
    private var hasMember = false
    private var member: TarMember?
    private var start: UInt64?
    /// What the headers before a member's own say of it.
    private var overrides = TarOverrides()
    private var globals = TarOverrides()

    package init() {}

    /// Whether the archive ended and nothing but zeros came after.
    package var isAtEnd: Bool {
        if case .ended = state { true } else { false }
    }

    package mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ handle: (TarEvent) -> Void
    ) {
        var input = Input(bytes)
        while input.left > 0 {
            switch state {
            case .lost: input.at = bytes.count
            case .header, .ended:
                guard let block = fields.take(512, &input, { TarBlock($0) }) else { break }
                take(block, at: offset + UInt64(input.at) - 512, handle)
            case .sparseHeader:
                guard let goesOn = fields.take(512, &input, { $0[504] != 0 }) else { break }
                if !goesOn { beginPayload(handle) }
            case .metadata(let type, let kept):
                let text = fields.take(kept, &input) { Array($0) }
                guard let text else { break }
                keep(text, type)
                state = .padding
            case .payload:
                let part = input.skip(&remaining)
                handle(.payload(part))
                if remaining == 0 { endMember(handle) }
            case .padding:
                _ = input.skip(&padding)
                if padding == 0 { state = .header }
            }
        }
        offset += UInt64(bytes.count)
    }

    private mutating func take(
        _ block: TarBlock, at blockStart: UInt64, _ handle: (TarEvent) -> Void
    ) {
        guard case .header(let header) = block else {
            if case .zero = block { return takeZero(blockStart, handle) }
            if case .ended = state {
                // padding of another kind: the archive is whole, what follows is not ours
                return
            }
            state = .lost
            handle(.lost(blockStart))
            return
        }
        zeroBlocks = 0
        start = start ?? blockStart
        remaining = header.byteCount
        padding = (512 - header.byteCount % 512) % 512
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "g"), UInt8(ascii: "L"),
            UInt8(ascii: "K"):
            let kept = Int(min(header.byteCount, UInt64(Limits.metadataBytesMax)))
            padding += header.byteCount - UInt64(kept)
            state = kept == 0 ? .padding : .metadata(type: header.type, kept: kept)
            if kept == 0, padding == 0 { state = .header }
        default: begin(header, handle)
        }
    }

    private mutating func takeZero(_ blockStart: UInt64, _ handle: (TarEvent) -> Void) {
        if case .ended = state { return }
        zeroBlocks += 1
        guard zeroBlocks == 2 else { return }
        state = .ended
        start = nil
        overrides = TarOverrides()
        globals = TarOverrides()
        handle(.end(blockStart + 512))
    }

    private mutating func keep(_ text: [UInt8], _ type: UInt8) {
        text.withUnsafeBytes { bytes in
            switch type {
            case UInt8(ascii: "L"): overrides.path = bytes.untilZero.path
            case UInt8(ascii: "K"): overrides.linkTarget = bytes.untilZero.path
            case UInt8(ascii: "g"): globals.take(paxRecords: bytes)
            default: overrides.take(paxRecords: bytes)
            }
        }
        // without payload of its own the state `padding` would wait for a byte
        if padding == 0 { state = .header }
    }

    private mutating func begin(_ header: TarHeader, _ handle: (TarEvent) -> Void) {
        let path = overrides.path ?? globals.path ?? header.path
        // links, directories and devices have no payload, whatever their size says
        let hasPayload = !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(header.type)
            || header.type == UInt8(ascii: "1") && overrides.byteCount != nil
        let size = hasPayload ? overrides.byteCount ?? header.byteCount : 0
        remaining = size
        padding = (512 - size % 512) % 512
        member = TarMember(
            path: path, type: header.type, byteCount: size, mode: header.mode,
            owner: header.owner, group: header.group,
            modified: overrides.modified ?? globals.modified ?? header.modified,
            linkTarget: overrides.linkTarget ?? globals.linkTarget ?? header.linkTarget,
            start: start ?? 0)
        overrides = TarOverrides()
        start = nil
        if header.isSparseContinued { state = .sparseHeader } else { beginPayload(handle) }
    }

    private mutating func beginPayload(_ handle: (TarEvent) -> Void) {
        if let member { handle(.member(member)) }
        member = nil
        state = .payload
        if remaining == 0 { endMember(handle) }
    }

    private mutating func endMember(_ handle: (TarEvent) -> Void) {
        handle(.memberEnd)
        state = padding > 0 ? .padding : .header
    }
}

/// A block of 512 bytes where a header should be.
private enum TarBlock {
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
private struct TarOverrides {
    var path: String?
    var linkTarget: String?
    var byteCount: UInt64?
    var modified: Int64?

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
        if key.equals("path") {
            path = path ?? value.path
        } else if key.equals("GNU.sparse.name") {
            path = value.path
        } else if key.equals("linkpath") {
            linkTarget = value.path
        } else if key.equals("size") {
            byteCount = value.leadingNumber.flatMap { $0 <= Limits.payloadBytesMax ? $0 : nil }
        } else if key.equals("mtime") {
            let isNegative = value.first == Ascii.dash
            let seconds = value.part(from: isNegative ? 1 : 0).leadingNumber
            modified = seconds.map { Int64(clamping: $0) * (isNegative ? -1 : 1) }
        }
    }
}

/// The 512 bytes before a member.
struct TarHeader {
    var path: String
    var type: UInt8
    var byteCount: UInt64
    var mode: UInt32
    var owner: UInt64
    var group: UInt64
    var modified: Int64
    var linkTarget: String
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
        linkTarget = bytes.part(157, 257).untilZero.path
        path = bytes.part(0, 100).untilZero.path
        let isGNU = bytes.matches("ustar  ", at: 257)
        if bytes.matches("ustar\0", at: 257), bytes[345] != 0 {
            path = bytes.part(345, 500).untilZero.path + "/" + path
        }
        isSparseContinued = isGNU && type == UInt8(ascii: "S") && bytes[482] != 0
    }

    /// The sum of all bytes, the checksum's own counted as spaces; some old programs summed signed bytes.
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
        if head.count >= 512 { return TarHeader(head.part(0, 512)).map { !$0.path.isEmpty } ?? false }
        return head.matches("ustar", at: 257)
    }

    /// Whether a stream too short for a header looks like the beginning of one: a name, then zeros, then octal
    /// digits where the mode stands.
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

extension UnsafeRawBufferPointer {
    /// The bytes before the first zero.
    var untilZero: UnsafeRawBufferPointer { part(0, position(of: 0 as UInt8) ?? count) }

    /// A path, ill-formed UTF-8 repaired.
    var path: String { String(decoding: part(0, Limits.pathBytesMax), as: UTF8.self) }
}
