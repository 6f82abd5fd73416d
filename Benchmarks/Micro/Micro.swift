import TestSupport

/// `micro`: what each part costs by itself, on made data.
enum Micro {
    static let dataBytes = 32 << 20
    static let frameBytes = 1 << 20
    static let seed: UInt64 = 20_261_121

    static func run(_ arguments: ArraySlice<String>) throws {
        var arguments = arguments
        var (rounds, isJSON) = (7, false)
        while let option = arguments.popFirst() {
            switch option {
            case "--rounds": rounds = try number(arguments.popFirst(), "--rounds")
            case "--json": isJSON = true
            default: throw Misused("micro has no \(option)")
            }
        }
        var figures = Figures(rounds: rounds)
        let text = MadeDump.text(dataBytes, seed: seed)
        try CuttingFigures.take(&figures, text)
        try NamingFigures.take(&figures, text)
        try CompressionFigures.take(&figures, text)
        try SealingFigures.take(&figures, text)
        try IndexFigures.take(&figures)
        print(isJSON ? figures.json : figures.table, terminator: "")
    }
}

extension [UInt8] {
    /// Calls `body` with one part after the other; the last may be shorter.
    func forEachPart(of count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: count) {
                try body(
                    UnsafeRawBufferPointer(
                        rebasing: all[start..<Swift.min(start + count, all.count)]))
            }
        }
    }
}
