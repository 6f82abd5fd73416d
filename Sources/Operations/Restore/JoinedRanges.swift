import WireFormat

/// Ranges of a stream that are wanted, in order; those that touch are one.
struct JoinedRanges {
    private(set) var ranges: [Range<Int>] = []
    private var byteCount = 0

    /// - Parameter range: not empty, behind those before.
    mutating func add(_ range: Range<Int>) {
        byteCount += range.count
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// The ranges where they are less than half of a stream; nil where all of it had better be read.
    func ifFew(of stream: Manifest.Stream) -> [Range<Int>]? {
        2 * byteCount < stream.byteCount ? ranges : nil
    }
}
