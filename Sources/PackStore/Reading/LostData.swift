import Faults
import WireFormat

/// A chunk that no pack holds.
package struct LostChunk: Explained {
    package let id: ChunkID

    package init(id: ChunkID) { self.id = id }

    package var message: String {
        "a chunk (\(id.description.prefix(12))) is in no pack that is left"
    }
    package var hint: String? {
        "repo check says which snapshots it concerns; adding the same data again heals them"
    }
    package var exitCode: ExitCode { .damage }
}

/// A base that no pack holds.
package struct LostSegment: Explained {
    package let name: PackDirectory.SegmentName

    package init(name: PackDirectory.SegmentName) { self.name = name }

    package var message: String {
        "the base of a delta (segment \(name.number) of envelope \(name.envelope.short)) is in no pack that is left"
    }
    package var hint: String? { "repo check says which snapshots it concerns" }
    package var exitCode: ExitCode { .damage }
}
