/// How a stream is cut into chunks (docs/format.md, section 14).
package struct CuttingRule: Equatable, Sendable {
    package enum Candidates: Sendable {
        case rowEnds
        case general
    }

    /// The number that stands in manifests.
    package let number: UInt16
    package let candidates: Candidates
    /// In bytes; minimum < average < maximum.
    package let minimum: Int
    package let average: Int
    package let maximum: Int

    package init(number: UInt16, candidates: Candidates, minimum: Int, average: Int, maximum: Int) {
        precondition(
            minimum >= 256 && minimum < average && average < maximum, "a rule's lengths ascend")
        self.number = number
        self.candidates = candidates
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// A candidate nearer than this to the one before is dropped.
    static let spacing = 128
    static let weightMaximum = 4096
    /// A line so long is cut between rows, too: MySQL writes many rows in one.
    static let longLine = 4096
    /// Runs of zeros at least this long are no chunks.
    package static let zeroRunMinimum = 16 << 10
    /// What decides looks at so many bytes before a candidate.
    package static let historyBytes = 64
}

/// Gives candidates their keyed values. `Sealing.CutDecider` is the real one.
package protocol CutDeciding: ~Copyable {
    /// - Parameters:
    ///   - positions: offsets from `bytes`; the 64 bytes before each are readable.
    ///   - values: receives one value a position.
    mutating func decide(
        _ bytes: UnsafePointer<UInt8>, positions: UnsafeBufferPointer<Int32>,
        values: UnsafeMutablePointer<UInt32>)
}

/// What the cutter made of some bytes of the window.
package enum Piece: Equatable, Sendable {
    /// A chunk: where it lies in the window.
    case chunk(Range<Int>)
    /// So many zero bytes.
    case zeros(Int)
}
