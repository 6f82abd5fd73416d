import ChunkIndex
import Synchronization
import WireFormat

/// Which frames of the packs of a domain can be decoded, and which are needed: by frames and the names of
/// segments, because a pack may have lost what some of its frames stood on, and hold others that are
/// whole (docs/pruning.md).
///
/// Outlines are taken apart when they are first asked for, so that a run that touches little reads
/// little.
///
/// A class: the threads of a writer share what is known.
package final class FrameTable: Sendable {
    /// What tables leave out of account: for tests, which prove by it that they would notice.
    package enum Blindness: Sendable {
        /// Frames stand on nothing.
        case bases
        /// Any segment of an envelope will do for any other.
        case names
    }
    @TaskLocal package static var blindness: Blindness?

    private let state: Mutex<State>

    /// - Parameters:
    ///   - usable: packs that may be relied on.
    ///   - avoided: those of them that are taken only where there is no other.
    package init(
        _ outlines: PackOutlines, usable: Set<ObjectID>, avoiding avoided: Set<ObjectID> = []
    ) {
        state = Mutex(
            State(
                outlines: outlines, usable: usable, avoided: avoided,
                blindness: Self.blindness))
    }

    /// Whether a frame is in a pack that may be relied on, and all that it stands on, down to the bottom.
    package func isWhole(_ place: ChunkPlace) -> Bool {
        state.withLock { $0.isWhole(place) }
    }

    /// Marks a frame as needed, with all that it stands on. False where it is not whole.
    @discardableResult
    package func need(_ place: ChunkPlace) -> Bool {
        state.withLock { $0.need(place) }
    }

    /// The same for a frame of a segment, wherever that is.
    @discardableResult
    package func need(_ name: PackDirectory.SegmentName, frame: Int) -> Bool {
        state.withLock { state in state.holder(of: name, frame: frame).map { state.need($0) } ?? false }
    }

    /// Where a segment is that may be relied on; of several places the first.
    package func holder(of name: PackDirectory.SegmentName) -> (pack: ObjectID, segment: Int)? {
        state.withLock { $0.holders(of: name).first }
    }

    /// The segments of a pack that hold a needed frame, by their numbers.
    package func neededSegments(of pack: ObjectID) -> [Int] {
        state.withLock { $0.opened[pack]?.neededSegments ?? [] }
    }

    /// Takes in packs that came to be since.
    package func extend(_ outlines: PackOutlines, by packs: [ObjectID]) {
        state.withLock { $0.extend(outlines, by: packs) }
    }

    /// Marks all frames of a pack that are whole as needed.
    package func needAll(of pack: ObjectID) {
        state.withLock { state in
            for frame in 0..<(state.open(pack)?.outline.frames.count ?? 0) {
                _ = state.need(ChunkPlace(pack: pack, frame: frame))
            }
        }
    }

    /// Every segment that holds a needed frame, and where it is.
    package var needed: [PackDirectory.SegmentName: ObjectID] {
        state.withLock { state in
            var needed: [PackDirectory.SegmentName: ObjectID] = [:]
            for (pack, opened) in state.opened where opened.hasNeeded {
                for segment in opened.neededSegments {
                    needed[opened.outline.segments[segment].name] = pack
                }
            }
            return needed
        }
    }

    /// The outline of a pack; nil where the index does not know it.
    package func outline(of pack: ObjectID) -> PackOutline? {
        state.withLock { $0.open(pack)?.outline }
    }
}

extension FrameTable {
    private struct State {
        private var outlines: PackOutlines
        private var usable: Set<ObjectID>
        private let avoided: Set<ObjectID>
        private let blindness: Blindness?
        private(set) var opened: [ObjectID: OpenedOutline] = [:]

        /// No honest chain of bases is longer.
        private static let stepsMax = Limits.depth

        init(
            outlines: PackOutlines, usable: Set<ObjectID>, avoided: Set<ObjectID>,
            blindness: Blindness?
        ) {
            self.blindness = blindness
            self.outlines = outlines
            self.usable = usable
            self.avoided = avoided
        }

        mutating func extend(_ outlines: PackOutlines, by packs: [ObjectID]) {
            self.outlines = outlines
            usable.formUnion(packs)
            // What was not whole may be now.
            for pack in opened.values {
                for frame in pack.verdicts.indices where pack.verdicts[frame] == .broken {
                    pack.verdicts[frame] = .unknown
                }
            }
        }

