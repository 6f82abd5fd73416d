import ChunkIndex
import ObjectStorage
import Sealing
import WireFormat
import Workers

/// A frame of a pack, or of what a manifest carries, by its number there.
package struct FramePlace: Hashable, Sendable {
    package let directory: OpenDirectory
    package let frame: Int

    package init(directory: OpenDirectory, frame: Int) {
        self.directory = directory
        self.frame = frame
    }

    package static func == (a: FramePlace, b: FramePlace) -> Bool {
        a.frame == b.frame && a.directory.source.name == b.directory.source.name
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(directory.source.name)
        hasher.combine(frame)
    }

    /// The pack it is in; nil in a manifest.
    package var chunkPlace: ChunkPlace? { directory.place(ofFrame: frame) }

    package var depth: Int { Int(directory.frames[frame].depth) }

    /// The names of its chunks, in order.
    package var chunkIDs: [ChunkID] {
        directory.frames[frame].chunks.map { directory.chunks[Int($0)].id }
    }

    /// The pieces that it stands on, one after the other: the frame of each, and its chunks.
    package func bases(
        _ finder: ChunkFinder
    ) throws -> [(place: FramePlace, chunks: [ChunkID])] {
        try directory.basePieces(ofFrame: frame, finder).map { piece in
            (
                FramePlace(directory: piece.directory, frame: piece.frame),
                piece.chunks.map { piece.directory.chunks[$0].id }
            )
        }
    }
}

/// A frame on its way to a repository of other keys: the compressed bytes stay, the seal and all names
/// become others.
package struct OpenedFrame: Sendable {
    package let place: FramePlace
    let stored: Slice
    let plaintext: Slice
    /// Its chunks under the names that they will have.
    package let chunks: [PackDirectory.Chunk]

    var codec: PackDirectory.Codec { place.directory.frames[place.frame].codec }
}

/// Opens and decodes frames, verifies every chunk, and names it as it will be named. One a thread.
package final class FrameOpener: PipelineWorker {
    private let decoder: FrameDecoder
    private let target: DomainContext

    /// - Parameter target: where the frames go.
    package init(
        _ source: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames,
        target: DomainContext
    ) throws {
        decoder = try FrameDecoder(source, finder, shared)
        self.target = target
    }

    package func run(_ place: FramePlace) throws -> OpenedFrame {
        let (stored, plaintext) = try decoder.opened(place.frame, of: place.directory)
        let segment = Int(place.directory.frames[place.frame].segment)
        let namer = try target.keys.namer(
            ofClass: place.directory.contentClass(ofSegment: segment).rawValue)
        let chunks = plaintext.withBytes { plaintext in
            place.directory.frames[place.frame].chunks.map { number in
                let found = FoundChunk(
                    directory: place.directory, frame: place.frame, chunk: Int(number))
                return PackDirectory.Chunk(
                    id: namer.id(of: UnsafeRawBufferPointer(rebasing: plaintext[found.range])),
                    byteCount: found.byteCount)
            }
        }
        return OpenedFrame(place: place, stored: stored, plaintext: plaintext, chunks: chunks)
    }
}
