import DumpFormats
import Files
import WireFormat

extension CatalogEntry {
    /// As the members of an archive are kept.
    init(_ member: ArchiveMember) {
        self.init(path: member.path, kind: FileKind(member.kind).rawValue)
        // Where the archive says nothing: what mbstream gives.
        mode = member.mode ?? 0o640
        (user, group) = (member.owner, member.group)
        // Longer ones are no names.
        if member.ownerName.count <= Limits.nameBytes { userName = member.ownerName }
        if member.groupName.count <= Limits.nameBytes { groupName = member.groupName }
        modified = member.modified.map { Time(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
        if let target = member.hardLink {
            hardLink = target
            return
        }
        switch member.kind {
        case .symbolicLink: linkTarget = member.linkTarget
        case .characterDevice, .blockDevice: special = member.device
        default: break
        }
        guard member.byteCount > 0 else { return }
        byteCount = member.byteCount
        var stored: [Range<Int>] = []
        var end = 0
        for piece in member.pieces {
            if piece.offset > end { holes.append(end..<piece.offset) }
            end = piece.offset + piece.stream.count
            if let last = stored.last, last.upperBound == piece.stream.lowerBound {
                stored[stored.count - 1] = last.lowerBound..<piece.stream.upperBound
            } else {
                stored.append(piece.stream)
            }
        }
        if end < byteCount { holes.append(end..<byteCount) }
        ranges = stored
    }
}

extension FileKind {
    init(_ kind: ArchiveMember.Kind) {
        switch kind {
        case .file: self = .file
        case .directory: self = .directory
        case .symbolicLink: self = .symbolicLink
        case .characterDevice: self = .characterDevice
        case .blockDevice: self = .blockDevice
        case .fifo: self = .fifo
        }
    }
}
