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

/// What database pages a file is made of, by its name.
package enum PageKind: Sendable {
    case innodb
    /// Changed pages only, as xtrabackup keeps them.
    case innodbDelta
    case postgres
}

/// What an archive holds, gathered while it passes.
///
/// What cannot be kept (a path that leads out of its directory, a member whose bytes are not simply
/// its content) is left out with a note: the stream itself is whole all the same.
struct ArchiveLayout {
    private var members: [ArchiveMember] = []
    private var disorderly: Set<[UInt8]> = []
    private var numbers: [[UInt8]: Int] = [:]
    private var parts: [ArchivePart] = []
    private var notes: [String] = []
    private var isOverfull = false

    /// The parts that were told since this was last asked.
    mutating func takeParts() -> [ArchivePart] {
        defer { parts.removeAll(keepingCapacity: true) }
        return parts
    }

    /// Takes in a member; one of the same path takes the place of the one before, as it does where
    /// the archive is unpacked.
    mutating func add(_ member: ArchiveMember) {
        if let number = numbers[member.path] {
            members[number] = member
        } else if members.count < Limits.membersMax {
            numbers[member.path] = members.count
            members.append(member)
        } else if !isOverfull {
            isOverfull = true
            note("only the first \(Limits.membersMax) members are listed")
        }
    }

    func has(_ path: [UInt8]) -> Bool { numbers[path] != nil }

    /// Takes in some bytes of a member that come next.
    mutating func add(_ stream: Range<Int>, of path: [UInt8], at offset: Int) {
        guard let number = numbers[path], !stream.isEmpty else { return }
        let end = offset + stream.count
        guard offset >= members[number].pieces.last.map({ $0.offset + $0.stream.count }) ?? 0 else {
            // Written over, or in no order: not what a member's content is.
            disorderly.insert(path)
            return
        }
        if let last = members[number].pieces.last, last.stream.upperBound == stream.lowerBound,
            last.offset + last.stream.count == offset
        {
            let joined = ArchiveMember.Piece(
                stream: last.stream.lowerBound..<stream.upperBound, offset: last.offset)
            members[number].pieces[members[number].pieces.count - 1] = joined
        } else {
            members[number].pieces.append(ArchiveMember.Piece(stream: stream, offset: offset))
        }
        members[number].byteCount = max(members[number].byteCount, end)
        parts.append(
            ArchivePart(
                stream: stream, path: path, offset: offset, pages: PageKind(path: path)))
    }

    /// Tells that a member reaches so far: a hole stands at its end.
    mutating func extend(_ path: [UInt8], to byteCount: Int) {
        guard let number = numbers[path] else { return }
        members[number].byteCount = max(members[number].byteCount, byteCount)
    }

    /// Says in the report what was found.
    func fill(_ report: inout StreamReport) {
        report.members = members.filter { !disorderly.contains($0.path) }
        report.notes += notes
        if !disorderly.isEmpty {
            report.notes.append(
                "\(disorderly.count) members do not come in the order of their bytes: not listed")
        }
    }

    mutating func note(_ text: String) {
        if notes.count < Limits.remarksMax { notes.append(text) }
    }

    /// A path as a member's: without a leading `/` or `./` and without empty components; nil where it
    /// leads out, or nowhere.
    static func relative(_ path: [UInt8]) -> [UInt8]? {
        guard !path.contains(0) else { return nil }
        var kept: [ArraySlice<UInt8>] = []
        for component in path.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) { return nil }
            kept.append(component)
        }
        return kept.isEmpty ? nil : Array(kept.joined(separator: [UInt8(ascii: "/")]))
    }
}

extension PageKind {
    /// InnoDB's tablespaces and what xtrabackup makes of them, PostgreSQL's relations.
    init?(path: [UInt8]) {
        let components = path.split(separator: UInt8(ascii: "/"))
        guard let name = components.last else { return nil }
        if name.has(suffix: ".ibd.delta") {
            self = .innodbDelta
        } else if name.has(suffix: ".ibd") || name.has(suffix: ".ibu")
            || ["ibdata", "undo", "ibtmp"].contains(where: { name.starts(with: $0.utf8) })
        {
            self = .innodb
        } else if components.count >= 2, name.first.map(Self.isDigit) == true,
            components[components.count - 2].elementsEqual("global".utf8)
                || components[components.count - 2].allSatisfy(Self.isDigit)
        {
            // base/5/1259_vm.1 and global/1260, also below pg_tblspc/16385/PG_15_202209061
            self = .postgres
        } else {
            return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func has(suffix: String) -> Bool {
        self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
