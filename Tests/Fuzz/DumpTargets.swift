import TestSupport

@testable import DumpFormats

/// What databases stream, and the directories they write. Two bytes before a stream say into which
/// pieces it is cut: what is reported must not depend on that.
func dumpTargets() -> [FuzzTarget] {
    [
        recognition,
        stream(
            "dump-mysql", .mysqldump, { TextWalker() },
            [
                "my-single", "my-databases", "my-gtid", "my-skip-comments", "my-compact",
                "my-dump-slave", "my-two-cut", "my-crlf", "my-wrapped",
            ]),
        stream("dump-xml", .mysqldumpXML, { TextWalker() }, ["my-xml"]),
        stream(
            "dump-postgres", .pgDump, { TextWalker() },
            [
                "pg15-plain", "pg15-inserts", "pg18-statistics", "pg15-no-dollar", "pg15-verbose",
                "pg15-dumpall", "pg15-globals-and-one",
            ]),
        stream("dump-sqlite", .sqlite, { TextWalker() }, ["sqlite-good", "sqlite-damaged"]),
        stream(
            "pg-custom", .pgCustom, { CustomArchiveWalker() },
            ["pg15-custom-z0", "pg15-custom-pipe", "pg15-custom-schema", "pg18-custom-statistics"]),
        stream(
            "tar", .tar, { TarWalker(hash: HashForManifests()) },
            ["tar-gnu", "tar-gnu-sparse", "tar-pax", "tar-pax-sparse", "tar-v7", "pg15-tar"],
            made: [TestArchive.tar(baseBackup)], mending: mendTar),
        stream(
            "xbstream", .xbstream, { XbstreamWalker() }, ["xb-incremental", "xb-compressed"],
            made: [TestArchive.backup(0, 9), TestArchive.backup(9, 12)]),
        compressed("gzip-dump", .gzip, ["my-gzip", "my-gzip-cut", "my-two-gzips", "tar-gzip"]),
        compressed("zstd-dump", .zstd, ["my-zstd", "my-zstd-cut"]),
        stream(
            "zstd-frames", .zstd, opens: { _ in nil }, { FramesWalker(.zstd) },
            ["my-zstd", "my-zstd-cut"]),
        stream("lz4-frames", .lz4, { FramesWalker(.lz4) }, ["my-lz4"]),
        stream("xz-end", .xz, { ClosingBytesWalker(.xz) }, ["my-xz"]),
        stream("bzip2-end", .bzip2, { ClosingBytesWalker(.bzip2) }, ["my-bzip2"]),
        backupManifest, directory, pages, tarHeader,
    ]
}

/// The longest stream that is tried; of longer fixtures the beginning.
private let streamBytesMax = 16 << 10

/// The window that `zstd --long=27` asks for, and what goes with it.
private let windowBytesMax = 144 << 20

private func seed(_ bytes: [UInt8]) -> [UInt8] { [4, 1] + bytes.prefix(streamBytesMax - 2) }

/// Any stream: a reader gathers its first 64 KiB, so pieces decide nothing here.
private let recognition = FuzzTarget(
    name: "dump", inputBytesMax: streamBytesMax, memoryBytesMax: windowBytesMax, share: 25,
    seeds: [
        "my-two", "pg15-plain", "sqlite-good", "raw-csv", "my-xml", "my-gpg", "my-lz4", "my-zip",
        "my-openssl", "my-gzip",
    ].map { seed(unpacked($0)) }
) { input in
    guard input.count >= 2 else { return }
    let bytes = Array(input.dropFirst(2))
    let whole = report(bytes, nil, opensAll)
    check(whole.report, bytes.count)
    let head = bytes.withUnsafeBytes { classify(head: $0, expecting: nil) }
    // The beginning of a first line is more than nothing only where it is all there is.
    mustHold(
        head == whole.report.format || head == .raw, "recognized alike by its head and as a whole")
}

private func compressed(
    _ name: String, _ format: StreamFormat, _ fixtures: [String]
) -> FuzzTarget {
    stream(
        name, format, memory: windowBytesMax, share: 15, opens: opensAll,
        {
            guard let decompressor = opensAll(format) else {
                preconditionFailure("this is opened")
            }
            return CompressedWalker(
                format, decompressor,
                inner: StreamReading(
                    expecting: nil, decompressors: opensAll, hash: { HashForManifests() }, depth: 1)
            )
        }, fixtures)
}

