/// The custom format of pg_dump (`-Fc`), archive versions 1.12 to 1.16 (PostgreSQL 9.0 to 18).
///
/// A table of contents, then a block of data for each entry that has any. To a pipe the entries
/// hold no offsets; the archive is complete when the block of every entry with data has ended.
/// Blocks are skipped without being looked at. Source: src/bin/pg_dump/pg_backup_archiver.c
/// (`ReadHead`, `ReadToc`) and pg_backup_custom.c of PostgreSQL.
struct CustomArchiveWalker: StreamWalker {
    /// The fields of the archive in their order. A string is an integer, its length, and the bytes.
    private enum Field: Equatable {
        /// Magic, version, sizes of integers and offsets, format, and in 1.15 the compression.
        case fixed
        case compression
        case date(Int)
        case headString(HeadString)
        case tocCount
        case entry(EntryField)
        case offset
        case blockType
        case blockID
        case chunk
        case object
    }

    private enum HeadString: Int { case database, serverVersion, toolVersion }

    private enum EntryField: Int {
        case dumpID, hadDumper, tableOid, oid, tag, description, section, definition, drop, copy
        case namespace, tablespace, accessMethod, kind, owner, withOids, dependency
    }

    private var fields = FieldReader()
    private var field = Field.fixed
    /// The string that is being read: how many of its bytes are looked at, and how many follow
    /// those.
    private var stringKept: Int?
    private var textSkip: UInt64 = 0
    private var toSkip: UInt64 = 0

    private static let compressionWarning =
        "the data in this archive is compressed and will not deduplicate: say pg_dump -Fc -Z0"

    private var minor: UInt8 = 0
    private var isCompressed = false
    private var intBytes = 4
    private var offsetBytes = 8
    private var entriesLeft: UInt64 = 0
    private var entry = Entry()
    /// Entries whose data must still come, with the tables they belong to.
    private var awaited: [UInt64: Entry] = [:]
    private var awaitedUncounted: UInt64 = 0
    private var block = Entry()
    private var blockStart: UInt64 = 0
    private var isObjectBlock = false

    private var offset: UInt64 = 0
    private var endOffset: UInt64?
    private var isLost = false
    private var isUnknownVersion = false
    private var findings = Findings()

    private struct Entry {
        var id: UInt64 = 0
        var tag = ""
        var description = ""
        var schema = ""
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var input = Input(bytes)
        while input.left > 0, endOffset == nil, !isLost, !isUnknownVersion {
            if toSkip > 0 {
                _ = input.skip(&toSkip)
            } else if field == .chunk, !fields.isInField {
                skipChunks(&input)
            } else {
                step(&input)
            }
        }
        offset += UInt64(bytes.count)
    }

    mutating func finish(_ report: inout StreamReport) {
        findings.tables.end(at: endOffset ?? offset)
        findings.fill(&report)
        if let endOffset {
            report.end = .seen
            if endOffset < offset {
                report.notes.append(
                    "\(describeSize(offset - endOffset)) follow the end of the archive"
                        + " at byte \(endOffset)"
                )
            }
        } else if isUnknownVersion {
            report.end = .notPromised
        } else {
            report.end = .missing(at: offset, inside: place, wanted: wanted)
        }
    }

    // MARK: steps

    /// Reads one field, or the length or the bytes of a string.
    private mutating func step(_ input: inout Input) {
        if let kept = stringKept {
            guard let text = fields.take(kept, &input, { $0.name }) else { return }
            stringKept = nil
            take(text: text)
            return
        }
        let offset = offset
        switch field {
        case .fixed:
            guard let head = fields.take(11, &input, { Array($0) }) else { return }
            if head.withUnsafeBytes({ takeFixed($0) }) { field = .compression }
        case .offset:
            guard let flag = fields.take(1 + offsetBytes, &input, { $0[0] }) else { return }
            entryEnded(flag)
            if endOffset != nil { endOffset = offset + UInt64(input.at) }
        case .blockType:
            guard let type = fields.take(1, &input, { $0[0] }) else { return }
            blockStart = offset + UInt64(input.at) - 1
            findings.tables.end(at: blockStart)
            isObjectBlock = type == 3
            if isCompressed { findings.warn(Self.compressionWarning) }
            if type == 1 || type == 3 { field = .blockID } else { lose() }
        case .compression where minor >= 15:
            guard let method = fields.take(1, &input, { $0[0] }) else { return }
            keepCompression(method == 0 ? 0 : 1)
            field = .date(0)
        default:
            guard let value = fields.take(1 + intBytes, &input, Self.integer) else { return }
            take(value: value)
            if endOffset != nil { endOffset = offset + UInt64(input.at) }
        }
    }

