import Compression
import TestSupport

/// Compressing frames of 1 MiB by themselves and against what a night before had, and undoing it.
enum CompressionFigures {
    static func take(_ figures: inout Figures, _ text: [UInt8]) throws {
        for level in [1, 3] {
            let frames = try measure(&figures, "zstd \(level)", text, base: [], level: level)
            guard level == 1 else { continue }
            try undo(&figures, "undo zstd 1", frames, text, base: [])
        }
        // The night after: in every two kilobytes a row has another number in it.
        let tonight = changed(text)
        let deltas = try measure(&figures, "zstd 1 with a base", tonight, base: text, level: 1)
        try undo(&figures, "undo zstd 1 with a base", deltas, tonight, base: text)
    }

    /// Compresses frame by frame, each against the same place of `base`.
    private static func measure(
        _ figures: inout Figures, _ what: String, _ text: [UInt8], base: [UInt8], level: Int
    ) throws -> [[UInt8]] {
        var compressor = Compressor()
        var room = [UInt8](repeating: 0, count: Compressor.bound(Micro.frameBytes))
        var frames: [[UInt8]] = []
        try figures.bytes(what, text.count) {
            frames.removeAll(keepingCapacity: true)
            var at = 0
            try text.forEachPart(of: Micro.frameBytes) { part in
                let count = try base.withPart(at, part.count) { base in
                    try room.withUnsafeMutableBytes {
                        try compressor.compress(
                            part, level: level, base: base, into: $0, limit: .max) ?? 0
                    }
                }
                frames.append(Array(room[..<count]))
                at += part.count
            }
        }
        let stored = frames.reduce(0) { $0 + $1.count }
        figures.add("\(what), made smaller by", Double(text.count) / Double(stored), "times")
        return frames
    }

    private static func undo(
        _ figures: inout Figures, _ what: String, _ frames: [[UInt8]], _ text: [UInt8],
        base: [UInt8]
    ) throws {
        var decompressor = Decompressor()
        var room = [UInt8](repeating: 0, count: Micro.frameBytes)
        try figures.bytes(what, text.count) {
            var at = 0
            for frame in frames {
                let count = min(Micro.frameBytes, text.count - at)
                try base.withPart(at, count) { base in
                    try frame.withUnsafeBytes { frame in
                        try room.withUnsafeMutableBytes {
                            try decompressor.decompress(
                                frame, base: base,
                                into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
                        }
                    }
                }
                at += count
            }
        }
        guard room == Array(text[(text.count - Micro.frameBytes)...]) else {
            throw Failed("what was compressed did not come back")
        }
    }

    private static func changed(_ text: [UInt8]) -> [UInt8] {
        var random = SeededRandom(seed: Micro.seed)
        var text = text
        var at = 0
        while let digit = text[at...].firstIndex(where: { (0x30...0x39).contains($0) }) {
            text[digit] = UInt8(ascii: "0") + UInt8(random.number(0...9))
            at = min(text.count, digit + random.number(1...4096))
        }
        return text
    }
}

extension [UInt8] {
    /// Calls `body` with a part of the bytes; of an empty array, with no bytes.
    fileprivate func withPart<R>(
        _ start: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        try withUnsafeBytes {
            try body(isEmpty ? $0 : UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
        }
    }
}