/// A stream that is known to be of a format. Read by its walker in pieces, and by a reader at once.
private func stream(
    _ name: String, _ format: StreamFormat, memory: Int = 64 << 20, share: Int = 25,
    opens: @escaping DecompressorFactory = opensAll,
    _ walker: @escaping @Sendable () -> any StreamWalker,
    _ fixtures: [String], made: @autoclosure @escaping @Sendable () -> [[UInt8]] = [],
    mending: @escaping @Sendable (inout [UInt8]) -> Void = { _ in }
) -> FuzzTarget {
    FuzzTarget(
        name: name, inputBytesMax: streamBytesMax, memoryBytesMax: memory, share: share,
        seeds: (fixtures.map { unpacked($0) } + made()).map(seed)
    ) { input in
        guard input.count >= 2 else { return }
        var bytes = Array(input.dropFirst(2))
        if input[1] & 1 == 1 { mending(&bytes) }
        let pieces = Pieces(input[0], input[1])
        let parts = report(bytes, by: walker(), format, pieces)
        check(parts.report, bytes.count)
        let whole = report(bytes, format, opens)
        // Where it begins like a compressed stream, the reader sees it as that.
        guard whole.report.format == format else { return }
        // Where damage is found, and how much came out before it, is the decompressor's to say.
        if isDamaged(whole.report), isDamaged(parts.report) { return }
        mustHold(whole.report == parts.report, "\(name): pieces decide what is reported")
        mustHold(whole.parts == parts.parts, "\(name): pieces decide which parts are told")
    }
}

private func report(
    _ bytes: [UInt8], _ expecting: StreamFormat?, _ opens: @escaping DecompressorFactory
) -> (report: StreamReport, parts: [ArchivePart]) {
    var reader = DumpReader(
        expecting: expecting, decompressors: opens, hash: { HashForManifests() })
    bytes.withUnsafeBytes { reader.read($0) }
    reader.settle()
    let parts = reader.takeParts()
    _ = (reader.format, reader.backupStart)
    return (reader.finish(), parts)
}

private func report(
    _ bytes: [UInt8], by walker: any StreamWalker, _ format: StreamFormat, _ pieces: Pieces
) -> (report: StreamReport, parts: [ArchivePart]) {
    var (walker, pieces) = (walker, pieces)
    var parts: [ArchivePart] = []
    pieces.each(bytes) {
        walker.read($0)
        parts += walker.takeParts()
    }
    var report = StreamReport(format: format)
    report.byteCount = UInt64(bytes.count)
    walker.finish(&report)
    return (report, parts)
}

private func isDamaged(_ report: StreamReport) -> Bool {
    guard case .missing(_, _, let wanted) = report.end else { return false }
    return report.format.isCompressed && wanted.hasSuffix("(it is damaged here)")
}

/// What must be so of every stream.
private func check(_ report: StreamReport, _ byteCount: Int) {
    mustHold(report.byteCount == UInt64(byteCount), "all bytes are counted")
    let limit = report.innerByteCount ?? report.byteCount
    for table in report.tables {
        for (range, next) in zip(table.ranges, table.ranges.dropFirst()) {
            mustHold(range.upperBound < next.lowerBound, "ranges of a table lie apart")
        }
        mustHold(table.ranges.last.map { $0.upperBound <= limit } ?? true, "tables lie inside")
    }
    // Every byte of a member belongs to it alone.
    let pieces = report.members.flatMap { member in member.pieces.map { (member, $0) } }
        .sorted { $0.1.stream.lowerBound < $1.1.stream.lowerBound }
    var end = 0
    for (member, piece) in pieces {
        mustHold(piece.stream.lowerBound >= end, "members lie apart")
        mustHold(
            piece.offset >= 0 && piece.offset + piece.stream.count <= member.byteCount,
            "pieces lie inside their member")
        end = piece.stream.upperBound
    }
    if report.end == .seen, report.innerByteCount == nil {
        mustHold(end <= byteCount, "members of a whole stream lie inside it")
    }
    // Judging must not trap, either.
    for exit in [nil, ProducerExit.status(0), .status(2), .signal(9)] {
        _ = judge(report, exit: exit, acceptedStatuses: [])
    }
}

// MARK: archives

private let baseBackup: [TestArchive.Part] = [
    .init("backup_label", Array("START WAL LOCATION: 0/3000028 (file 1)\n".utf8)),
    .init("base/5/1", [UInt8](repeating: 7, count: 600)),
    .init("backup_manifest", manifest), .init("global/pg_control", [1, 2, 3]),
]

private let manifest = Array(
    """
    { "PostgreSQL-Backup-Manifest-Version": 2,
    "System-Identifier": 771307515582,
    "Files": [
    { "Path": "base/5/1", "Size": 600, "Last-Modified": "2026-11-28 04:31:09 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "01020304" },
    { "Encoded-Path": "62617365", "Size": 0, "Checksum-Algorithm": "NONE", "Checksum": "" }
    ],
    "WAL-Ranges": [
    { "Timeline": 1, "Start-LSN": "0/3000028", "End-LSN": "0/3000100" }
    ],
    "Manifest-Checksum": "\(String(repeating: "0f", count: 32))"}

    """.utf8)

/// Gives every header of ustar and its heirs the checksum that it should have: nothing behind a wrong one
/// is ever looked at.
@Sendable private func mendTar(_ bytes: inout [UInt8]) {
    for start in stride(from: 0, to: bytes.count - 511, by: 512)
    where bytes[(start + 257)..<(start + 262)].elementsEqual("ustar".utf8) {
        mendHeader(&bytes, at: start)
    }
}

