/// Tells how much of some bytes is found in others, roughly and fast: by the hashes of the 32-byte
/// windows that a hash itself picks, about one in 64.
package struct Samples {
    /// The hash moves on by two bits a byte: after 32 bytes nothing of a byte is left.
    private static let shift: UInt64 = 2
    /// A window is picked where the upper six bits are zero.
    private static let pickedBelow: UInt64 = 1 << 58
    private static let bitCount = 1 << 17
    private static let windowBytes = 32
    /// Of each such distance so much is looked at, where a part is enough.
    private static let partBytes = 1 << 10
    private static let partDistance = 4 << 10

    /// A bit for each hash that was picked.
    private var bits = [UInt64](repeating: 0, count: bitCount / 64)

    /// How many windows were picked.
    package private(set) var count = 0

    /// The samples of a source.
    package init(of source: UnsafeRawBufferPointer) {
        var count = 0
        // In bounds: a hash names one of `bitCount` bits.
        bits.withUnsafeMutableBufferPointer { bits in
            Self.pick(source) { hash, _ in
                let bit = Self.bit(hash)
                bits[bit >> 6] |= 1 << UInt64(bit & 63)
                count += 1
            }
        }
        self.count = count
    }

    /// A chunk is of use if so small a part of it stands in the source.
    private static let commonPart = 8

    /// How many of a chunk's samples the source has, roughly; nil where it has too little of it.
    func common(with chunk: UnsafeRawBufferPointer) -> Int? {
        let picked = Self.picked(chunk)
        let found = found(in: picked)
        return found * Self.commonPart > picked.count ? found * Self.pickedPart : nil
    }

    /// Of so many windows that a source would pick one is picked of others.
    package static let pickedPart = partDistance / partBytes

    /// What was picked of parts of some bytes, to be looked for in several sources: enough to tell
    /// how much is common, for a quarter of the time.
    package static func picked(_ bytes: UnsafeRawBufferPointer) -> [UInt32] {
        var picked: [UInt32] = []
        picked.reserveCapacity(bytes.count / (48 * partDistance / partBytes) + 16)
        for start in stride(from: 0, to: bytes.count, by: partDistance) {
            let part = bytes[start..<min(start + partBytes, bytes.count)]
            pick(UnsafeRawBufferPointer(rebasing: part)) { hash, _ in
                picked.append(UInt32(truncatingIfNeeded: bit(hash)))
            }
        }
        return picked
    }

    /// How many of the windows that were picked of other bytes the source has, too.
    package func found(in picked: [UInt32]) -> Int {
        // In bounds: what was picked are numbers of bits.
        bits.withUnsafeBufferPointer { bits in
            picked.reduce(0) { $0 + Int(bits[Int($1) >> 6] >> UInt64($1 & 63) & 1) }
        }
    }

    /// The bit that stands for a window.
    @inline(__always)
    private static func bit(_ hash: UInt64) -> Int { Int(hash >> 41) & (bitCount - 1) }

    /// Calls `body` with the hash of each window that is picked, and where it begins.
    @inline(__always)
    static func pick(_ bytes: UnsafeRawBufferPointer, _ body: (_ hash: UInt64, Int) -> Void) {
        guard let base = bytes.baseAddress else { return }
        let weights = self.weights
        var hash: UInt64 = 0
        // In bounds: there is a weight for each value of a byte.
        let first = min(bytes.count, windowBytes - 1)
        for offset in 0..<first {
            hash = hash << shift &+ weights[Int(base.load(fromByteOffset: offset, as: UInt8.self))]
        }
        for offset in first..<bytes.count {
            hash = hash << shift &+ weights[Int(base.load(fromByteOffset: offset, as: UInt8.self))]
            if hash < pickedBelow { body(hash, offset + 1 - windowBytes) }
        }
    }

    /// What each byte adds: 64 mixed bits. Never changed once made, hence shared.
    nonisolated(unsafe) private static let weights: UnsafePointer<UInt64> = {
        let weights = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for value in 0..<256 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            weights[value] = mixed ^ mixed >> 31
        }
        return UnsafePointer(weights)
    }()
}
