import ObjectStorage
import WireFormat

/// Tells a far store what the stretches of a stream need, before they are decoded: their segments, and all
/// that these stand on. Used by one thread.
package struct FetchPlan {
    private let store: FetchingStore
    private let finder: ChunkFinder
    /// Stretches not told of yet.
    private var gathered: [[NeededSegment]] = []
    private var gatheredBytes = 0
    /// What was told and not yet done, oldest first.
    private var expected: [Expected] = []
    private var done = 0

    /// So many bytes of a stream are told of at once: the more, the longer the ranges.
    private static let batchBytes = 64 << 20

    package init(_ store: FetchingStore, _ finder: ChunkFinder) {
        self.store = store
        self.finder = finder
    }

    /// Whether the next stretches should be told of already.
    package var wantsMore: Bool { store.wantsMore }
    /// Whether what was gathered is enough to be told.
    package var isFull: Bool { gatheredBytes >= Self.batchBytes }

    /// Takes in the stretch that comes next.
    package mutating func gather(_ stretch: Stretch) {
        var frames: [(directory: OpenDirectory, number: Int)] = []
        for chunk in stretch.chunks
        where frames.last?.directory !== chunk.directory || frames.last?.number != chunk.frame {
            frames.append((chunk.directory, chunk.frame))
        }
        gather(frames, byteCount: stretch.byteCount)
    }

    /// Takes in frames that are decoded together, and next.
    package mutating func gather(
        _ frames: [(directory: OpenDirectory, number: Int)], byteCount: Int
    ) {
        var needs: [NeededSegment] = []
        var seen: Set<Name> = []
        // What is asked for first stands first.
        var ahead = Array(frames.reversed())
        while let (directory, number) = ahead.popLast(), seen.count < Self.framesMax {
            guard seen.insert(Name(directory, number)).inserted else { continue }
            let frame = directory.frames[number]
            needs.append(NeededSegment(directory: directory, segment: Int(frame.segment)))
            guard frame.codec == .delta else { continue }
            // Whoever decodes it says what is wrong with it.
            for piece in (try? directory.basePieces(ofFrame: number, finder)) ?? [] {
                ahead.append((piece.directory, piece.frame))
            }
        }
        gathered.append(needs)
        gatheredBytes += byteCount
    }

    /// Tells what was gathered.
    /// - Parameter goesOn: whether the stream goes on behind it.
    package mutating func tell(goesOn: Bool) {
        guard !gathered.isEmpty else { return }
        expected += store.expect(gathered, goesOn: goesOn)
        gathered = []
        gatheredBytes = 0
    }

    /// The oldest stretch that was told of has been decoded.
    package mutating func stretchDone() {
        store.done(expected[done])
        done += 1
        if done == expected.count || done >= 256 {
            expected.removeFirst(done)
            done = 0
        }
    }

    /// Lets go of all that was told.
    package mutating func end() {
        while done < expected.count { stretchDone() }
    }

    /// A hostile directory must not ask for the world.
    private static let framesMax = 16 * Limits.closureFrames

    private struct Name: Hashable {
        let directory: ObjectIdentifier
        let frame: Int

        init(_ directory: OpenDirectory, _ frame: Int) {
            self.directory = ObjectIdentifier(directory)
            self.frame = frame
        }
    }
}
