import ChunkIndex
import ObjectStorage
import PackStore
import Sealing
import Vault
import WireFormat
import Workers

/// Moves what is sound of damaged packs to new ones, segment by segment, as it is sealed.
///
/// A class: it owns threads. Used by one thread.
final class PackSaver {
    private let context: DomainContext
    private let mover: PackMover
    private let reader: SegmentReader
    private let decoder: FrameDecoder
    /// What index objects say of packs, read when a pack does not say it itself.
    private var copies: [ObjectID: PackDirectory]?

    init(_ context: DomainContext, _ index: ChunkIndex, _ surroundings: Surroundings) throws {
        self.context = context
        mover = PackMover(context, index, surroundings)
        reader = SegmentReader(context, pool: SegmentReader.pool())
        decoder = try FrameDecoder(
            context, ChunkFinder(context, index), DecodedFrames(bytesMax: 2 * Limits.closureBytes))
    }

    func stop() { mover.stop() }

    /// Makes all that was moved durable and findable.
    /// - Returns: the packs that it is in.
    func settle() throws -> Set<ObjectID> {
        try mover.settle()
        return mover.packs
    }

    /// - Returns: how many segments were moved, of how many.
    func save(_ pack: ObjectID) throws -> (saved: Int, all: Int) {
        guard let directory = try directory(of: pack) else { return (0, 0) }
        var saved = 0
        for segment in directory.segments.indices {
            do {
                let sealed = try reader.run(SegmentPlace(directory: directory, segment: segment))
                guard try isSound(segment, of: directory) else { continue }
                try mover.add(sealed)
                saved += 1
            } catch  where isDamage(error) {
                continue
            }
        }
        return (saved, directory.segments.count)
    }

    /// As the pack says it itself, or else as an index object does.
    private func directory(of pack: ObjectID) throws -> OpenDirectory? {
        let found: PackDirectory
        do { found = try PackDirectories.read(pack, context).0 } catch  where isDamage(error) {
            guard let copy = try copy(of: pack) else { return nil }
            found = copy
        }
        return OpenDirectory(.pack(.pack(context.domain, pack)), found, context)
    }

    private func copy(of pack: ObjectID) throws -> PackDirectory? {
        if copies == nil {
            var read: [ObjectID: PackDirectory] = [:]
            for id in try IndexKeeper.objects(context) {
                do {
                    for (pack, directory) in try IndexKeeper.readPacks(id, context) {
                        read[pack.id] = directory
                    }
                } catch  where isDamage(error) {
                    continue
                }
            }
            copies = read
        }
        return copies?[pack]
    }

    /// Whether every chunk of a segment is what it should be, as far as what it stands on is there.
    private func isSound(_ segment: Int, of directory: OpenDirectory) throws -> Bool {
        for frame in directory.segments[segment].frames {
            do { try decoder.verify(frame: Int(frame), of: directory) } catch is LostSegment {
            } catch StorageError.missing {
            } catch  where isDamage(error) {
                return false
            }
        }
        return true
    }
}
