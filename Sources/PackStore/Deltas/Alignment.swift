/// Finds a place of new content in its base: where a long stretch of a stream is new, nothing else
/// tells how far it has moved.
package enum Alignment {
    /// Less content than this tells too little.
    private static let sourceBytesMin = 512
    /// So many windows must agree: what stands in one row may stand in many.
    private static let agreeingMin = 3
    /// Of so many windows in a row.
    private static let nearbyMax = 16
    /// Windows agree whose distances differ by no more than this part of the content: rows that
    /// have grown, or are statements of their own now.
    private static let driftPart = 16

    /// A window that both have: where it begins in the source, and how much further on in the base.
    private typealias Found = (source: Int, shift: Int)

    /// A place in `source` and the same place in `base`, as far behind in `source` as one is found.
    ///
    /// A window counts that stands once in both: what stands everywhere agrees with nothing.
    package static func find(
        _ source: UnsafeRawBufferPointer, in base: UnsafeRawBufferPointer
    ) -> (source: Int, base: Int)? {
        guard source.count >= sourceBytesMin else { return nil }
        let common = common(source, base)
        let width = max(1024, source.count / driftPart)
        // From the end, since that is the place wanted: the first few that agree tell it.
        for (number, last) in common.enumerated().reversed() {
            let near = common[max(0, number + 1 - nearbyMax)...number]
            if near.count(where: { abs($0.shift - last.shift) <= width }) >= agreeingMin {
                return (last.source, last.source + last.shift)
            }
        }
        return nil
    }

    /// The windows that both have, each once, in the order of the source.
    private static func common(
        _ source: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer
    ) -> [Found] {
        var starts: [UInt64: Int] = [:]
        starts.reserveCapacity(source.count / 48)
        Samples.pick(source) { hash, start in
            if starts.updateValue(start, forKey: hash) != nil { starts[hash] = several }
        }
        var shifts: [Int: Int] = [:]
        Samples.pick(base) { hash, place in
            guard let start = starts[hash], start != several else { return }
            if shifts.updateValue(place - start, forKey: start) != nil { starts[hash] = several }
        }
        return starts.values.compactMap { start in shifts[start].map { (start, $0) } }
            .sorted { $0.source < $1.source }
    }

    /// In the place of where a window begins: it stands there more than once.
    private static let several = -1
}
