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
    ///   - shunned: segments that must not be relied on, wherever they are.
    package init(
        _ outlines: PackOutlines, usable: Set<ObjectID>, avoiding avoided: Set<ObjectID> = [],
        shunning shunned: Set<PackDirectory.SegmentName> = []
    ) {
        state = Mutex(
            State(
                outlines: outlines, usable: usable, avoided: avoided, shunned: shunned,
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

    /// The same for a frame of a segment, wherever that is. It is asked for by its place in that segment, so
    /// that nothing can take the place of it, or of what it stands on.
    @discardableResult
    package func need(_ name: PackDirectory.SegmentName, frame: Int) -> Bool {
        state.withLock { state in
            guard let place = state.holder(of: name, frame: frame) else { return false }
            state.fix(place)
            return state.need(place)
        }
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

    /// What is needed for others only, and what needs it.
    package var propped: Propped { state.withLock { $0.propped } }
}

extension FrameTable {
    private struct State {
        private var outlines: PackOutlines
        private var usable: Set<ObjectID>
        private let avoided: Set<ObjectID>
        private let shunned: Set<PackDirectory.SegmentName>
        private let blindness: Blindness?
        private(set) var opened: [ObjectID: OpenedOutline] = [:]

        /// No honest chain of bases is longer.
        private static let stepsMax = Limits.depth

        init(
            outlines: PackOutlines, usable: Set<ObjectID>, avoided: Set<ObjectID>,
            shunned: Set<PackDirectory.SegmentName>, blindness: Blindness?
        ) {
            self.shunned = shunned
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
            guard
                shunned.isEmpty
                    || !shunned.contains(pack.outline.segment(ofFrame: place.frame).name)
            else { return false }
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
            open(place.pack)?.isNamed[place.frame] = true
            var ahead = [place]
            while let place = ahead.popLast() {
                guard let pack = open(place.pack), !pack.isNeeded[place.frame] else { continue }
                pack.isNeeded[place.frame] = true
                pack.hasNeeded = true
                ahead += bases(of: place, in: pack)
            }
            return true
        }

        mutating func fix(_ place: ChunkPlace) {
            var ahead = [place]
            while let place = ahead.popLast() {
                guard let pack = open(place.pack), !pack.isFixed[place.frame] else { continue }
                pack.isFixed[place.frame] = true
                ahead += bases(of: place, in: pack)
            }
        }

        /// Where the frames are that a frame stands on.
        private mutating func bases(of place: ChunkPlace, in pack: OpenedOutline) -> [ChunkPlace] {
            guard blindness != .bases else { return [] }
            return pack.outline.bases(ofFrame: place.frame).compactMap { base in
                let name = pack.outline.baseSegments[Int(base.segment)]
                return holder(of: name, frame: Int(base.frame))
            }
        }

        var propped: Propped {
            mutating get {
                var propped = Propped()
                for (id, pack) in opened.sorted(by: { $0.key < $1.key }) where pack.hasNeeded {
                    let needed = pack.neededSegments
                    for number in needed where !pack.isWanted(number) {
                        propped.add(pack.outline.segments[number], of: id)
                    }
                    propped.account(for: id, pack.outline, needed: needed)
                }
                for (id, pack) in opened where pack.hasNeeded {
                    for frame in pack.isNamed.indices where pack.isNamed[frame] {
                        lean(ChunkPlace(pack: id, frame: frame), pack, &propped)
                    }
                }
                propped.sort()
                return propped
            }
        }

        /// Takes in a frame that is asked for itself, if it stands on props.
        private mutating func lean(
            _ place: ChunkPlace, _ pack: OpenedOutline, _ propped: inout Propped
        ) {
            var (next, further) = (bases(of: place, in: pack), [ChunkPlace]())
            var (between, segments) = ([ChunkPlace](), Set<Int>())
            var seen: Set<ChunkPlace> = []
            var isGrounded = false
            // First what is next to it, then what those stand on that are asked for themselves.
            while let base = next.popLast() {
                guard seen.insert(base).inserted, let pack = open(base.pack) else { continue }
                if pack.isNamed[base.frame] || pack.isFixed[base.frame] {
                    isGrounded = true
                    further += bases(of: base, in: pack)
                } else {
                    between.append(base)
                    next += bases(of: base, in: pack)
                }
            }
            while let base = further.popLast() {
                guard seen.insert(base).inserted, let pack = open(base.pack) else { continue }
                further += bases(of: base, in: pack)
            }
            for base in seen {
                guard let segment = open(base.pack)?.outline.segment(ofFrame: base.frame),
                    let number = propped.number(segment.name)
                else { continue }
                segments.insert(number)
            }
            guard !segments.isEmpty else { return }
            let own = pack.outline.segment(ofFrame: place.frame)
            let home = propped.home(
                own, of: place.pack, neededFrames: own.frames.count { pack.isNeeded[$0] })
            propped.frames.append(
                Propped.Frame(
                    place: place, home: home, segments: segments.sorted(), between: between,
                    isGrounded: isGrounded, below: seen.count))
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
        /// Of those, the ones that are asked for themselves, for their chunks.
        var isNamed: [Bool]
        /// And the ones that nothing can take the place of.
        var isFixed: [Bool]
        var hasNeeded = false
        private var numbers: [PackDirectory.SegmentName: Int]?

        init(_ outline: PackOutline) {
            self.outline = outline
            verdicts = Array(repeating: .unknown, count: outline.frames.count)
            isNeeded = Array(repeating: false, count: outline.frames.count)
            (isNamed, isFixed) = (isNeeded, isNeeded)
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

        /// Whether some frame of a segment is not needed for others alone.
        func isWanted(_ segment: Int) -> Bool {
            outline.segments[segment].frames.contains { isNamed[$0] || isFixed[$0] }
        }

        var neededSegments: [Int] {
            guard hasNeeded else { return [] }
            return outline.segments.indices.filter { number in
                outline.segments[number].frames.contains { isNeeded[$0] }
            }
        }
    }
}
