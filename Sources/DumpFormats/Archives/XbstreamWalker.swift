/// Follows an xbstream. It is complete when every member has ended and the members that mariabackup
/// and xtrabackup write last are there: `xtrabackup_checkpoints` and `xtrabackup_info` (MariaDB
/// from 11.1: `mariadb_backup_...`).
struct XbstreamWalker: StreamWalker {
    private var reader = XbstreamReader()
    private var state = State()
    private var byteCount: UInt64 = 0

    fileprivate struct State {
        var members = 0
        /// Paths of members that have begun and not ended.
        var open: Set<[UInt8]> = []
        var isOverfull = false
        var path = ""
        var pathBytes: [UInt8] = []
        var lostAt: UInt64?
        var hasCheckpoints = false
        var hasInfo = false
        /// The metadata members that are being kept, by name.
        var texts: [String: [UInt8]] = [:]
        var layout = ArchiveLayout()
        var findings = Findings()
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var state = State()
        swap(&state, &self.state)
        reader.read(bytes) { event in state.take(event) }
        swap(&state, &self.state)
        byteCount += UInt64(bytes.count)
    }

    mutating func takeParts() -> [ArchivePart] { state.layout.takeParts() }

    mutating func finish(_ report: inout StreamReport) {
        state.findings.keep("members", "\(state.members)")
        state.findings.fill(&report)
        state.layout.fill(&report)
        report.end = end
        if let lost = state.lostAt, report.end == .seen {
            report.notes.append(
                "\(describeSize(byteCount - lost)) follow the end of the backup at byte \(lost)")
        }
    }

    private var end: StreamEnd {
        let at = state.lostAt ?? byteCount
        if state.lostAt == nil, !reader.isBetweenChunks {
            return .missing(
                at: at, inside: state.path.isEmpty ? "" : "member \(state.path)",
                wanted: "the rest of its chunk")
        }
        if let path = state.open.min(by: { $0.lexicographicallyPrecedes($1) }) {
            let name = String(decoding: path, as: UTF8.self)
            return .missing(at: at, inside: "member \(name)", wanted: "the end of that member")
        }
        if !state.hasInfo || !state.hasCheckpoints {
            let name = state.hasInfo ? "xtrabackup_checkpoints" : "xtrabackup_info"
            return .missing(at: at, inside: "", wanted: "the member \(name)")
        }
        return state.isOverfull ? .notPromised : .seen
    }
}

extension XbstreamWalker.State {
    fileprivate mutating func take(_ event: XbstreamEvent) {
        switch event {
        case .chunk(let chunk):
            path = chunk.path
            pathBytes = chunk.pathBytes
            lay(chunk)
            guard chunk.kind != .end else {
                if !open.contains(pathBytes) { members += 1 }
                return
            }
            if open.count < Limits.openMembersMax {
                if open.insert(pathBytes).inserted { begin(path) }
            } else {
                isOverfull = true
            }
        case .payload(let bytes):
            guard !texts.isEmpty, var text = texts[path] else { return }
            text.append(contentsOf: bytes.part(0, Limits.metadataBytesMax - text.count))
            texts[path] = text
        case .memberEnd(let path):
            open.remove(pathBytes)
            end(path)
        case .lost(let offset): lostAt = offset
        }
    }

    /// Where the chunk's bytes belong in its member.
    private mutating func lay(_ chunk: XbstreamChunk) {
        guard let path = ArchiveLayout.relative(chunk.pathBytes) else {
            return layout.note("the member \(chunk.path.prefix(200)) has no place: not listed")
        }
        // A member that ended and comes again is another one.
        if layout.member(path) == nil || (!open.contains(chunk.pathBytes) && chunk.kind != .end) {
            layout.add(ArchiveMember(path: path, kind: .file))
        }
        guard chunk.kind != .end else { return }
        let sizeMax: UInt64 = 1 << 60
        guard chunk.start <= sizeMax, chunk.byteCount <= sizeMax, chunk.offset <= sizeMax,
            // Whoever unpacks it wants every chunk where the one before it ended.
            layout.member(path)?.byteCount == Int(chunk.offset)
        else { return layout.distrust(path) }
        var (stream, offset) = (Int(chunk.start), Int(chunk.offset))
        switch chunk.kind {
        case .end: return
        case .payload: layout.add(stream..<(stream + Int(chunk.byteCount)), of: path, at: offset)
        case .sparse:
            let end = stream + Int(chunk.byteCount)
            for (skip, count) in chunk.sparseMap {
                offset += Int(skip)
                let next = min(stream + Int(count), end)
                layout.add(stream..<next, of: path, at: offset)
                offset += next - stream
                stream = next
            }
            layout.extend(path, to: offset)
        }
    }

    private mutating func begin(_ path: String) {
        members += 1
        if path.hasSuffix(".qp") || path.hasSuffix(".lz4") || path.hasSuffix(".zst") {
            findings.warn(
                "the members of this backup are compressed and will not deduplicate: "
                    + "drop --compress"
            )
        }
        if path.hasSuffix(".xbcrypt") {
            findings.warn(
                "the members of this backup are encrypted and will not deduplicate: "
                    + "drop --encrypt")
        }
        let isText = XbstreamWalker.metadata.contains(path)
        if isText, texts.count < XbstreamWalker.metadata.count { texts[path] = [] }
    }

    private mutating func end(_ path: String) {
        let name = XbstreamWalker.plainName(path)
        if name == "xtrabackup_info" || name == "mariadb_backup_info" { hasInfo = true }
        if name == "xtrabackup_checkpoints" || name == "mariadb_backup_checkpoints" {
            hasCheckpoints = true
        }
        if let text = texts.removeValue(forKey: path) { findings.keepXtrabackup(text) }
    }
}

extension XbstreamWalker {
    /// Members that tell of the backup; read where they are not compressed.
    fileprivate static let metadata: Set<String> = [
        "xtrabackup_info", "xtrabackup_checkpoints", "mariadb_backup_info",
        "mariadb_backup_checkpoints",
    ]

    /// A member's name without what `--compress` and `--encrypt` add.
    static func plainName(_ path: String) -> String {
        for suffix in [".xbcrypt", ".qp", ".lz4", ".zst"] where path.hasSuffix(suffix) {
            return plainName(String(path.dropLast(suffix.count)))
        }
        return path
    }
}
