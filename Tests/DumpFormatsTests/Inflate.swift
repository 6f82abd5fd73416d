import DumpFormats

/// Opens gzip streams (RFC 1951, 1952), slowly and without checksums: for reading fixtures, and as
/// a decompressor.
struct Inflate {
    enum Stop: Error { case needsMore, damaged }

    private let bytes: [UInt8]
    private var at: Int
    private var bit: UInt8 = 0
    private(set) var output: [UInt8] = []

    private init(_ bytes: [UInt8], at start: Int) {
        self.bytes = bytes
        at = start
    }

    /// All members that begin in the bytes: what came out, and whether the last one is complete.
    static func gunzip(_ bytes: [UInt8]) -> (output: [UInt8], isComplete: Bool, isDamaged: Bool) {
        var output: [UInt8] = []
        var at = 0
        while at < bytes.count {
            var member = Inflate(bytes, at: at)
            do {
                try member.header()
                try member.blocks()
                try member.align(skipping: 8)
            } catch Stop.damaged {
                return (output + member.output, false, true)
            } catch {
                return (output + member.output, false, false)
            }
            output += member.output
            at = member.at
        }
        return (output, true, false)
    }

    private mutating func byte() throws -> Int {
        guard at < bytes.count else { throw Stop.needsMore }
        at += 1
        return Int(bytes[at - 1])
    }

    private mutating func header() throws {
        guard try byte() == 0x1F, try byte() == 0x8B, try byte() == 8 else { throw Stop.damaged }
        let flags = try byte()
        for _ in 0..<6 { _ = try byte() }
        if flags & 4 != 0 {
            let length = try byte() | byte() << 8
            for _ in 0..<length { _ = try byte() }
        }
        for flag in [8, 16] where flags & flag != 0 {
            while try byte() != 0 {}
        }
        if flags & 2 != 0 { _ = (try byte(), try byte()) }
    }

    private mutating func align(skipping count: Int) throws {
        if bit > 0 {
            bit = 0
            at += 1
        }
        for _ in 0..<count { _ = try byte() }
    }

    private mutating func bits(_ count: Int) throws -> Int {
        var value = 0
        for index in 0..<count {
            guard at < bytes.count else { throw Stop.needsMore }
            value |= Int(bytes[at] >> bit & 1) << index
            bit += 1
            if bit == 8 {
                bit = 0
                at += 1
            }
        }
        return value
    }

    private mutating func blocks() throws {
        while true {
            let isLast = try bits(1) == 1
            switch try bits(2) {
            case 0:
                try align(skipping: 0)
                let length = try byte() | byte() << 8
                _ = (try byte(), try byte())
                for _ in 0..<length { output.append(UInt8(try byte())) }
            case 1: try codes(Code(fixedLiterals: true), Code(fixedLiterals: false))
            case 2: try dynamic()
            default: throw Stop.damaged
            }
            if isLast { return }
        }
    }

    private struct Code {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []

        init(lengths: [Int]) {
            for length in lengths where length > 0 { counts[length] += 1 }
            for length in 1..<16 {
                symbols += lengths.indices.filter { lengths[$0] == length }
            }
        }

        init(fixedLiterals: Bool) {
            self.init(
                lengths: fixedLiterals
                    ? (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
                    : [Int](repeating: 5, count: 30))
        }
    }

    private mutating func symbol(_ code: Code) throws -> Int {
        var value = 0
        var first = 0
        var index = 0
        for length in 1..<16 {
            value |= try bits(1)
            let count = code.counts[length]
            if value - count < first { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Stop.damaged
    }

    private mutating func dynamic() throws {
        let literals = try bits(5) + 257
        let distances = try bits(5) + 1
        let count = try bits(4) + 4
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var lengths = [Int](repeating: 0, count: 19)
        for index in 0..<count { lengths[order[index]] = try bits(3) }
        let code = Code(lengths: lengths)
        lengths = []
        while lengths.count < literals + distances {
            switch try symbol(code) {
            case 16:
                guard let last = lengths.last else { throw Stop.damaged }
                lengths += [Int](repeating: last, count: try bits(2) + 3)
            case 17: lengths += [Int](repeating: 0, count: try bits(3) + 3)
            case 18: lengths += [Int](repeating: 0, count: try bits(7) + 11)
            case let length: lengths.append(length)
            }
        }
        try codes(
            Code(lengths: Array(lengths[..<literals])),
            Code(lengths: Array(lengths[literals..<literals + distances])))
    }

    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ]

    private mutating func codes(_ literals: Code, _ distances: Code) throws {
        while true {
            let value = try symbol(literals)
            if value < 256 {
                output.append(UInt8(value))
                continue
            }
            if value == 256 { return }
            let index = value - 257
            guard index < 29 else { throw Stop.damaged }
            let extra = index < 8 || index == 28 ? 0 : (index - 4) / 4
            let length = Inflate.lengthBase[index] + (try bits(extra))
            let far = try symbol(distances)
            guard far < 30 else { throw Stop.damaged }
            let distance = Inflate.distanceBase[far] + (try bits(far < 4 ? 0 : (far - 2) / 2))
            guard distance <= output.count else { throw Stop.damaged }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }
}

/// Keeps all it was given and opens it again from the start each time: for small streams.
final class GzipForTests: StreamDecompressor {
    private var input: [UInt8] = []
    private var handedOn = 0
    private(set) var reachedEnd = false

    func decompress(_ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void)
        throws
    {
        self.input += input
        let opened = Inflate.gunzip(self.input)
        opened.output.withUnsafeBytes { bytes in
            sink(UnsafeRawBufferPointer(rebasing: bytes[handedOn...]))
        }
        handedOn = opened.output.count
        reachedEnd = opened.isComplete
        if opened.isDamaged { throw DecompressionFault.damaged }
    }
}
