/// What an archive holds, gathered while it passes.
///
/// What cannot be kept (a path that leads out of its directory, a member whose bytes are not simply
/// its content) is left out with a note: the stream itself is whole all the same.
struct ArchiveLayout {
    /// Nil where another member of the same path came later.
    private var members: [ArchiveMember?] = []
    private var pieceCount = 0
    /// Paths that came again: a second name of what stood there before is not one of what stands now.
    private var replaced: Set<[UInt8]> = []
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
            members[number] = nil
            replaced.insert(member.path)
        }
        if members.count < Limits.membersMax {
            numbers[member.path] = members.count
            members.append(member)
        } else if !isOverfull {
            isOverfull = true
            note("only the first \(Limits.membersMax) members are listed")
        }
    }

    func member(_ path: [UInt8]) -> ArchiveMember? { numbers[path].flatMap { members[$0] } }

    /// Leaves a member out: its bytes are not what its content is.
    mutating func distrust(_ path: [UInt8]) { disorderly.insert(path) }

    /// Takes in some bytes of a member that come next.
    mutating func add(_ stream: Range<Int>, of path: [UInt8], at offset: Int) {
        guard let number = numbers[path], var member = members[number], !stream.isEmpty else {
            return
        }
        guard offset >= member.byteCount, pieceCount < Limits.piecesMax else {
            // Written over, or in no order: not what a member's content is.
            return distrust(path)
        }
        // Taken out, so that its pieces are not copied.
        members[number] = nil
        if let last = member.pieces.last, last.stream.upperBound == stream.lowerBound,
            last.offset + last.stream.count == offset
        {
            let joined = ArchiveMember.Piece(
                stream: last.stream.lowerBound..<stream.upperBound, offset: last.offset)
            member.pieces[member.pieces.count - 1] = joined
        } else {
            pieceCount += 1
            member.pieces.append(ArchiveMember.Piece(stream: stream, offset: offset))
        }
        member.byteCount = offset + stream.count
        members[number] = member
        parts.append(
            ArchivePart(
                stream: stream, path: path, offset: offset, pages: PageKind(path: path)))
    }

    /// Tells that a member reaches so far: a hole stands at its end.
    mutating func extend(_ path: [UInt8], to byteCount: Int) {
        guard let number = numbers[path], let known = members[number]?.byteCount else { return }
        members[number]?.byteCount = max(known, byteCount)
    }

    /// Says in the report what was found.
    func fill(_ report: inout StreamReport) {
        report.members = members.compactMap { member in
            guard let member, !disorderly.contains(member.path),
                member.hardLink.map({ !replaced.contains($0) && !disorderly.contains($0) }) ?? true
            else { return nil }
            return member
        }
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
    /// leads out, or nowhere, or is longer than any system takes.
    static func relative(_ path: [UInt8]) -> [UInt8]? {
        guard path.count <= Limits.memberPathBytesMax, !path.contains(0) else { return nil }
        var kept: [ArraySlice<UInt8>] = []
        for component in path.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) { return nil }
            kept.append(component)
        }
        return kept.isEmpty ? nil : Array(kept.joined(separator: [UInt8(ascii: "/")]))
    }
}
