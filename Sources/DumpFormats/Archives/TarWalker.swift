/// Follows a tar archive to its two zero blocks. One of pg_basebackup must also hold
/// `global/pg_control`, which pg_basebackup writes last of the data, and where it has one,
/// `backup_manifest` comes after it.
struct TarWalker: StreamWalker {
    private var reader = TarReader()
    private var state = State()
    private var byteCount: UInt64 = 0
    private var zerosAtEnd: UInt64 = 0

    fileprivate struct State {
        var members = 0
        var lastPath = ""
        var isInside = false
        var end: UInt64?
        var lostAt: UInt64?
        var isBaseBackup = false
        var hasControl = false
        var label: [UInt8]?
        var layout = ArchiveLayout()
        var backupStart: UInt64?
        /// Files of a base backup that passed, and the one that is passing.
        var passed: [[UInt8]: PassedFile] = [:]
        var isOverfull = false
        var passing: (path: [UInt8], byteCount: UInt64, checksum: PassingChecksum)?
        var manifest: BackupManifest?
        var isInManifest = false
        var hash: (any PassingHash)?
        var findings = Findings()
    }

    init(hash: (any PassingHash)? = nil) { state.hash = hash }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var state = State()
        swap(&state, &self.state)
        reader.read(bytes) { event in state.take(event) }
        swap(&state, &self.state)
        let zeros = bytes.trailingZeros(upTo: 1_024)
        zerosAtEnd = zeros == bytes.count ? zerosAtEnd + UInt64(zeros) : UInt64(zeros)
        byteCount += UInt64(bytes.count)
    }

    mutating func takeParts() -> [ArchivePart] { state.layout.takeParts() }
    var backupStart: UInt64? { state.backupStart }

    mutating func finish(_ report: inout StreamReport) {
        state.findings.keep("members", "\(state.members)")
        if let manifest = state.manifest {
            state.findings.keep("files checked", "\(manifest.checked)")
            if manifest.unchecked > 0 {
                state.findings.keep("files not checked", "\(manifest.unchecked)")
            }
            manifest.systemIdentifier.map { state.findings.keep("system identifier", $0) }
        }
        state.findings.fill(&report)
        state.layout.fill(&report)
        report.end = end
        if state.lostAt != nil {
            report.notes.append("the tar archive could not be followed to its end")
        }
    }

    private var end: StreamEnd {
        let place = state.lastPath.isEmpty ? "" : "member \(state.lastPath)"
        if let lost = state.lostAt {
            // perhaps an extension not known here: it ends as a tar does
            if zerosAtEnd >= 1_024 { return .notPromised }
            return .missing(at: lost, inside: place, wanted: "a tar header (it is damaged here)")
        }
        guard reader.isAtEnd else {
            return .missing(
                at: byteCount, inside: place, wanted: "the end mark of two zero blocks")
        }
        if let fault = state.manifest?.fault { return .contradicted(by: fault) }
        if state.isBaseBackup, !state.hasControl {
            return .missing(at: byteCount, inside: place, wanted: "the member global/pg_control")
        }
        return .seen
    }
}

extension TarWalker.State {
    fileprivate mutating func take(_ event: TarEvent) {
        switch event {
        case .member(let member):
            if members == 0, member.path == "backup_label" {
                isBaseBackup = true
                label = []
                findings.tool = "pg_basebackup"
            }
            if members == 0, member.path == "toc.dat" { findings.tool = "pg_dump" }
            members += 1
            lastPath = member.path
            lay(member)
            if member.path == "global/pg_control" { hasControl = true }
            if isBaseBackup { pass(member) }
        case .payload(let bytes):
            passing?.checksum.update(bytes)
            if isInManifest { manifest?.read(bytes, passed) }
            if var text = label {
                text.append(contentsOf: bytes.part(0, Limits.metadataBytesMax - text.count))
                label = text
            }
        case .memberEnd:
            endPassing()
            if let text = label { backupStart = findings.keepBackupLabel(text) }
            label = nil
        case .end(let offset): end = offset
        case .lost(let offset): lostAt = offset
        }
    }

    /// A file of a base backup begins.
    private mutating func pass(_ member: TarMember) {
        if member.path == "backup_manifest", manifest == nil {
            manifest = isOverfull ? nil : BackupManifest(hash: hash)
            isInManifest = manifest != nil
            return
        }
        guard member.type == 0 || member.type == UInt8(ascii: "0"), !member.isSparse,
            let path = ArchiveLayout.relative(member.pathBytes)
        else { return }
        manifest?.came(path)
        passing = (path, member.byteCount, PassingChecksum())
    }

    private mutating func endPassing() {
        if isInManifest {
            manifest?.end(passed)
            isInManifest = false
        }
        guard let (path, byteCount, checksum) = passing else { return }
        passing = nil
        guard passed.count < Limits.membersMax else {
            isOverfull = true
            return
        }
        passed[path] = PassedFile(byteCount: byteCount, checksum: checksum.value)
    }

    private mutating func lay(_ member: TarMember) {
        let name = member.path.prefix(200)
        guard let path = ArchiveLayout.relative(member.pathBytes) else {
            // `.` itself is the directory that all goes into
            if member.type != UInt8(ascii: "5") {
                layout.note("the member \(name) leads out of its directory: not listed")
            }
            return
        }
        guard var kind = Self.kind(of: member), member.linkBytes.count <= Limits.memberPathBytesMax
        else { return layout.note("the member \(name) is of a kind not known: not listed") }
        guard !member.isSparse else {
            return layout.note("the member \(name) is stored as a sparse file: not listed")
        }
        var target: [UInt8]?
        if member.type == UInt8(ascii: "1") {
            guard let linked = ArchiveLayout.relative(member.linkBytes),
                let first = layout.member(linked), member.byteCount == 0
            else { return layout.note("the member \(name) is a link to nothing: not listed") }
            // tar keeps a file that was named twice so.
            if linked == path { return }
            target = first.hardLink ?? linked
            kind = first.kind
        }
        var listed = ArchiveMember(path: path, kind: kind)
        listed.mode = member.mode & 0o7777
        listed.owner = UInt32(truncatingIfNeeded: member.owner)
        listed.group = UInt32(truncatingIfNeeded: member.group)
        listed.ownerName = member.ownerName
        listed.groupName = member.groupName
        listed.modified = (member.modified, member.nanoseconds)
        listed.device = member.device
        if kind == .symbolicLink, target == nil { listed.linkTarget = member.linkBytes }
        listed.hardLink = target
        layout.add(listed)
        let sizeMax: UInt64 = 1 << 60
        guard kind == .file, member.byteCount <= sizeMax, member.payloadStart <= sizeMax else {
            return
        }
        let start = Int(member.payloadStart)
        layout.add(start..<(start + Int(member.byteCount)), of: path, at: 0)
    }

    private static func kind(of member: TarMember) -> ArchiveMember.Kind? {
        switch member.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "1"), UInt8(ascii: "7"), UInt8(ascii: "S"):
            // The oldest archives end the name of a directory with a slash.
            member.pathBytes.last == UInt8(ascii: "/") ? .directory : .file
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default: nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// How many of the last bytes are zero, counting no further than `limit`; `count` where all
    /// are.
    fileprivate func trailingZeros(upTo limit: Int) -> Int {
        let zeros = part(from: count - limit).trailingZeros
        return zeros == limit && isZero ? count : zeros
    }
}
