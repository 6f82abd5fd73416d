/// Builds an object, least significant byte first.
package struct ByteWriter {
    package private(set) var bytes: [UInt8]

    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package mutating func u8(_ value: UInt8) { bytes.append(value) }

    package mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func u16(_ value: Int) { integer(UInt16(value)) }
    package mutating func u32(_ value: Int) { integer(UInt32(value)) }
    package mutating func u64(_ value: Int) { integer(UInt64(value)) }

    /// Unsigned LEB128 in its shortest form.
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func varint(_ value: Int) { varint(UInt64(value)) }
    package mutating func raw(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }
    package mutating func zeros(_ count: Int) {
        bytes.append(contentsOf: repeatElement(0, count: count))
    }

    package mutating func id(_ id: some FixedBytes) { raw(id.bytes) }

    package mutating func chunkID(_ id: ChunkID) {
        integer(id.words.0)
        integer(id.words.1)
        integer(id.words.2)
    }

    /// A length as varint, then the bytes.
    package mutating func counted(_ more: [UInt8]) {
        varint(more.count)
        raw(more)
    }
}
