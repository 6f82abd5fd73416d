/// Follows the frames of a zstd or lz4 stream from block to block without opening them, where there
/// is no decompressor. That the last frame is whole says nothing of what is inside.
///
/// Sources: RFC 8878; doc/lz4_Frame_format.md of lz4.
struct FramesWalker: StreamWalker {
    private enum State {
        /// The magic number of a frame, or of a skippable one.
        case magic
        case skippable
        case zstdDescriptor
        case zstdHeader(count: Int)
        case zstdBlock
        case lz4Descriptor
        case lz4Header(count: Int)
        case lz4Block
        case lz4Legacy
        case payload(next: Next)
        /// Neither a frame nor the end.
        case lost
    }
    private enum Next { case block, frame, legacy }

    private let format: StreamFormat
    private var fields = FieldReader()
    private var state = State.magic
    private var remaining: UInt64 = 0
    private var offset: UInt64 = 0
    private var frames = 0
    private var hasChecksum = false
    private var hasBlockChecksum = false
    private var isLegacy = false
    private var lostAt: UInt64 = 0

    init(_ format: StreamFormat) { self.format = format }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var input = Input(bytes)
        while input.left > 0 { step(&input) }
        offset += UInt64(bytes.count)
    }

    mutating func finish(_ report: inout StreamReport) {
        var findings = Findings()
        findings.warnOfCompression(format, inner: nil)
        findings.fill(&report)
        switch state {
        case .magic where !fields.isInField && frames > 0: report.end = .notPromised
        // the legacy format has no end; what follows a frame is not ours
        case .lz4Legacy where !fields.isInField: report.end = .notPromised
        case .lost where frames > 0:
            report.end = .notPromised
            report.notes.append(
                "\(describeSize(offset - lostAt)) follow the last \(format.rawValue) frame")
        default:
            report.end = .missing(
                at: offset, inside: "", wanted: "the end of the \(format.rawValue) data")
        }
    }

    private mutating func step(_ input: inout Input) {
        switch state {
        case .lost: input.at = input.bytes.count
        case .payload(let next):
            _ = input.skip(&remaining)
            guard remaining == 0 else { return }
            switch next {
            case .block: state = format == .zstd ? .zstdBlock : .lz4Block
            case .frame: endFrame()
            case .legacy: state = .lz4Legacy
            }
        case .magic:
            guard let magic = fields.take(4, &input, { $0.littleEndian(at: 0, bytes: 4) }) else {
                return
            }
            takeMagic(magic, &input)
        case .skippable:
            guard let length = fields.take(4, &input, { $0.littleEndian(at: 0, bytes: 4) }) else {
                return
            }
            pass(length, then: .frame)
        case .zstdDescriptor:
            guard let flags = fields.take(1, &input, { $0[0] }) else { return }
            hasChecksum = flags & 4 != 0
            let isSingle = flags & 0x20 != 0
            let sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][Int(flags >> 6)]
            let count = (isSingle ? 0 : 1) + [0, 1, 2, 4][Int(flags & 3)] + sizeBytes
            state = .zstdHeader(count: count)
        case .zstdHeader(let count), .lz4Header(let count):
            guard fields.take(count, &input, { _ in true }) != nil else { return }
            state = format == .zstd ? .zstdBlock : .lz4Block
        case .zstdBlock:
            guard let head = fields.take(3, &input, { $0.littleEndian(at: 0, bytes: 3) }) else {
                return
            }
            takeZstdBlock(head)
        case .lz4Descriptor:
            guard let flags = fields.take(1, &input, { $0[0] }) else { return }
            hasBlockChecksum = flags & 0x10 != 0
            hasChecksum = flags & 4 != 0
            // block size, content size, dictionary, header checksum
            state = .lz4Header(count: 2 + (flags & 8 != 0 ? 8 : 0) + (flags & 1 != 0 ? 4 : 0))
        case .lz4Block:
            guard let size = fields.take(4, &input, { $0.littleEndian(at: 0, bytes: 4) }) else {
                return
            }
            if size == 0 {
                pass(hasChecksum ? 4 : 0, then: .frame)
            } else {
                pass((size & 0x7FFF_FFFF) + (hasBlockChecksum ? 4 : 0), then: .block)
            }
        case .lz4Legacy:
            guard let size = fields.take(4, &input, { $0.littleEndian(at: 0, bytes: 4) }) else {
                return
            }
            if size > 0x0100_0000 { takeMagic(size, &input) } else { pass(size, then: .legacy) }
        }
    }

    private mutating func takeMagic(_ magic: UInt64, _ input: inout Input) {
        switch (magic, format) {
        case (0x184D_2A50...0x184D_2A5F, _): state = .skippable
        case (0xFD2F_B528, .zstd): state = .zstdDescriptor
        case (0x184D_2204, .lz4): state = .lz4Descriptor
        case (0x184C_2102, .lz4): state = .lz4Legacy
        default:
            state = .lost
            // Its first bytes may have come with a part before.
            lostAt = offset + UInt64(input.at) - 4
        }
    }

    private mutating func takeZstdBlock(_ head: UInt64) {
        let isLast = head & 1 == 1
        let type = head >> 1 & 3
        // a repeated byte is stored once
        let size = type == 1 ? 1 : head >> 3
        if type == 3 {
            frames = 0
            state = .lost
        } else {
            pass(size + (isLast && hasChecksum ? 4 : 0), then: isLast ? .frame : .block)
        }
    }

    private mutating func pass(_ count: UInt64, then next: Next) {
        remaining = count
        state = .payload(next: next)
        if count == 0 {
            switch next {
            case .block: state = format == .zstd ? .zstdBlock : .lz4Block
            case .frame: endFrame()
            case .legacy: state = .lz4Legacy
            }
        }
    }

    private mutating func endFrame() {
        frames += 1
        state = .magic
    }
}
