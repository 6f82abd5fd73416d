import ChunkIndex
import PackStore
import WireFormat

/// Which segments that are kept only because others stand on them are freed by making these anew, because they
/// weigh more than that costs.
struct RebasePlan {
    /// Segments that nothing will have to stand on.
    private(set) var freed: Set<PackDirectory.SegmentName> = []
    /// Frames to be made anew.
    private(set) var frames: [Propped.Frame] = []
    /// Sealed bytes of what is freed, the frames as they are now among it.
    private(set) var bytesFreed = 0
    /// What the frames will take at most.
    private(set) var bytesWritten = 0

    /// - Parameters:
    ///   - sizes: how long frames will be, made anew. One that is not among them stays as it is.
    ///   - wanted: the segments that may be freed; nil for all.
    ///   - unusedMax: a pack of which no more is dead will not be rewritten, so nothing of it would be freed.
    ///   - writtenMax: so many bytes may be written.
    init(
        _ propped: Propped, sizes: [ChunkPlace: Int],
        among wanted: Set<PackDirectory.SegmentName>? = nil, unusedMax: Double, writtenMax: Int
    ) {
        let segments = propped.segments
        var isFreed = segments.map { wanted?.contains($0.name) ?? true }
        for frame in propped.frames where sizes[frame.place] == nil {
            for segment in frame.segments { isFreed[segment] = false }
        }
        while true {
            let cost = Cost(propped, isFreed, sizes, unusedMax: unusedMax)
            // Of those that are not worth it the worse half stays: then others may bear less.
            var staying = Self.worst(segments, cost.shares, isFreed, above: 1)
            if staying.isEmpty {
                staying = segments.indices.filter {
                    isFreed[$0] && !cost.rewritten.contains(segments[$0].pack)
                }[...]
            }
            if staying.isEmpty, cost.bytes > writtenMax {
                staying = Self.worst(segments, cost.shares, isFreed, above: 0, part: 10)
            }
            for number in staying { isFreed[number] = false }
            guard staying.isEmpty else { continue }
            (frames, bytesWritten, bytesFreed) = (cost.frames, cost.bytes, cost.bytesBack)
            break
        }
        for (number, segment) in segments.enumerated() where isFreed[number] {
            freed.insert(segment.name)
            bytesFreed += segment.sealedBytes
        }
    }

    /// The worst of the segments that bear more than such a part of their bytes.
    private static func worst(
        _ segments: [Propped.Segment], _ shares: [Double], _ isFreed: [Bool], above limit: Double,
        part: Int = 2
    ) -> ArraySlice<Int> {
        let ratios = segments.indices.filter { isFreed[$0] }.map { number in
            (number, shares[number] / Double(max(1, segments[number].sealedBytes)))
        }
        let over = ratios.filter { $0.1 > limit }.sorted { ($0.1, $0.0) > ($1.1, $1.0) }
        return over.map { $0.0 }.prefix((over.count + part - 1) / part)
    }
}

extension RebasePlan {
    /// What it costs to free some segments.
    private struct Cost {
        private(set) var bytes = 0
        /// What each segment bears of it.
        private(set) var shares: [Double]
        private(set) var frames: [Propped.Frame]
        /// What is freed where the frames were.
        private(set) var bytesBack = 0
        /// Packs of which enough is dead then that they are rewritten or deleted.
        private(set) var rewritten: Set<ObjectID> = []

        /// Reading and writing cost something, too: what is written must be such a part of what is freed.
        private static let worth = 0.8

        init(
            _ propped: Propped, _ isFreed: [Bool], _ sizes: [ChunkPlace: Int], unusedMax: Double
        ) {
            shares = isFreed.map { _ in 0 }
            frames = propped.frames.filter { $0.segments.contains { isFreed[$0] } }
            var left = propped.homes.map { $0.neededFrames }
            for frame in frames { left[frame.home] -= 1 }
            findRewritten(propped, isFreed, left, unusedMax)
            for (home, left) in zip(propped.homes, left)
            where left == 0 && rewritten.contains(home.pack) {
                bytesBack += home.sealedBytes
            }
            for frame in frames {
                let cost = sizes[frame.place] ?? 0
                bytes += cost
                let home = propped.homes[frame.home]
                let isBack = left[frame.home] == 0 && rewritten.contains(home.pack)
                let back = isBack ? home.sealedBytes / home.neededFrames : 0
                let lost = frame.segments.filter { isFreed[$0] }
                let weight = lost.reduce(0) { $0 + propped.segments[$1].sealedBytes }
                for segment in lost {
                    let part = Double(propped.segments[segment].sealedBytes) / Double(max(1, weight))
                    shares[segment] += (Double(cost) / Self.worth - Double(back)) * part
                }
            }
        }

        private mutating func findRewritten(
            _ propped: Propped, _ isFreed: [Bool], _ left: [Int], _ unusedMax: Double
        ) {
            var dead = propped.packs.mapValues { $0.dead }
            for (number, segment) in propped.segments.enumerated() where isFreed[number] {
                dead[segment.pack, default: 0] += segment.sealedBytes
            }
            for (home, left) in zip(propped.homes, left) where left == 0 {
                dead[home.pack, default: 0] += home.sealedBytes
            }
            for (pack, bytes) in propped.packs
            where Double(dead[pack] ?? 0) > unusedMax * Double(bytes.sealed) {
                rewritten.insert(pack)
            }
        }
    }
}
