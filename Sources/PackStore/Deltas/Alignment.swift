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
    ///
    /// A sample counts where it stands first in the base: what stands everywhere agrees with nothing.
    package static func find(
        _ source: UnsafeRawBufferPointer, in base: UnsafeRawBufferPointer
    ) -> (source: Int, base: Int)? {
        guard let haystack = base.baseAddress, let needles = source.baseAddress,
            source.count >= samples * sampleBytes
        else { return nil }
        let width = max(1024, source.count / driftPart)
        var found: [(source: Int, shift: Int)] = []
        // From the end, since that is the place wanted: the first few that agree tell it.
        for sample in (1...samples).reversed() {
            // In bounds: the last sample ends where the source does.
            let offset = (source.count - sampleBytes) * sample / samples
            guard let match = memmem(haystack, base.count, needles + offset, sampleBytes) else {
                continue
            }
            let shift = haystack.distance(to: UnsafeRawPointer(match)) - offset
            found.append((offset, shift))
            let agreeing = found.filter { abs($0.shift - shift) <= width }
            if agreeing.count == agreeingMin {
                return (agreeing[0].source, agreeing[0].source + agreeing[0].shift)
            }
        }
        return nil
    }
}
