/// One member of a tar archive, as its headers tell.
package struct TarMember: Sendable, Equatable {
    package var path: String
    /// The same, and the link's target, as they stand there.
    package var pathBytes: [UInt8] = []
    package var linkBytes: [UInt8] = []
    /// The type flag of its header: `0` a file, `1` a hard link, `2` a symbolic link, `5` a
    /// directory, ...
    package var type: UInt8
    /// Bytes of payload in the archive; for a sparse file less than the file's size.
    package var byteCount: UInt64
    package var mode: UInt32
    package var owner: UInt64
    package var group: UInt64
    package var ownerName: [UInt8] = []
    package var groupName: [UInt8] = []
    /// Seconds since 1970, and nanoseconds.
    package var modified: Int64
    package var nanoseconds: UInt32 = 0
    /// Of a device.
    package var device: (major: UInt32, minor: UInt32) = (0, 0)
    /// Whether the payload is not simply the file's content.
    package var isSparse = false
    package var linkTarget: String
    /// Where its first header begins in the stream, and where its payload does.
    package var start: UInt64
    package var payloadStart: UInt64 = 0

    package static func == (a: Self, b: Self) -> Bool {
        a.path == b.path && a.pathBytes == b.pathBytes && a.linkBytes == b.linkBytes
            && a.type == b.type && a.byteCount == b.byteCount && a.mode == b.mode
            && a.owner == b.owner && a.group == b.group && a.ownerName == b.ownerName
            && a.groupName == b.groupName && a.modified == b.modified
            && a.nanoseconds == b.nanoseconds && a.device == b.device
            && a.isSparse == b.isSparse && a.linkTarget == b.linkTarget && a.start == b.start
            && a.payloadStart == b.payloadStart
    }
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
/// After the end another archive may follow, as with `cat a.tar b.tar`. Sources: POSIX.1-2017 pax,
/// GNU tar's manual ("Basic Tar Format").
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
                if !goesOn { beginPayload(at: offset + UInt64(input.at), handle) }
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
        default: begin(header, at: blockStart, handle)
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
            case UInt8(ascii: "L"): overrides.path = Array(bytes.untilZero)
            case UInt8(ascii: "K"): overrides.linkTarget = Array(bytes.untilZero)
            case UInt8(ascii: "g"): globals.take(paxRecords: bytes)
            default: overrides.take(paxRecords: bytes)
            }
        }
        // without payload of its own the state `padding` would wait for a byte
        if padding == 0 { state = .header }
    }

    private mutating func begin(
        _ header: TarHeader, at blockStart: UInt64, _ handle: (TarEvent) -> Void
    ) {
        let path = overrides.path ?? globals.path ?? header.path
        // links, directories and devices have no payload, whatever their size says
        let hasPayload =
            !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(header.type)
            || header.type == UInt8(ascii: "1") && overrides.byteCount != nil
        let size = hasPayload ? overrides.byteCount ?? header.byteCount : 0
        remaining = size
        padding = (512 - size % 512) % 512
        let modified = overrides.modified ?? globals.modified
        let link = overrides.linkTarget ?? globals.linkTarget ?? header.linkTarget
        member = TarMember(
            path: path.withUnsafeBytes { $0.path }, pathBytes: path, linkBytes: link,
            type: header.type, byteCount: size, mode: header.mode,
            owner: overrides.owner ?? globals.owner ?? header.owner,
            group: overrides.group ?? globals.group ?? header.group,
            ownerName: overrides.ownerName ?? globals.ownerName ?? header.ownerName,
            groupName: overrides.groupName ?? globals.groupName ?? header.groupName,
            modified: modified?.seconds ?? header.modified,
            nanoseconds: modified?.nanoseconds ?? 0, device: header.device,
            isSparse: overrides.isSparse || header.type == UInt8(ascii: "S"),
            linkTarget: link.withUnsafeBytes { $0.path }, start: start ?? 0)
        overrides = TarOverrides()
        start = nil
        if header.isSparseContinued {
            state = .sparseHeader
        } else {
            beginPayload(at: blockStart + 512, handle)
        }
    }

    private mutating func beginPayload(at start: UInt64, _ handle: (TarEvent) -> Void) {
        if var member {
            member.payloadStart = start
            handle(.member(member))
        }
        member = nil
        state = .payload
        if remaining == 0 { endMember(handle) }
    }

    private mutating func endMember(_ handle: (TarEvent) -> Void) {
        handle(.memberEnd)
        state = padding > 0 ? .padding : .header
    }
}
