import ChunkIndex
import WireFormat

/// What is needed for others only: segments of which no frame is asked for itself, and the frames that
/// stand on them. Made anew in another way, those would free these.
package struct Propped: Sendable {
    /// A segment that nobody asks for itself.
    package struct Segment: Sendable {
        package let name: PackDirectory.SegmentName
        package let pack: ObjectID
        package let sealedBytes: Int
    }

    /// A segment with frames that stand on such.
    package struct Home: Sendable {
        package let pack: ObjectID
        package let sealedBytes: Int
        /// How many of its frames are needed.
        package let neededFrames: Int
    }

    /// A frame that is asked for itself and stands on such segments.
    package struct Frame: Sendable {
        package let place: ChunkPlace
        /// The segment it is in, by its place in `homes`.
        package let home: Int
        /// The segments, by their places in `segments`, each once.
        package let segments: [Int]
        /// The frames between it and the next ones below it that are asked for themselves.
        package let between: [ChunkPlace]
        /// Whether there are such below it.
        package let isGrounded: Bool
        /// How many frames are below it, down to the bottom.
        let below: Int
    }

    package private(set) var segments: [Segment] = []
    package private(set) var homes: [Home] = []
    /// What stands on others comes after them.
    package internal(set) var frames: [Frame] = []
    /// Sealed bytes of packs: all of them, and those that are not needed.
    package private(set) var packs: [ObjectID: (sealed: Int, dead: Int)] = [:]
    private var homeNumbers: [PackDirectory.SegmentName: Int] = [:]
    private var numbers: [PackDirectory.SegmentName: Int] = [:]

    mutating func add(_ segment: PackOutline.Segment, of pack: ObjectID) {
        guard numbers[segment.name] == nil else { return }
        numbers[segment.name] = segments.count
        segments.append(
            Segment(name: segment.name, pack: pack, sealedBytes: segment.sealedBytes))
    }

    mutating func account(for pack: ObjectID, _ outline: PackOutline, needed: [Int]) {
        let sealed = outline.sealedBytes
        packs[pack] = (sealed, sealed - outline.sealedBytes(of: needed))
    }

    /// The number of a segment with frames that stand on others.
    mutating func home(
        _ segment: PackOutline.Segment, of pack: ObjectID, neededFrames: Int
    ) -> Int {
        if let known = homeNumbers[segment.name] { return known }
        homes.append(
            Home(pack: pack, sealedBytes: segment.sealedBytes, neededFrames: neededFrames))
        homeNumbers[segment.name] = homes.count - 1
        return homes.count - 1
    }

    func number(_ name: PackDirectory.SegmentName) -> Int? { numbers[name] }

    mutating func sort() {
        frames.sort {
            ($0.below, $0.place.pack, $0.place.frame) < ($1.below, $1.place.pack, $1.place.frame)
        }
    }
}
