/// What a stream is, from its first bytes (up to 64 KiB are looked at). For choosing the cutting
/// rule before reading on; `DumpReader` decides by the same rules.
///
/// - Parameter expecting: believed where it is not nil, except that a compressed or encrypted
///   stream is seen as what it is (what is inside it is then expected).
package func classify(head: UnsafeRawBufferPointer, expecting: StreamFormat?) -> StreamFormat {
    recognize(head.part(0, Limits.headBytesMax), expecting: expecting, isWhole: false).format
}

struct Recognized {
    var format: StreamFormat
    /// The whole stream is only the beginning of this format's first line or signature.
    var isCutHeader = false
}

func recognize(
    _ head: UnsafeRawBufferPointer, expecting: StreamFormat?, isWhole: Bool
) -> Recognized {
    if expecting == .raw { return Recognized(format: .raw) }
    let wrapped = wrapping(head)
    if let expecting {
        let isInside = !expecting.isCompressed && !expecting.isEncrypted
        return Recognized(format: isInside ? wrapped ?? expecting : expecting)
    }
    if let wrapped { return Recognized(format: wrapped) }
    if head.hasPrefix("PGDMP") { return Recognized(format: .pgCustom) }
    if head.hasPrefix("XBSTCK01") { return Recognized(format: .xbstream) }
    if TarHeader.opens(head) { return Recognized(format: .tar) }
    if let text = textFormat(head) { return Recognized(format: text) }
    if isWhole, let cut = cutHeader(head) { return Recognized(format: cut, isCutHeader: true) }
    return Recognized(format: .raw)
}

/// The compression or encryption that a stream begins with.
private func wrapping(_ head: UnsafeRawBufferPointer) -> StreamFormat? {
    guard head.count >= 4 else { return nil }
    switch (head[0], head[1], head[2], head[3]) {
    case (0x1F, 0x8B, 0x08, _): return .gzip
    case (0x28, 0xB5, 0x2F, 0xFD): return .zstd
    case (0x50...0x5F, 0x2A, 0x4D, 0x18): return skippableFrames(head)
    case (0x04, 0x22, 0x4D, 0x18), (0x02, 0x21, 0x4C, 0x18): return .lz4
    case (0xFD, 0x37, 0x7A, 0x58): return head.matches("Z\0", at: 4) ? .xz : nil
    case (0x42, 0x5A, 0x68, 0x31...0x39): return isBzip2(head) ? .bzip2 : nil
    case (0x89, 0x4C, 0x5A, 0x4F): return .lzop
    case (0x4C, 0x5A, 0x49, 0x50): return head.count > 4 && head[4] <= 1 ? .lzip : nil
    case (0x37, 0x7A, 0xBC, 0xAF): return .sevenZip
    case (0x50, 0x4B, 0x03, 0x04): return .zip
    default: break
    }
    if head.hasPrefix("qpress10") { return .qpress }
    if head.hasPrefix("XBCRYP0") { return .xbcrypt }
    if head.hasPrefix("age-encryption.org/") { return .age }
    if head.hasPrefix("-----BEGIN AGE ENCRYPTED FILE-----") { return .age }
    if head.hasPrefix("-----BEGIN PGP MESSAGE-----") { return .gpg }
    if head.hasPrefix("Salted__") { return .openssl }
    return isOpenPGP(head) ? .gpg : nil
}

/// Skippable frames stand before zstd frames (pzstd) and may stand before lz4 frames.
private func skippableFrames(_ head: UnsafeRawBufferPointer) -> StreamFormat {
    let length = Int(head.littleEndian(at: 4, bytes: 4))
    return head.littleEndian(at: 8 + length, bytes: 4) == 0x184D_2204 ? .lz4 : .zstd
}

private func isBzip2(_ head: UnsafeRawBufferPointer) -> Bool {
    // the magic of a block, or of the end of an empty stream
    let block: [UInt8] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
    let end: [UInt8] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
    let rest = head.part(4, 10)
    return block.starts(with: rest) || end.starts(with: rest)
}

/// A message encrypted to a key (tag 1, version 3) or with a passphrase (tag 3, version 4 or 5),
/// RFC 4880.
private func isOpenPGP(_ head: UnsafeRawBufferPointer) -> Bool {
    switch head[0] {
    case 0x84: head[2] == 3
    case 0x85: head[3] == 3 && head[1] <= 0x08
    case 0xC1: head[2] == 3 || head[3] == 3
    case 0x8C, 0xC3: (head[2] == 4 || head[2] == 5) && head[1] < 0x40 && head[1] >= 4
    default: false
    }
}

/// The dump that begins in these lines; other text may stand before it, zero bytes may not.
private func textFormat(_ head: UnsafeRawBufferPointer) -> StreamFormat? {
    var at = 0
    while at < head.count {
        let end = head.position(of: Ascii.newline, from: at) ?? head.count
        if let mark = TextMark(head.part(at, end), next: head.part(from: end + 1)) {
            return head.part(0, at).position(of: 0 as UInt8) == nil ? mark.format : nil
        }
        at = end + 1
    }
    return nil
}

/// A stream of at least two bytes that is shorter than the first line or signature it begins like.
private func cutHeader(_ head: UnsafeRawBufferPointer) -> StreamFormat? {
    guard head.count >= 2 else { return nil }
    let beginnings: [(StaticString, StreamFormat)] = [
        ("/*M!999999\\- enable the sandbox mode */ \n", .mysqldump),
        ("/*!999999\\- enable the sandbox mode */ \n", .mysqldump),
        ("-- MariaDB dump ", .mysqldump), ("-- MySQL dump ", .mysqldump),
        ("--\n-- PostgreSQL database dump\n", .pgDump),
        ("--\n-- PostgreSQL database cluster dump\n", .pgDumpall),
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", .sqlite),
        ("<?xml version=\"1.0\"?>\n<mysqldump ", .mysqldumpXML),
        ("PGDMP", .pgCustom), ("XBSTCK01", .xbstream),
    ]
    for (beginning, format) in beginnings where head.count < beginning.utf8CodeUnitCount {
        let whole = UnsafeRawBufferPointer(
            start: beginning.utf8Start, count: beginning.utf8CodeUnitCount)
        if whole.hasPrefix(Array(head)) { return format }
    }
    let magics: [([UInt8], StreamFormat)] = [
        ([0x1F, 0x8B, 0x08, 0x00], .gzip), ([0x28, 0xB5, 0x2F, 0xFD], .zstd),
        ([0x04, 0x22, 0x4D, 0x18], .lz4), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
        ([0x42, 0x5A, 0x68, 0x39], .bzip2),
    ]
    for (magic, format) in magics where head.count < magic.count && magic.starts(with: head) {
        return format
    }
    return TarHeader.mayBegin(head) ? .tar : nil
}
