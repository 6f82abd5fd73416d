import CLinux

/// Finds a place of new content in its base: where a long stretch of a stream is new, nothing else
/// tells how far it has moved.
package enum Alignment {
    private static let sampleBytes = 32
    private static let samples = 16
    /// So many samples must agree: what stands in one row may stand in many.
    private static let agreeingMin = 3
    /// Samples agree whose distances differ by no more than this part of the content: rows that
    /// have grown.
    private static let driftPart = 16

    /// A place in `source` and the same place in `base`, as far behind in `source` as one is found.
    package static func find(
        _ source: UnsafeRawBufferPointer, in base: UnsafeRawBufferPointer
    ) -> (source: Int, base: Int)? {
        guard let haystack = base.baseAddress, let needles = source.baseAddress,
            source.count >= samples * sampleBytes
        else { return nil }
        var found: [(source: Int, shift: Int)] = []
        for sample in 1...samples {
            // In bounds: the last sample ends where the source does.
            let offset = (source.count - sampleBytes) * sample / samples
            if let match = memmem(haystack, base.count, needles + offset, sampleBytes) {
                found.append((offset, haystack.distance(to: UnsafeRawPointer(match)) - offset))
            }
        }
        found.sort { $0.shift < $1.shift }
        let width = max(1024, source.count / driftPart)
        var best: ArraySlice<(source: Int, shift: Int)> = []
        for first in found.indices {
            let agreeing = found[first...].prefix { $0.shift - found[first].shift <= width }
            if agreeing.count > best.count { best = agreeing }
        }
        guard best.count >= agreeingMin, let last = best.max(by: { $0.source < $1.source }) else {
            return nil
        }
        return (last.source, last.source + last.shift)
    }
}
