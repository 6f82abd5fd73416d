import ChunkIndex
import Faults
import ObjectStorage
import WireFormat

/// Reads segments as they are sealed, by name, from any pack that still holds them. Used by one thread.
package final class SegmentSource {
    private let index: ChunkIndex
    private let directories: PackDirectories
    private let reader: SegmentReader
    private let holders: [ObjectID: [ObjectID]]

    package init(_ context: DomainContext, _ index: ChunkIndex) {
        self.index = index
        directories = PackDirectories(context)
        reader = SegmentReader(context, pool: SegmentReader.pool())
        holders = index.outlines.holders
    }

    /// - Throws: `LostSegment` where no pack has it any more; else the first failure.
    package func segment(_ name: PackDirectory.SegmentName) throws -> SealedSegment {
        var failure: (any Error)?
        for pack in holders[name.envelope] ?? [] {
            do {
                let directory = try directories.directory(of: pack)
                guard let number = directory.segment(named: name) else { continue }
                return try reader.run(SegmentPlace(directory: directory, segment: number))
            } catch StorageError.missing {
                continue
            } catch  where isDamage(error) {
                failure = failure ?? error
            }
        }
        throw failure ?? LostSegment(name: name)
    }
}
