/// AES-128 from FIPS 197, a byte at a time: what the fast one is held against.
struct ReferenceAES128 {
    private let roundKeys: [[UInt8]]

    init(key: [UInt8]) {
        var words = stride(from: 0, to: 16, by: 4).map { Array(key[$0..<($0 + 4)]) }
        var constant: UInt8 = 1
        for index in 4..<44 {
            var word = words[index - 1]
            if index.isMultiple(of: 4) {
                word = [word[1], word[2], word[3], word[0]].map { Self.substitute($0) }
                word[0] ^= constant
                constant = Self.double(constant)
            }
            words.append(zip(words[index - 4], word).map { $0 ^ $1 })
        }
        roundKeys = stride(from: 0, to: 44, by: 4).map { words[$0..<($0 + 4)].flatMap { $0 } }
    }

    func encipher(_ block: [UInt8]) -> [UInt8] {
        var state = Self.xor(block, roundKeys[0])
        for round in 1...10 {
            let substituted = state.map { Self.substitute($0) }
            // Row r of the state moves r columns to the left; bytes stand column by column.
            let shifted = (0..<16).map { substituted[($0 + 4 * ($0 % 4)) % 16] }
            state = Self.xor(round == 10 ? shifted : Self.mixColumns(shifted), roundKeys[round])
        }
        return state
    }

    /// CBC-MAC with a zero initial vector and no padding.
    func cbcMAC(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 16).reduce([UInt8](repeating: 0, count: 16)) {
            encipher(Self.xor($0, Array(bytes[$1..<($1 + 16)])))
        }
    }

    private static func xor(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] { zip(a, b).map { $0 ^ $1 } }

    private static func mixColumns(_ state: [UInt8]) -> [UInt8] {
        (0..<16).map { index in
            let column = index / 4 * 4
            let (a, b) = (state[index], state[column + (index + 1) % 4])
            return double(a) ^ double(b) ^ b ^ state[column + (index + 2) % 4]
                ^ state[column + (index + 3) % 4]
        }
    }

    private static func double(_ byte: UInt8) -> UInt8 { byte << 1 ^ (byte & 0x80 == 0 ? 0 : 0x1b) }

    private static func product(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var (sum, a, b): (UInt8, UInt8, UInt8) = (0, a, b)
        while b != 0 {
            if b & 1 == 1 { sum ^= a }
            a = double(a)
            b >>= 1
        }
        return sum
    }

    private static let substitutions: [UInt8] = (UInt8.min...UInt8.max).map { byte in
        // The inverse is the 254th power; 0 has none and stands for itself.
        var inverse: UInt8 = 1
        for _ in 0..<254 { inverse = product(inverse, byte) }
        var sum: UInt8 = 0x63
        for turn: UInt8 in 0..<5 { sum ^= inverse << turn | inverse >> (8 - turn) }
        return sum
    }

    private static func substitute(_ byte: UInt8) -> UInt8 { substitutions[Int(byte)] }
}
