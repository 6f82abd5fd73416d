import Chunking

/// Decides by a hash of the window that is no secret: enough to cut by content.
struct PlainDecider: CutDeciding {
    mutating func decide(
        _ bytes: UnsafePointer<UInt8>, positions: UnsafeBufferPointer<Int32>,
        values: UnsafeMutablePointer<UInt32>
    ) {
        for (index, position) in positions.enumerated() {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for offset in 1...64 {
                hash = (hash ^ UInt64(bytes[Int(position) - offset])) &* 0x100_0000_01b3
            }
            values[index] = UInt32(truncatingIfNeeded: hash >> 16)
        }
    }
}

/// What cuts a stream that passes through a window.
protocol WindowCutter {
    var keepFrom: Int { get }
    mutating func rebase(by distance: Int)
    mutating func cut<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, end: Int, isLast: Bool, decider: inout Decider,
        into pieces: inout [Piece])
}

extension Cutter: WindowCutter {}
extension SteeredCutter: WindowCutter {}

/// The pieces of a stream that arrives in reads of the sizes given, over and over, in positions of the
/// stream.
/// - Parameter told: called before each cut with how far the stream has been read.
func pieces<Cutting: WindowCutter>(
    _ stream: [UInt8], _ cutter: Cutting, reads: [Int],
    told: (inout Cutting, Int) -> Void = { _, _ in }
) -> [Piece] {
    let history = CuttingRule.historyBytes
    var cutter = cutter
    var decider = PlainDecider()
    var window = [UInt8](repeating: 0, count: history)
    var found: [Piece] = []
    var position = 0
    var moved = 0
    var turn = 0
    repeat {
        let count = min(reads[turn % reads.count], stream.count - position)
        turn += 1
        window += stream[position..<(position + count)]
        position += count
        told(&cutter, position)
        var now: [Piece] = []
        let end = window.count
        (window + [UInt8](repeating: 0xAA, count: 64)).withUnsafeBufferPointer {
            cutter.cut(
                $0.baseAddress!, end: end, isLast: position == stream.count, decider: &decider,
                into: &now)
        }
        for piece in now {
            if case .chunk(let range) = piece {
                let shift = moved - history
                found.append(.chunk((range.lowerBound + shift)..<(range.upperBound + shift)))
            } else {
                found.append(piece)
            }
        }
        let kept = cutter.keepFrom
        window.removeFirst(kept)
        cutter.rebase(by: kept)
        moved += kept
    } while position < stream.count
    return found
}
