import Chunking
import Operations
import PackStore
import Sealing

/// Cutting a stream, as text and as anything else.
enum CuttingFigures {
    private static let rules = [
        (
            "cut text",
            CuttingRule(
                number: 1, candidates: .rowEnds, minimum: 4096, average: 16_384, maximum: 65_536)
        ),
        (
            "cut anything else",
            CuttingRule(
                number: 2, candidates: .general, minimum: 8192, average: 32_768, maximum: 131_072)
        ),
    ]
    /// As much as arrives between two cuts of a real stream.
    private static let windowBytes = 1 << 20

    static func take(_ figures: inout Figures, _ text: [UInt8]) throws {
        let keys = try MadeKeys.context().keys
        // 64 zero bytes stand before the stream, and some may be read behind it.
        let history = CuttingRule.historyBytes
        let stream =
            [UInt8](repeating: 0, count: history) + text + [UInt8](repeating: 0, count: history)
        for (what, rule) in rules {
            var pieces: [Piece] = []
            try figures.bytes(what, text.count) {
                pieces.removeAll(keepingCapacity: true)
                var cutter = Cutter(rule: rule)
                var decider = try keys.cutDecider()
                stream.withUnsafeBufferPointer { stream in
                    guard let base = stream.baseAddress else { return }
                    for end in stride(from: windowBytes, through: text.count, by: windowBytes) {
                        cutter.cut(
                            base, end: history + end, isLast: end == text.count, decider: &decider,
                            into: &pieces)
                    }
                }
            }
            figures.add("\(what), mean chunk", Double(text.count) / Double(pieces.count), "bytes")
        }
    }
}
