/// A file, directory, link or device in an archive, and where its bytes stand in the stream.
package struct ArchiveMember: Sendable, Equatable {
    package enum Kind: Sendable {
        case file, directory, symbolicLink, characterDevice, blockDevice, fifo
    }

    /// Some bytes of a file that stand side by side in the stream.
    package struct Piece: Sendable, Equatable {
        package let stream: Range<Int>
        /// Where they belong in the file.
        package let offset: Int
    }

    /// Relative, without empty, `.` and `..` components.
    package let path: [UInt8]
    package let kind: Kind
    /// Permission bits; nil where the archive does not keep them (xbstream).
    package var mode: UInt32?
    package var owner: UInt32 = 0
    package var group: UInt32 = 0
    package var ownerName: [UInt8] = []
    package var groupName: [UInt8] = []
    /// Since 1970; nil where the archive does not keep it.
    package var modified: (seconds: Int64, nanoseconds: UInt32)?
    package var linkTarget: [UInt8] = []
    /// Another member of which this is a second name.
    package var hardLink: [UInt8]?
    package var device: (major: UInt32, minor: UInt32) = (0, 0)
    /// In the order of the file. Between them the file has zeros.
    package var pieces: [Piece] = []
    package var byteCount = 0

    package init(path: [UInt8], kind: Kind) {
        self.path = path
        self.kind = kind
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.path == b.path && a.kind == b.kind && a.mode == b.mode && a.owner == b.owner
            && a.group == b.group && a.ownerName == b.ownerName && a.groupName == b.groupName
            && a.modified?.seconds == b.modified?.seconds
            && a.modified?.nanoseconds == b.modified?.nanoseconds && a.linkTarget == b.linkTarget
            && a.hardLink == b.hardLink && a.device == b.device && a.pieces == b.pieces
            && a.byteCount == b.byteCount
    }
}

/// Bytes of a member that come next in the stream: told when what stands before them has been read.
package struct ArchivePart: Sendable, Equatable {
    package let stream: Range<Int>
    package let path: [UInt8]
    /// Where they belong in the member.
    package let offset: Int
    /// Of a member that is made of database pages: whose.
    package let pages: PageKind?

    package var isPages: Bool { pages != nil }
}