private func mendHeader(_ bytes: inout [UInt8], at start: Int) {
    for index in 148..<156 { bytes[start + index] = UInt8(ascii: " ") }
    var sum = bytes[start..<(start + 512)].reduce(0) { $0 + Int($1) }
    for index in (148..<154).reversed() {
        bytes[start + index] = UInt8(ascii: "0") + UInt8(sum & 7)
        sum >>= 3
    }
}

private let tarHeader = FuzzTarget(
    name: "tar-header", inputBytesMax: 512, share: 200,
    seeds: ["tar-gnu-sparse", "tar-pax", "tar-ustar", "tar-v7"].map {
        Array(unpacked($0).prefix(512))
    }
) { input in
    guard input.count == 512 else { return }
    var block = input
    mendHeader(&block, at: 0)
    for bytes in [input, block] {
        bytes.withUnsafeBytes { bytes in
            guard let header = TarHeader(bytes) else { return }
            mustHold(header.byteCount <= Limits.payloadBytesMax, "lengths can be meant")
            mustHold(!header.path.contains(0) && header.path.count <= 256, "a path has an end")
        }
    }
}

private let backupManifest = FuzzTarget(
    name: "backup-manifest", share: 50, seeds: [[5, 1] + manifest]
) { input in
    guard input.count >= 2 else { return }
    let bytes = Array(input.dropFirst(2))
    let files: [[UInt8]: PassedFile] = [
        Array("base/5/1".utf8): PassedFile(byteCount: 600, checksum: 0x0403_0201)
    ]
    var whole = BackupManifest(hash: HashForManifests())
    bytes.withUnsafeBytes { whole.read($0, files) }
    var parts = BackupManifest(hash: HashForManifests())
    var pieces = Pieces(input[0], input[1])
    pieces.each(bytes) { parts.read($0, files) }
    mustHold(
        whole.checked == parts.checked && whole.unchecked == parts.unchecked
            && whole.fault == parts.fault && whole.systemIdentifier == parts.systemIdentifier,
        "pieces decide what a manifest says")
}

// MARK: directories

/// Names and contents in turn, each behind a zero.
private let directory = FuzzTarget(
    name: "dump-directory", share: 50,
    seeds: [
        [
            "metadata",
            "Started dump at: 2026-11-28\n\tLog: b.000003\n\tPos: 389\nFinished dump at: x\n",
        ],
        [
            "metadata.partial",
            "# Started dump at: x\n# SOURCE_LOG_FILE = \"b\"\n# SOURCE_LOG_POS = 1\n",
        ],
        [
            "@.json", #"{"dumper": "mysqlsh", "binlogFile": "b.2", "binlogPosition": 157}"#,
            "@.done.json", "{}", "a.dumping", "",
        ],
        ["toc.dat", "PGDMP", "3301.dat.gz", ""], ["3301.dat", "", "blobs.toc", ""],
        ["a.txt", "", "a.sql", "", "b.txt", ""],
        [
            "xtrabackup_checkpoints", "backup_type = incremental\nfrom_lsn = 1\nto_lsn = 2\n",
            "xtrabackup_info",
            "tool_name = mariabackup\nbinlog_pos = filename 'b.3', position '389', GTID of the last change '0-1-6'\n",
        ],
        [
            "PG_VERSION", "15", "backup_label", "START WAL LOCATION: 0/3000028 (file 1)\n",
            "global/pg_control", "x",
        ],
    ].map { Array($0.joined(separator: "\0").utf8) }
) { bytes in
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
    var files: [String: [UInt8]] = [:]
    for start in stride(from: 0, to: words.count, by: 2) {
        files[String(decoding: words[start], as: UTF8.self)] =
            start + 1 < words.count ? words[start + 1] : []
    }
    guard let found = DumpDirectory(names: Set(files.keys), contents: { files[$0] }) else { return }
    mustHold(found.report.tool != nil, "what is recognized has a name")
}

// MARK: pages

/// A first byte says which kind of page, the rest is a page or several.
private let pages = FuzzTarget(
    name: "pages", inputBytesMax: 17 << 10, share: 30,
    seeds: [
        [0] + [UInt8](repeating: 0, count: 100), [0] + unpacked("xb-incremental").prefix(16_384),
        [1] + [UInt8](repeating: 9, count: 8192),
    ]
) { input in
    guard let kind = input.first else { return }
    let bytes = Array(input.dropFirst())
    bytes.withUnsafeBytes { bytes in
        let formats: [PageFormat?] = [
            PageFormat.innodb(first: bytes),
            .postgres(firstPage: UInt32(kind) << 24, start: UInt64(kind) << 56),
        ]
        for case let format? in formats {
            for start in stride(from: 0, to: bytes.count, by: format.size) {
                _ = format.verdict(bytes.part(start, start + format.size), number: start)
            }
        }
    }
    _ = PageKind(path: bytes)
}
