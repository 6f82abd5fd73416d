/// Cuts one stream by its content. Equal bytes and decider give equal pieces, however they arrive.
///
/// The stream passes through a window that the caller owns: `window[position]` for positions up to
/// `end`, of which the cutter needs those from `keepFrom` on again. Positions are moved with
/// `rebase` when the window moves on.
package struct Cutter {
    package let rule: CuttingRule

    /// Where the chunk being cut began.
    private var start: Int
    /// Positions up to here (exclusive of lookahead) have been searched for candidates.
    private var scanned: Int
    private var lastCandidate: Int
    private var lineStart: Int
    /// Length of the run of zeros that the stream is in, or nil.
    private var zeroRun: Int?

    /// Candidates behind `start`, in order, with value and weight; `next` is the first not yet
    /// decided.
    private var positions: [Int32] = []
    private var values: [UInt32] = []
    private var weights: [UInt16] = []
    private var next = 0
    /// The counted candidate with the least value in this chunk.
    private var least: (value: UInt32, position: Int)?

    private var found: [Int32] = []

    /// - Parameter origin: where the stream begins in the window; 64 zero bytes stand before it.
    package init(rule: CuttingRule, origin: Int = CuttingRule.historyBytes) {
        precondition(origin >= CuttingRule.historyBytes, "64 bytes stand before the stream")
        self.rule = rule
        start = origin
        scanned = origin
        lastCandidate = origin
        lineStart = origin
    }

    /// The first position of the window that is needed again.
    package var keepFrom: Int { start - CuttingRule.historyBytes }

    /// Tells that the window's bytes have moved down by `distance`.
    package mutating func rebase(by distance: Int) {
        start -= distance
        scanned -= distance
        lastCandidate -= distance
        lineStart = max(lineStart - distance, -(1 << 40))
        if let (value, position) = least { least = (value, position - distance) }
        for index in positions.indices { positions[index] -= Int32(distance) }
    }

    /// Cuts what can be cut now and appends it to `pieces`, in order.
    /// - Parameters:
    ///   - end: the end of the bytes in the window; 16 bytes behind it must be readable.
    ///   - isLast: whether the stream ends there; everything is then cut.
    package mutating func cut<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, end: Int, isLast: Bool, decider: inout Decider,
        into pieces: inout [Piece]
    ) {
        while true {
            if let length = zeroRun {
                let runEnd = endOfZeros(window, from: scanned, to: end)
                zeroRun = length + runEnd - scanned
                (start, scanned) = (runEnd, runEnd)
                guard runEnd < end || isLast else { return }
                pieces.append(.zeros(zeroRun!))
                zeroRun = nil
                begin(at: runEnd)
                lastCandidate = runEnd
            }
            let run = nextZeroRun(window, from: scanned, to: end)
            // Zeros at the end may be the beginning of a run; a row end needs to see the byte
            // behind it.
            let open =
                run == nil && !isLast
                ? min(end - 1, startOfZeros(window, before: end, notBefore: scanned)) : end
            let limit = run ?? open
            if limit > scanned {
                list(window, to: limit, end: end, decider: &decider)
                scanned = limit
                decide(window, decider: &decider, into: &pieces)
            }
            if run == nil && !isLast { return }
            if limit > start { pieces.append(.chunk(start..<limit)) }
            begin(at: limit)
            guard run != nil else { return }
            zeroRun = 0
        }
    }

    /// Ends the chunk at `end`, the end of the window, whatever its length: a file ends here.
    package mutating func cutHere<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, end: Int, decider: inout Decider, into pieces: inout [Piece]
    ) {
        cut(window, end: end, isLast: true, decider: &decider, into: &pieces)
        lastCandidate = end
        lineStart = end
    }

    /// Begins anew behind bytes that somebody else has cut.
    mutating func resume(at position: Int) {
        begin(at: position)
        lastCandidate = position
        lineStart = position
    }

    private mutating func begin(at position: Int) {
        start = position
        scanned = position
        least = nil
        positions.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        next = 0
    }

    // MARK: candidates

    private mutating func list<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, to limit: Int, end: Int, decider: inout Decider
    ) {
        found.removeAll(keepingCapacity: true)
        switch rule.candidates {
        case .rowEnds:
            Candidates.rowEnds(
                window, from: scanned, to: limit, end: end, lineStart: &lineStart, into: &found)
        case .general: Candidates.general(window, from: scanned, to: limit, into: &found)
        }
        let known = positions.count
        for position in found where Int(position) - lastCandidate >= CuttingRule.spacing {
            positions.append(position)
            weights.append(UInt16(min(Int(position) - lastCandidate, CuttingRule.weightMaximum)))
            lastCandidate = Int(position)
        }
        let added = positions.count - known
        guard added > 0 else { return }
        values.append(contentsOf: repeatElement(0, count: added))
        positions.withUnsafeBufferPointer { positions in
            values.withUnsafeMutableBufferPointer { values in
                decider.decide(
                    window, positions: UnsafeBufferPointer(rebasing: positions[known...]),
                    values: values.baseAddress! + known)
            }
        }
    }

    // MARK: decisions

    private mutating func decide<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, decider: inout Decider, into pieces: inout [Piece]
    ) {
        let average = UInt64(rule.average)
        while true {
            while next < positions.count {
                let position = Int(positions[next])
                let length = position - start
                if length > rule.maximum { break }
                if length >= rule.minimum {
                    let value = values[next]
                    if least == nil || value < least!.value { least = (value, position) }
                    let weight = UInt64(weights[next]) << 32
                    let isCut =
                        length < rule.average
                        ? UInt64(value) &* (2 &* average) < weight
                        : UInt64(value) &* average < 4 &* weight
                    if isCut {
                        pieces.append(.chunk(start..<position))
                        start = position
                        least = nil
                    }
                }
                next += 1
            }
            guard scanned - start >= rule.maximum else { break }
            let cut =
                least?.position ?? leastGeneral(window, decider: &decider) ?? start + rule.maximum
            pieces.append(.chunk(start..<cut))
            start = cut
            least = nil
            // Candidates passed over as belonging to the chunk before count in this one.
            while next > 0 && Int(positions[next - 1]) > cut { next -= 1 }
        }
        forgetDecided()
    }

    /// Drops candidates that no later chunk can use.
    private mutating func forgetDecided() {
        var gone = 0
        while gone < next && Int(positions[gone]) <= start { gone += 1 }
        guard gone > 0 else { return }
        positions.removeFirst(gone)
        values.removeFirst(gone)
        weights.removeFirst(gone)
        next -= gone
    }

    /// For a text without row ends in reach: the general candidate with the least value.
    private func leastGeneral<Decider: CutDeciding & ~Copyable>(
        _ window: UnsafePointer<UInt8>, decider: inout Decider
    ) -> Int? {
        guard rule.candidates == .rowEnds else { return nil }
        var found: [Int32] = []
        Candidates.general(
            window, from: start + rule.minimum, to: start + rule.maximum, into: &found)
        var last = start + rule.minimum
        let spaced = found.filter { position in
            guard Int(position) - last >= CuttingRule.spacing else { return false }
            last = Int(position)
            return true
        }
        guard !spaced.isEmpty else { return nil }
        var values = [UInt32](repeating: 0, count: spaced.count)
        spaced.withUnsafeBufferPointer { spaced in
            values.withUnsafeMutableBufferPointer {
                decider.decide(window, positions: spaced, values: $0.baseAddress!)
            }
        }
        var best = 0
        for index in values.indices where values[index] < values[best] { best = index }
        return Int(spaced[best])
    }

    // MARK: zeros

    /// Where the next run of at least `zeroRunMinimum` zeros begins, or nil. A run that reaches
    /// `end` counts if it is long enough already.
    private func nextZeroRun(_ window: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int? {
        // A run so long covers eight bytes at some multiple of this stride, wherever it begins.
        let stride = 4096
        var probe = (from + stride - 1) / stride * stride
        while probe + 8 <= end {
            if UnsafeRawPointer(window).loadUnaligned(fromByteOffset: probe, as: UInt64.self) == 0 {
                let first = startOfZeros(window, before: probe, notBefore: from)
                let last = endOfZeros(window, from: probe, to: end)
                if last - first >= CuttingRule.zeroRunMinimum { return first }
                probe = (last + stride) / stride * stride
            } else {
                probe += stride
            }
        }
        return nil
    }

    private func startOfZeros(_ window: UnsafePointer<UInt8>, before end: Int, notBefore floor: Int)
        -> Int
    {
        var position = end
        while position - 8 >= floor,
            UnsafeRawPointer(window).loadUnaligned(fromByteOffset: position - 8, as: UInt64.self)
                == 0
        { position -= 8 }
        while position > floor && window[position - 1] == 0 { position -= 1 }
        return position
    }

    private func endOfZeros(_ window: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int {
        var position = from
        let raw = UnsafeRawPointer(window)
        while position + 32 <= end {
            let words = raw.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt64>.self)
            if words[0] | words[1] | words[2] | words[3] != 0 { break }
            position += 32
        }
        while position < end && window[position] == 0 { position += 1 }
        return position
    }
}
