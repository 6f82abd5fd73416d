/// Cuts a stream of which it is told that some parts are files: each begins and ends with a cut, and
/// those of database pages are cut between pages, so that the same page is always in the same place
/// of the same chunk.
///
/// A part is told before bytes behind its beginning are cut. Equal bytes, parts and decider give
/// equal pieces, however they arrive. Positions are those of `Cutter`, but for parts, which are
/// given in bytes of the stream.
package struct SteeredCutter {
    package enum Content: Sendable {
        /// Database pages, of which no chunk holds more than `SteeredCutter.pagesBytes`.
        case pages
        /// Anything else: cut by what is in it.
        case bytes
    }

    /// Chunks of pages end at multiples of this in their file: the largest page of PostgreSQL, two
    /// of InnoDB's usual ones.
    package static let pagesBytes = 32 << 10

    private struct Part {
        var start: Int
        var end: Int
        let content: Content
        /// Bytes of the file before the part.
        let offset: Int
    }

    private var cutter: Cutter
    /// In the order of the stream, in positions of the window.
    private var parts: [Part] = []
    /// How far the first part has been cut; nil before it has begun.
    private var inside: Int?
    /// Where the stream begins in the window, or would.
    private var origin: Int
    /// Zeros of pages that are not yet a piece.
    private var zeros = 0

    package init(rule: CuttingRule, origin: Int = CuttingRule.historyBytes) {
        cutter = Cutter(rule: rule, origin: origin)
        self.origin = origin
    }

    /// The first position of the window that is needed again.
    package var keepFrom: Int {
        guard let inside, parts[0].content == .pages else { return cutter.keepFrom }
        return inside - CuttingRule.historyBytes
    }

    /// Tells that the window's bytes have moved down by `distance`.
    package mutating func rebase(by distance: Int) {
        cutter.rebase(by: distance)
        origin -= distance
        inside = inside.map { $0 - distance }
        for index in parts.indices {
            parts[index].start -= distance
            parts[index].end -= distance
        }
    }

    /// Tells of a part.
    /// - Parameters:
    ///   - range: bytes of the stream; not empty, behind all parts told before.
    ///   - offset: where the part lies in its file.
    package mutating func add(_ range: Range<Int>, _ content: Content, at offset: Int) {
        let start = origin + range.lowerBound
        precondition(
            !range.isEmpty && start >= parts.last?.end ?? start, "parts come in order")
        parts.append(
            Part(start: start, end: origin + range.upperBound, content: content, offset: offset))
    }

    /// Like `Cutter.cut`.
    package mutating func cut<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, end: Int, isLast: Bool, decider: inout Decider,
        into pieces: inout [Piece]
    ) {
        while let part = parts.first, part.start < end || inside != nil {
            if inside == nil {
                cutter.cutHere(window, end: part.start, decider: &decider, into: &pieces)
                inside = part.start
            }
            let isWhole = part.end <= end
            let limit = min(part.end, end)
            switch part.content {
            case .bytes where isWhole:
                cutter.cutHere(window, end: limit, decider: &decider, into: &pieces)
            case .bytes:
                cutter.cut(
                    window, end: limit, isLast: isLast, decider: &decider, into: &pieces)
            case .pages: cutPages(window, part, to: limit, isLast: isWhole || isLast, into: &pieces)
            }
            guard isWhole else { return }
            inside = nil
            parts.removeFirst()
            if part.content == .pages { cutter.resume(at: part.end) }
        }
        cutter.cut(window, end: end, isLast: isLast, decider: &decider, into: &pieces)
    }

    /// Like `Cutter.cutHere`, outside of parts.
    package mutating func cutHere<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, end: Int, decider: inout Decider, into pieces: inout [Piece]
    ) {
        cutter.cutHere(window, end: end, decider: &decider, into: &pieces)
    }

    /// Cuts at multiples of `pagesBytes` in the file. Blocks of zeros, whole ones and as many as there
    /// are, become one piece.
    private mutating func cutPages(
        _ window: UnsafePointer<UInt8>, _ part: Part, to limit: Int, isLast: Bool,
        into pieces: inout [Piece]
    ) {
        var at = inside ?? part.start
        while at < limit {
            let offset = part.offset + at - part.start
            let next = at + Self.pagesBytes - offset % Self.pagesBytes
            guard next <= limit || isLast else { break }
            let block = at..<min(next, limit)
            let bytes = UnsafeRawBufferPointer(start: window + block.lowerBound, count: block.count)
            if block.count >= CuttingRule.zeroRunMinimum, Self.isZero(bytes) {
                zeros += block.count
            } else {
                endZeros(into: &pieces)
                pieces.append(.chunk(block))
            }
            at = block.upperBound
        }
        inside = at
        if isLast { endZeros(into: &pieces) }
    }

    private mutating func endZeros(into pieces: inout [Piece]) {
        if zeros > 0 { pieces.append(.zeros(zeros)) }
        zeros = 0
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at + 32 <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self)
            if words[0] | words[1] | words[2] | words[3] != 0 { return false }
            at += 32
        }
        return bytes[at...].allSatisfy { $0 == 0 }
    }
}
