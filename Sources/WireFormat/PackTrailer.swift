/// The end of a pack: where its sections lie (docs/format.md, section 7).
package struct PackTrailer: Equatable, Sendable {
    package static let hashBytes = 32
    /// Length field and hash: what a reader looks at first.
    package static let tailBytes = 4 + hashBytes
    private static let sectionsMax = 16
    /// The longest trailer there can be.
    package static let bytesMax = 2 + sectionsMax * 10 + 8 + tailBytes

    package let bodyBytes: Int
    package let directoryBytes: Int
    package let fileBytes: Int

    package init(bodyBytes: Int, directoryBytes: Int) {
        self.bodyBytes = bodyBytes
        self.directoryBytes = directoryBytes
        fileBytes = bodyBytes + directoryBytes + 2 + 2 * 10 + 8 + Self.tailBytes
    }

    /// Where the sealed directory lies in the file.
    package var directory: Range<Int> { bodyBytes..<(bodyBytes + directoryBytes) }
    package var body: Range<Int> { ObjectHeader.byteCount..<bodyBytes }

    /// Everything but the hash at the end.
    package var bytesBeforeHash: [UInt8] {
        var writer = ByteWriter()
        writer.u16(2)
        writer.u16(1)
        writer.u64(bodyBytes)
        writer.u16(2)
        writer.u64(directoryBytes)
        writer.u64(fileBytes)
        writer.u32(writer.count + Self.tailBytes)
        return writer.bytes
    }

    /// - Parameters:
    ///   - tail: the last bytes of the file, at least `bytesMax` of them or all there are.
    ///   - fileBytes: the length of the file.
    package init(tail: [UInt8], fileBytes: Int, what: String) throws(WireError) {
        guard tail.count >= Self.tailBytes, fileBytes <= Limits.objectBytes else {
            throw .malformed("\(what) is malformed: it has \(fileBytes) bytes")
        }
        var end = ByteReader(tail, in: (tail.count - Self.tailBytes)..<tail.count, what: what)
        let length = try end.u32()
        guard length >= 2 + 2 * 10 + 8 + Self.tailBytes, length <= Self.bytesMax,
            length <= tail.count
        else {
            throw end.malformed("its trailer has no possible length")
        }
        var reader = ByteReader(
            tail, in: (tail.count - length)..<(tail.count - Self.tailBytes), what: what)
        let count = try reader.u16()
        guard count >= 2, count <= Self.sectionsMax else {
            throw reader.malformed("it has \(count) sections")
        }
        var lengths: [Int] = []
        var sum = 0
        for index in 0..<count {
            let kind = try reader.u16()
            guard index < 2 ? kind == index + 1 : kind > 2 else {
                throw reader.malformed("its sections are out of order")
            }
            let bytes = try reader.u64()
            guard bytes <= Limits.objectBytes else {
                throw reader.malformed("a section is too long")
            }
            sum += bytes
            lengths.append(bytes)
        }
        self.fileBytes = try reader.u64()
        try reader.finish()
        guard self.fileBytes == fileBytes, sum + length == fileBytes,
            lengths[0] >= ObjectHeader.byteCount
        else {
            throw reader.malformed("its sections do not add up to its length")
        }
        bodyBytes = lengths[0]
        directoryBytes = lengths[1]
    }
}