    /// A sign byte, then the magnitude, little-endian.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        let magnitude = bytes.littleEndian(at: 1, bytes: bytes.count - 1)
        let value = Int64(truncatingIfNeeded: magnitude & (UInt64.max >> 1))
        return bytes[0] == 0 ? value : -value
    }

    private mutating func takeFixed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.hasPrefix("PGDMP"), bytes[10] == 1 else {
            lose()
            return false
        }
        minor = bytes[6]
        intBytes = Int(bytes[8])
        offsetBytes = Int(bytes[9])
        findings.tool = "pg_dump"
        findings.keep("archive version", "\(bytes[5]).\(minor)")
        let isKnown =
            bytes[5] == 1 && (12...16).contains(minor) && (1...8).contains(intBytes)
            && (1...8).contains(offsetBytes)
        guard isKnown else {
            isUnknownVersion = true
            findings.note(
                "archive version \(bytes[5]).\(minor) is not known here: "
                    + "its end cannot be looked for"
            )
            return false
        }
        return true
    }

    private mutating func take(value: Int64) {
        switch field {
        case .compression:
            keepCompression(value)
            field = .date(0)
        case .date(let index):
            field = index == 6 ? .headString(.database) : .date(index + 1)
            if index == 6 {
                let length = UInt64(7 * (1 + intBytes))
                let start: UInt64 = minor >= 15 ? 12 : UInt64(12 + intBytes)
                findings.addVolatile(start..<start + length)
            }
        case .headString: beginString(value)
        case .tocCount:
            guard value >= 0 else { return lose() }
            entriesLeft = UInt64(value)
            nextEntry()
        case .entry(let part): take(entryValue: value, part)
        case .blockID: beginBlock(UInt64(bitPattern: value))
        case .chunk:
            guard value >= 0 else { return lose() }
            if value > 0 { toSkip = UInt64(value) } else { chunksEnded() }
        case .object:
            // the number of a large object; 0 after the last
            if value == 0 { blockEnded() } else { field = .chunk }
        case .fixed, .offset, .blockType: lose()
        }
    }

    /// A negative length is no string at all.
    private mutating func beginString(_ length: Int64) {
        guard length > 0 else { return take(text: length == 0 ? "" : nil) }
        let kept = min(Int(clamping: length), keepsText ? Limits.nameBytesMax : 1)
        stringKept = kept
        // skipped once the kept bytes were taken
        textSkip = UInt64(length) - UInt64(kept)
    }

    /// Whether the string being read matters; of the others one byte is looked at.
    private var keepsText: Bool {
        switch field {
        case .headString, .entry(.tag), .entry(.description), .entry(.namespace): true
        default: false
        }
    }

    private mutating func take(text: String?) {
        toSkip = textSkip
        textSkip = 0
        switch field {
        case .headString(let part):
            switch part {
            case .database: findings.add(database: text ?? "")
            case .serverVersion: findings.serverVersion = text
            case .toolVersion: findings.toolVersion = text
            }
            field = HeadString(rawValue: part.rawValue + 1).map { .headString($0) } ?? .tocCount
        case .entry(let part): take(entryText: text, part)
        default: lose()
        }
    }

    // MARK: the table of contents

    private mutating func nextEntry() {
        if entriesLeft == 0 {
            tableOfContentsEnded()
        } else {
            entriesLeft -= 1
            entry = Entry()
            field = .entry(.dumpID)
        }
    }

    private mutating func take(entryValue value: Int64, _ part: EntryField) {
        switch part {
        case .dumpID:
            guard value > 0 else { return lose() }
            entry.id = UInt64(value)
            next(part)
        case .hadDumper, .section, .kind: next(part)
        default: beginString(value)
        }
    }

    private mutating func take(entryText text: String?, _ part: EntryField) {
        switch part {
        case .tag: entry.tag = text ?? ""
        case .description: entry.description = text ?? ""
        case .namespace: entry.schema = text ?? ""
        case .dependency:
            // as many as there are, and one that is no string
            if text == nil { field = .offset }
            return
        default: break
        }
        next(part)
    }

    private mutating func next(_ part: EntryField) {
        var raw = part.rawValue + 1
        if raw == EntryField.accessMethod.rawValue, minor < 14 { raw += 1 }
        if raw == EntryField.kind.rawValue, minor < 16 { raw += 1 }
        field = EntryField(rawValue: raw).map { .entry($0) } ?? .offset
    }

    /// - Parameter flag: 1: data follows, its offset not known; 2: data follows; 3: no data.
    private mutating func entryEnded(_ flag: UInt8) {
        guard (1...3).contains(flag) else { return lose() }
        if flag != 3 {
            if awaited.count < Limits.awaitedEntriesMax {
                awaited[entry.id] = entry
            } else {
                awaitedUncounted += 1
            }
        }
        nextEntry()
    }

    private mutating func tableOfContentsEnded() {
        field = .blockType
        if awaited.isEmpty { endOffset = offset }
    }

    // MARK: blocks

    /// Chunk after chunk, as long as their lengths and their bytes lie in this part.
    private mutating func skipChunks(_ input: inout Input) {
        let bytes = input.bytes
        let head = 1 + intBytes
        // within bounds: `at + head <= count` is checked before a length is read
        while bytes.count - input.at >= head {
            guard bytes[input.at] == 0 else { return lose() }
            let length = bytes.littleEndian(at: input.at + 1, bytes: intBytes)
            input.at += head
            guard length > 0 else {
                chunksEnded()
                if endOffset != nil { endOffset = offset + UInt64(input.at) }
                return
            }
            guard length <= UInt64(bytes.count - input.at) else {
                toSkip = length
                return
            }
            input.at += Int(length)
        }
        if input.left > 0 { step(&input) }
    }

    private mutating func beginBlock(_ id: UInt64) {
        if let found = awaited.removeValue(forKey: id) {
            block = found
        } else if awaitedUncounted > 0 {
            awaitedUncounted -= 1
            block = Entry()
        } else {
            return lose()
        }
        if block.description == "TABLE DATA" {
            findings.tables.begin(
                database: findings.databases.first,
                schema: block.schema.isEmpty ? nil : block.schema,
                name: block.tag, at: blockStart)
        }
        field = isObjectBlock ? .object : .chunk
    }

    private mutating func chunksEnded() {
        if isObjectBlock { field = .object } else { blockEnded() }
    }

    private mutating func blockEnded() {
        field = .blockType
        if awaited.isEmpty, awaitedUncounted == 0 { endOffset = offset }
    }

    // MARK: what is said

    private mutating func keepCompression(_ level: Int64) {
        isCompressed = level != 0
    }

    private mutating func lose() { isLost = true }

    private var place: String {
        switch field {
        case .fixed, .compression, .date, .headString: return "its header"
        case .tocCount, .entry, .offset: return "its table of contents"
        case .blockType where !awaited.isEmpty || awaitedUncounted > 0: return "its data"
        case .blockType: return ""
        case .blockID, .chunk, .object:
            let name = [findings.databases.first, block.schema, block.tag]
                .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ".")
            return block.description == "TABLE DATA" ? "table \(name)" : "the large objects"
        }
    }

    private var wanted: String {
        if isLost { return "the rest of the archive (it is damaged here)" }
        switch field {
        case .fixed, .compression, .date, .headString, .tocCount, .entry, .offset:
            return "the rest of its table of contents"
        default:
            let count = UInt64(awaited.count) + awaitedUncounted
            return count == 0 ? "the end of its data" : "the data of \(count) more entries"
        }
    }
}
