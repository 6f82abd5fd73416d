/// One chunk of an xbstream, as its header tells.
package struct XbstreamChunk: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case payload, sparse, end }

    package var path: String
    /// The same as it stands there.
    package var pathBytes: [UInt8] = []
    package var kind: Kind
    /// Where its payload belongs in the member.
    package var offset: UInt64
    package var byteCount: UInt64
    /// Where its payload begins in the stream.
    package var start: UInt64 = 0
    /// Of a sparse chunk: how far to skip and how much to write, in turn.
    package var sparseMap: [(skip: UInt32, count: UInt32)] = []

    package static func == (a: XbstreamChunk, b: XbstreamChunk) -> Bool {
        a.path == b.path && a.kind == b.kind && a.offset == b.offset && a.byteCount == b.byteCount
            && a.pathBytes == b.pathBytes && a.start == b.start
            && a.sparseMap.elementsEqual(b.sparseMap) { $0 == $1 }
    }
}

package enum XbstreamEvent {
    /// A chunk begins; a path that was not seen before is a new member.
    case chunk(XbstreamChunk)
    /// The next bytes of the chunk's payload.
    case payload(UnsafeRawBufferPointer)
    case memberEnd(String)
    /// What stands at this byte is no chunk; nothing after it is looked at.
    case lost(UInt64)
}

/// Takes an xbstream (mariabackup, xtrabackup) apart as it passes. Checksums are not looked at.
///
/// Members interleave. There is no mark at the end of the stream: only each member has one. Source:
/// xbstream_read.c of MariaDB and Percona XtraBackup.
package struct XbstreamReader {
    private enum State {
        /// Magic, flags, type, length of the path.
        case head
        case path(type: UInt8, length: Int)
        /// Length, offset and checksum; before them, in a sparse chunk, the count of its map.
        case lengths
        case sparseMap(count: Int, offset: UInt64, length: UInt64)
        case payload
        case lost
    }

    private static let sparseMapMax = 65_536

    private var fields = FieldReader()
    private var state = State.head
    private var offset: UInt64 = 0
    private var remaining: UInt64 = 0
    private var path = ""
    private var pathBytes: [UInt8] = []
    private var isSparse = false

    package init() {}

    /// Whether the bytes so far end with a whole chunk.
    package var isBetweenChunks: Bool {
        if case .head = state { !fields.isInField } else { false }
    }

    package mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ handle: (XbstreamEvent) -> Void
    ) {
        var input = Input(bytes)
        while input.left > 0 {
            switch state {
            case .lost: input.at = bytes.count
            case .head: takeHead(&input, handle)
            case .path(let type, let length):
                guard let text = fields.take(length, &input, { ($0.path, Array($0)) }) else {
                    break
                }
                (path, pathBytes) = text
                if type == UInt8(ascii: "E") {
                    handle(
                        .chunk(
                            XbstreamChunk(
                                path: path, pathBytes: pathBytes, kind: .end, offset: 0,
                                byteCount: 0, start: offset + UInt64(input.at))))
                    handle(.memberEnd(path))
                    state = .head
                } else {
                    isSparse = type == UInt8(ascii: "S")
                    state = .lengths
                }
            case .lengths: takeLengths(&input, handle)
            case .sparseMap(let count, let chunkOffset, let length):
                let map = fields.take(8 * count, &input) { bytes in
                    (0..<count).map { index in
                        (
                            skip: UInt32(
                                truncatingIfNeeded: bytes.littleEndian(at: 8 * index, bytes: 4)),
                            count: UInt32(
                                truncatingIfNeeded: bytes.littleEndian(at: 8 * index + 4, bytes: 4))
                        )
                    }
                }
                guard let map else { break }
                begin(
                    .sparse, chunkOffset, length, map, at: offset + UInt64(input.at), handle)
            case .payload:
                let part = input.skip(&remaining)
                handle(.payload(part))
                if remaining == 0 { state = .head }
            }
        }
        offset += UInt64(bytes.count)
    }

    private mutating func takeHead(_ input: inout Input, _ handle: (XbstreamEvent) -> Void) {
        let head = fields.take(14, &input) { bytes in
            (
                isChunk: bytes.hasPrefix("XBSTCK01"), flags: bytes[8], type: bytes[9],
                length: bytes.littleEndian(at: 10, bytes: 4)
            )
        }
        guard let head else { return }
        let isKnown =
            head.type == UInt8(ascii: "P") || head.type == UInt8(ascii: "S")
            || head.type == UInt8(ascii: "E") || head.flags & 1 == 1
        guard head.isChunk, isKnown, head.length > 0,
            head.length <= UInt64(Limits.xbstreamPathBytesMax)
        else {
            return lose(at: input, behind: 14, handle)
        }
        state = .path(type: head.type, length: Int(head.length))
    }

    private mutating func takeLengths(_ input: inout Input, _ handle: (XbstreamEvent) -> Void) {
        let mapBytes = isSparse ? 4 : 0
        let lengths = fields.take(mapBytes + 20, &input) { bytes in
            (
                map: bytes.littleEndian(at: 0, bytes: mapBytes),
                length: bytes.littleEndian(at: mapBytes, bytes: 8),
                offset: bytes.littleEndian(at: mapBytes + 8, bytes: 8)
            )
        }
        guard let lengths else { return }
        guard lengths.length <= Limits.payloadBytesMax,
            lengths.map <= UInt64(XbstreamReader.sparseMapMax)
        else {
            return lose(at: input, behind: mapBytes + 20, handle)
        }
        if lengths.map > 0 {
            state = .sparseMap(
                count: Int(lengths.map), offset: lengths.offset, length: lengths.length)
        } else {
            begin(
                isSparse ? .sparse : .payload, lengths.offset, lengths.length, [],
                at: offset + UInt64(input.at), handle)
        }
    }

    /// - Parameter count: of the field just read, at whose beginning it is lost; that may have come
    ///   with a part before.
    private mutating func lose(
        at input: Input, behind count: Int, _ handle: (XbstreamEvent) -> Void
    ) {
        state = .lost
        handle(.lost(offset + UInt64(input.at) - UInt64(count)))
    }

    private mutating func begin(
        _ kind: XbstreamChunk.Kind, _ chunkOffset: UInt64, _ length: UInt64,
        _ map: [(skip: UInt32, count: UInt32)], at start: UInt64,
        _ handle: (XbstreamEvent) -> Void
    ) {
        remaining = length
        state = length > 0 ? .payload : .head
        handle(
            .chunk(
                XbstreamChunk(
                    path: path, pathBytes: pathBytes, kind: kind, offset: chunkOffset,
                    byteCount: length, start: start, sparseMap: map))
        )
    }
}
