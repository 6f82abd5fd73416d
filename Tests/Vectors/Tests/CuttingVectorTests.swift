import Chunking
import Sealing
import TestSupport
import Testing
import WireFormat

/// The decider of a domain, as the cutter wants it.
private struct KeyedDecider: CutDeciding, ~Copyable {
    var decider: CutDecider

    init(_ key: [UInt8]) throws {
        let keys = DomainKeys(
            domain: 0, chunkIDs: secret([1]), cuts: secret(key), listIDs: secret([1]),
            index: secret([1]), auth: secret([1]))
        decider = try keys.cutDecider()
    }

    mutating func decide(
        _ bytes: UnsafePointer<UInt8>, positions: UnsafeBufferPointer<Int32>,
        values: UnsafeMutablePointer<UInt32>
    ) {
        decider.decide(bytes, positions: positions, values: values)
    }
}

struct CuttingVectorTests {
    @Test func `values of candidates are those of the vectors`() throws {
        try checkVectors("cut-values") { vector in
            var decider = try KeyedDecider(vector["key"])
            let window = [UInt8](repeating: 0, count: 64) + vector["bytes"]
            let positions = vector.all("position").map { Int32(number($0)) + 64 }
            var values = [UInt32](repeating: 0, count: positions.count)
            try window.withUnsafeBufferPointer { window in
                let base = try #require(window.baseAddress)
                positions.withUnsafeBufferPointer { positions in
                    values.withUnsafeMutableBufferPointer {
                        decider.decide(base, positions: positions, values: $0.baseAddress!)
                    }
                }
            }
            return [("values", values.flatMap { little($0) })]
        }
    }

    private func stream(_ vector: VectorCase) -> [UInt8] {
        var stream: [UInt8] = []
        for (name, value) in vector.lines {
            switch name {
            case "bytes": stream += value
            case "repeated": stream += [UInt8](repeating: value[4], count: number(value.prefix(4)))
            case "hashed":
                var hashed: [UInt8] = []
                let count = number(value.prefix(4))
                for block in 0..<UInt32((count + 31) / 32) {
                    hashed += SHA256.hash(Array(value.dropFirst(4)), little(block))
                }
                stream += hashed.prefix(count)
            default: break
            }
        }
        return stream
    }

    private func pieces(_ vector: VectorCase, _ stream: [UInt8]) throws -> [Piece] {
        let sizes = numbers(vector["sizes"], 4, 4, 4)
        let isText = vector.byte("rule") == 1
        var cutter = Cutter(
            rule: CuttingRule(
                number: UInt16(vector.byte("rule")), candidates: isText ? .rowEnds : .general,
                minimum: sizes[0],
                average: sizes[1], maximum: sizes[2]))
        var decider = try KeyedDecider(vector["K_cut"])
        let history = CuttingRule.historyBytes
        let window =
            [UInt8](repeating: 0, count: history) + stream + [UInt8](repeating: 0xaa, count: 64)
        var found: [Piece] = []
        try window.withUnsafeBufferPointer {
            cutter.cut(
                try #require($0.baseAddress), end: history + stream.count, isLast: true,
                decider: &decider, into: &found)
        }
        return found
    }

    @Test func `streams are cut where the vectors say`() throws {
        try checkVectors("cuts") { vector in
            let stream = stream(vector)
            var (end, ends, zeros): (Int, [UInt8], [UInt8]) = (0, [], [])
            for piece in try pieces(vector, stream) {
                switch piece {
                case .chunk(let range):
                    #expect(range.lowerBound == end + CuttingRule.historyBytes)
                    end = range.upperBound - CuttingRule.historyBytes
                    zeros.append(0)
                case .zeros(let count):
                    end += count
                    zeros.append(1)
                }
                ends += little(UInt32(end))
            }
            #expect(end == stream.count)
            return [("stream hash", SHA256.hash(stream)), ("ends", ends), ("zeros", zeros)]
        }
    }
}