        mutating func open(_ pack: ObjectID) -> OpenedOutline? {
            if let known = opened[pack] { return known }
            guard let outline = outlines.outline(of: pack) else { return nil }
            let new = OpenedOutline(outline)
            opened[pack] = new
            return new
        }

        mutating func isWhole(_ place: ChunkPlace, steps: Int = 0) -> Bool {
            guard usable.contains(place.pack), steps <= Self.stepsMax, let pack = open(place.pack),
                place.frame < pack.outline.frames.count
            else { return false }
            switch pack.verdicts[place.frame] {
            case .whole: return true
            case .broken: return false
            case .unknown: break
            }
            // Whoever comes here again while this is asked goes round in a circle, which no writer makes.
            pack.verdicts[place.frame] = .broken
            for base in pack.outline.bases(ofFrame: place.frame) where blindness != .bases {
                let name = pack.outline.baseSegments[Int(base.segment)]
                guard holder(of: name, frame: Int(base.frame), steps: steps + 1) != nil else {
                    return false
                }
            }
            pack.verdicts[place.frame] = .whole
            return true
        }

        mutating func need(_ place: ChunkPlace) -> Bool {
            guard isWhole(place) else { return false }
            var ahead = [place]
            while let place = ahead.popLast() {
                guard let pack = open(place.pack), !pack.isNeeded[place.frame] else { continue }
                pack.isNeeded[place.frame] = true
                pack.hasNeeded = true
                for base in pack.outline.bases(ofFrame: place.frame) where blindness != .bases {
                    let name = pack.outline.baseSegments[Int(base.segment)]
                    if let base = holder(of: name, frame: Int(base.frame)) { ahead.append(base) }
                }
            }
            return true
        }

        /// A frame of a segment where it is whole.
        mutating func holder(
            of name: PackDirectory.SegmentName, frame: Int, steps: Int = 0
        ) -> ChunkPlace? {
            for (pack, segment) in holders(of: name) {
                guard let frames = open(pack)?.outline.segments[segment].frames,
                    frame < frames.count
                else { continue }
                let place = ChunkPlace(pack: pack, frame: frames.lowerBound + frame)
                if isWhole(place, steps: steps) { return place }
            }
            return nil
        }

        mutating func holders(
            of name: PackDirectory.SegmentName
        ) -> [(pack: ObjectID, segment: Int)] {
            var found: [(pack: ObjectID, segment: Int)] = []
            for pack in outlines.holders[name.envelope] ?? [] where usable.contains(pack) {
                if blindness == .names { return [(pack, 0)] }
                if let segment = open(pack)?.segment(named: name) { found.append((pack, segment)) }
            }
            guard found.count > 1, !avoided.isEmpty else { return found }
            return found.filter { !avoided.contains($0.pack) }
                + found.filter { avoided.contains($0.pack) }
        }
    }

    /// An outline that was taken apart, and what is known of its frames.
    ///
    /// A class, so that rows change where they lie. Used under the table's lock only.
    private final class OpenedOutline {
        enum Verdict: UInt8 { case unknown, whole, broken }

        let outline: PackOutline
        var verdicts: [Verdict]
        var isNeeded: [Bool]
        var hasNeeded = false
        private var numbers: [PackDirectory.SegmentName: Int]?

        init(_ outline: PackOutline) {
            self.outline = outline
            verdicts = Array(repeating: .unknown, count: outline.frames.count)
            isNeeded = Array(repeating: false, count: outline.frames.count)
        }

        func segment(named name: PackDirectory.SegmentName) -> Int? {
            if let likely = Int(exactly: name.number), likely < outline.segments.count,
                outline.segments[likely].name == name
            {
                return likely
            }
            let known =
                numbers
                ?? Dictionary(outline.segments.enumerated().map { ($1.name, $0) }) { a, _ in a }
            numbers = known
            return known[name]
        }

        var neededSegments: [Int] {
            guard hasNeeded else { return [] }
            return outline.segments.indices.filter { number in
                outline.segments[number].frames.contains { isNeeded[$0] }
            }
        }
    }
}
