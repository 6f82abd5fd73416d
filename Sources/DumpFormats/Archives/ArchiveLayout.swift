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
