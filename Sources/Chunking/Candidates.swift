import CLinux

/// Finds the positions that may become cuts: cheap, public, the same for everybody.
enum Candidates {
    /// Appends to `positions` the general candidates p with `from < p <= to`, unspaced. At least
    /// four bytes must be readable before `from`, and 16 behind `to` (their content does not
    /// matter).
    static func general(
        _ window: UnsafePointer<UInt8>, from: Int, to: Int, into positions: inout [Int32]
    ) {
        // In bounds: loads touch [p - 4, p + 14] of positions p in (from, to], as the contract
        // above allows.
        var p = from + 1
        let base = UnsafeRawPointer(window)
        let first = SIMD8<UInt16>(repeating: 0x9E37)
        let second = SIMD8<UInt16>(repeating: 0x79B5)
        let upper = SIMD8<UInt16>(repeating: 0xFF00)
        let wanted = SIMD8<UInt16>(repeating: 0x5A00)
        while p <= to {
            let at = base + p
            let even0 = at.loadUnaligned(fromByteOffset: -4, as: SIMD8<UInt16>.self)
            let even1 = at.loadUnaligned(fromByteOffset: -2, as: SIMD8<UInt16>.self)
            let odd0 = at.loadUnaligned(fromByteOffset: -3, as: SIMD8<UInt16>.self)
            let odd1 = at.loadUnaligned(fromByteOffset: -1, as: SIMD8<UInt16>.self)
            let even = (((even0 &* first) ^ (even1 &* second)) & upper) .== wanted
            let odd = (((odd0 &* first) ^ (odd1 &* second)) & upper) .== wanted
            let both = unsafeBitCast(even .| odd, to: SIMD2<UInt64>.self)
            if both[0] | both[1] != 0 {
                for lane in 0..<8 {
                    if even[lane], p + 2 * lane <= to { positions.append(Int32(p + 2 * lane)) }
                    if odd[lane], p + 2 * lane + 1 <= to {
                        positions.append(Int32(p + 2 * lane + 1))
                    }
                }
            }
            p += 16
        }
    }

    /// Appends the row ends p with `from < p <= to`, unspaced.
    /// - Parameters:
    ///   - end: where the window's bytes end, `to` or later: what would need to see the byte there
    ///     is none.
    ///   - lineStart: where the line that holds `from` began; moved on.
    static func rowEnds(
        _ window: UnsafePointer<UInt8>, from: Int, to: Int, end: Int, lineStart: inout Int,
        into positions: inout [Int32]
    ) {
        var at = from
        while at < to {
            // In bounds: every search ends before `to`.
            let newline = memchr(window + at, 10, to - at).map {
                window.distance(to: $0.assumingMemoryBound(to: UInt8.self))
            }
            let lineEnd = newline ?? to
            let long = max(at + 1, lineStart + CuttingRule.longLine)
            if long <= lineEnd {
                rowsInLine(window, from: long, to: min(lineEnd, end - 1), into: &positions)
            }
            guard let newline else { return }
            lineStart = newline + 1
            positions.append(Int32(lineStart))
            at = lineStart
        }
    }

    /// Appends the p with `from <= p <= to` before which `),` stands, and at which `(` does.
    private static func rowsInLine(
        _ window: UnsafePointer<UInt8>, from: Int, to: Int, into positions: inout [Int32]
    ) {
        var at = max(0, from - 2)
        while at + 2 <= to {
            guard let found = memchr(window + at, 0x29, to - 1 - at) else { return }
            let close = window.distance(to: found.assumingMemoryBound(to: UInt8.self))
            if window[close + 1] == 0x2C && window[close + 2] == 0x28 && close + 2 >= from {
                positions.append(Int32(close + 2))
            }
            at = close + 1
        }
    }
}
