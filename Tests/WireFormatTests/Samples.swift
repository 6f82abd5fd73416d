import WireFormat

// Tests/Fuzz begins with these, too, and has no Testing.

/// An object with the decoder that belongs to it.
struct Sample: Sendable {
    enum Shape { case wideFields, narrowFields, fixed }

    let name: String
    let shape: Shape
    let bytes: [UInt8]
    /// Decodes, and encodes what came of it.
    let again: @Sendable ([UInt8]) throws -> [UInt8]

    var fields: [RawField] {
        shape == .narrowFields ? RawField.parseNarrow(bytes) : RawField.parseWide(bytes)
    }

    func joined(_ fields: [RawField]) -> [UInt8] {
        shape == .narrowFields ? RawField.narrow(fields) : RawField.wide(fields)
    }
}

func objectID(_ seed: UInt8) -> ObjectID { ObjectID((0..<16).map { seed &+ $0 &* 7 }) }
func chunkID(_ seed: UInt8) -> ChunkID { ChunkID((0..<24).map { seed &+ $0 &* 11 }) }
func block(_ seed: UInt8, _ count: Int = 32) -> [UInt8] {
    (0..<count).map { seed &+ UInt8(truncatingIfNeeded: $0) &* 3 }
}
let domain = DomainID([1, 2, 3, 4, 5, 6, 7, 8])

enum Samples {
    static let all: [Sample] = withFields + fixed
    static let withFields = wide + narrow

    static let config = Config(
        repository: objectID(1), textCutting: .init(minimum: 256, average: 257, maximum: 258),
        generalCutting: .init(minimum: 8192, average: 32768, maximum: 1 << 20),
        consistency: .eventual,
        created: -1, rootCheck: block(2, 16))

    static var slot: KeySlot {
        var slot = KeySlot(
            secret: .password, kind: .write, log2N: 16, r: 8, p: 2, created: 1_700_000_000_000,
            repository: objectID(1), id: objectID(2), salt: block(3))
        slot.commitment = block(4)
        slot.ciphertext = block(5, 300)
        return slot
    }

    /// A bundle in which every key is a block of its own.
    static func bundle(_ kind: KeySlot.KeyKind, label: String? = "Grüße, 例") -> [UInt8] {
        let blank = KeyBundle.blank(
            kind, config: config.bytesBeforeHash, domain: kind == .write ? domain : nil,
            label: kind == .full ? nil : label)
        return filled(blank) { block(UInt8($0.rawValue), $0.byteCount) }
    }

    /// A bundle with its keys in place.
    static func filled(_ blank: [UInt8], _ value: (KeyBundle.Key) -> [UInt8]) -> [UInt8] {
        var bytes = blank
        guard let bundle = try? KeyBundle(blank, what: "bundle") else { return [] }
        for (key, place) in bundle.keys { bytes.replaceSubrange(place, with: value(key)) }
        return bytes
    }

    /// Reads a bundle and makes it again.
    static func bundleAgain(_ bytes: [UInt8]) throws -> [UInt8] {
        let read = try KeyBundle(bytes, what: "bundle")
        // Only what is there: a bundle that lacks a key is not written again.
        var fields = FieldWriter()
        fields.integer(.critical(1), read.kind.rawValue)
        fields.field(.critical(2), read.config)
        for number: UInt16 in 3...15 {
            if number == 4 { fields.optional(read.domain) { $0.id(.critical(4), $1) } }
            guard let key = KeyBundle.Key(rawValue: number), let place = read.keys[key] else {
                continue
            }
            fields.field(.critical(number), Array(bytes[place]))
        }
        fields.optional(read.label) { $0.text(.plain(16), $1) }
        return fields.bytes
    }

    static func envelope(_ contentClass: ContentClass = .data, _ seed: UInt8 = 20) -> StoredEnvelope
    {
        StoredEnvelope(
            header: EnvelopeHeader(
                contentClass: contentClass, domain: domain, id: objectID(seed),
                ephemeralKey: block(seed),
                salt: block(seed + 1)),
            commitment: block(seed + 2))
    }

    /// Raw, compressed and delta frames; two envelopes.
    static let directory = PackDirectory(
        envelopes: [envelope(), envelope(.data, 40)],
        baseSegments: [
            .init(envelope: objectID(50), number: 1 << 19),
            .init(envelope: objectID(51), number: 0),
        ],
        segments: [
            .init(
                envelope: 0, number: 0, offset: 40,
                frames: [
                    .init(
                        codec: .raw, storedBytes: 700,
                        chunks: [.init(id: chunkID(1), byteCount: 700)]),
                    .init(
                        codec: .zstd, storedBytes: 90,
                        chunks: [
                            .init(id: chunkID(2), byteCount: 300),
                            .init(id: chunkID(3), byteCount: 1),
                        ]),
                ]),
            .init(
                envelope: 1, number: (1 << 20) - 1, offset: 40 + 806,
                frames: [
                    .init(
                        codec: .delta, storedBytes: 33,
                        base: .init(
                            depth: 32, closureFrames: 64, closureBytes: 16 << 20,
                            pieces: [
                                .init(segment: 0, frame: 1023, firstChunk: 0, chunkCount: 1),
                                .init(segment: 1, frame: 0, firstChunk: 9, chunkCount: 700),
                            ]),
                        chunks: [.init(id: chunkID(4), byteCount: 1 << 20)])
                ]),
        ])
    static let directoryBody = 40..<1000

    /// What is smallest: one segment of one chunk.
    static let smallDirectory = PackDirectory(
        envelopes: [envelope(.list)],
        segments: [
            .init(
                envelope: 0, number: 0, offset: 40,
                frames: [
                    .init(
                        codec: .raw, storedBytes: 1, chunks: [.init(id: chunkID(9), byteCount: 1)])
                ])
        ])

    static var head: Head {
        var head = Head(
            series: "shop/logical", kind: .differential, time: 1, started: -2, ended: .max,
            completeness: .unknown,
            evidence: .both, writer: objectID(60), sequence: .max)
        head.manifestHash = Digest32(block(61))
        (head.parent, head.base, head.needs) = (objectID(62), objectID(63), objectID(64))
        head.flags = Head.Flags(rawValue: 0x8000_000f)
        (head.bytesRead, head.bytesNew, head.bytesStored) = (.max, 1 << 40, 7)
        (head.format, head.host, head.tool) = ("pg_dump/custom", "db1.例", "repo 1.0")
        head.tags = ["nightly", "", "keep"]
        head.position = Head.Position(file: "binlog.000007", offset: .max, gtid: "a-b-c:1-7")
        head.sequenceNumbers = Head.SequenceNumbers(from: 1, to: .max)
        head.names = [objectID(65), objectID(66)]
        head.origin = Head.Origin(repository: objectID(67), snapshot: objectID(68))
        head.group = "nights.例"
        return head
    }

    static let smallHead = Head(
        series: "s", kind: .full, time: 0, started: 0, ended: 0, completeness: .incomplete,
        evidence: .none,
        writer: objectID(0), sequence: 1)

    static func stream(_ role: Manifest.Role, _ list: Manifest.List, byteCount: Int)
        -> Manifest.Stream
    {
        Manifest.Stream(
            role: role, contentClass: role == .data ? .data : .list, byteCount: byteCount,
            checksumKey: block(70),
            checksum: block(71, 16), list: list, name: role == .data ? "dump.sql" : nil,
            cuttingRule: role == .data ? 2 : 0)
    }

    static var manifest: Manifest {
        var inside = head
        inside.manifestHash = Digest32(block(0).map { _ in 0 })
        return Manifest(
            head: inside,
            producer: .init(
                program: "mysqldump", options: ["--single-transaction", "--user"], exitStatus: -1,
                standardError: [0xff, 0, 10]),
            facts: .init(
                tool: "mysqldump", toolVersion: "10.19", serverVersion: "11.4", innerFormat: "sql",
                databases: ["shop", "shop2"], notes: ["", "n"], endOffset: 12),
            streams: [
                stream(
                    .data, .inline([.chunk(chunkID(1), byteCount: 5), .again(2), .zeros(1 << 30)]),
                    byteCount: 77),
                stream(.tables, .root(chunkID(2)), byteCount: 1 << 50),
                stream(.catalog, .content([1, 2, 3]), byteCount: 3),
            ],
            inline: .init(
                directory: PackDirectory(
                    envelopes: [envelope()],
                    segments: [
                        .init(
                            envelope: 0, number: 0, offset: 0,
                            frames: smallDirectory.segments[0].frames)
                    ]),
                bytes: block(80, 17)))
    }

    static let smallManifest = Manifest(
        head: smallHead, streams: [stream(.data, .inline([]), byteCount: 0)])

    static let indexObject = IndexObject(packs: [
        .init(
            id: objectID(90), contentClass: .data, fileBytes: 1 << 26, directory: directory.bytes),
        .init(id: objectID(91), contentClass: .list, fileBytes: 0, directory: []),
    ])

    static let leaf = ListNode.leaf([
        .chunk(chunkID(1), byteCount: 1), .again(1 << 40), .zeros(1 << 60),
        .chunk(chunkID(2), byteCount: 1 << 20),
        .chunk(chunkID(2), byteCount: 127), .zeros(1),
    ])
    static let interior = ListNode.interior(
        level: 6, [.init(total: 1 << 62 - 1, id: chunkID(3)), .init(total: 1, id: chunkID(4))])

    static let tombstone = Tombstone(
        target: .snapshot, reason: .abandoned, domain: domain, id: objectID(95), time: .min)

    static var entry: CatalogEntry {
        var entry = CatalogEntry(path: Array("srv/db/\u{e9}".utf8) + [0xff], kind: 1)
        entry.mode = 0o7777
        (entry.user, entry.group) = (.max, 100)
        (entry.userName, entry.groupName) = (Array("anna".utf8), [0xc3])
        entry.modified = .init(seconds: -1, nanoseconds: 999_999_999)
        entry.changed = .init(seconds: .max, nanoseconds: 0)
        (entry.device, entry.inode) = (.max, .max)
        entry.byteCount = 1 << 50
        entry.attributes = [
            .init(name: Array("user.a".utf8), value: [0, 1]), .init(name: [1], value: []),
        ]
        entry.reservation = .unreadable
        entry.holes = [0..<4096, 4096..<4097, (1 << 40)..<(1 << 41)]
        return entry
    }

    static var link: CatalogEntry {
        var entry = CatalogEntry(path: Array("link".utf8), kind: 3)
        entry.linkTarget = Array("/etc/../x".utf8)
        return entry
    }

    static var otherName: CatalogEntry {
        var entry = CatalogEntry(path: Array("srv/db/again".utf8), kind: 1)
        entry.hardLink = Array("srv/db/other".utf8)
        return entry
    }

    static var device: CatalogEntry {
        var entry = CatalogEntry(path: Array("dev/x".utf8), kind: 4)
        entry.special = (major: .max, minor: 7)
        return entry
    }

    static let table = TableEntry(
        space: "shop", name: "größe", ranges: [5..<9, 9..<9, (1 << 50)..<((1 << 50) + 1)])

    static let forgotten = ForgottenRecord(
        snapshot: objectID(96), writer: objectID(97), sequence: 9, series: "s", time: 1,
        recorded: -1,
        reason: .pruned)
    static let keyRecord = KeyRecord(
        slot: objectID(98), kind: .write, domain: domain, label: "db1", created: 1_700_000_000_000)

    static var rules: RetentionRules {
        var rules = RetentionRules()
        (rules.keepLast, rules.keepHourly, rules.keepDaily) = (1, 2, RetentionRules.all)
        (rules.keepWeekly, rules.keepMonthly, rules.keepYearly) = (4, 5, 6)
        rules.keepWithin = CalendarSpan(90, .minutes)
        rules.keepTags = ["a", "größe"]
        rules.maxAge = CalendarSpan(.max, .years)
        rules.timezone = "America/Argentina/Buenos_Aires"
        rules.weekStart = 6
        rules.byHost = true
        rules.expectEvery = CalendarSpan(2, .weeks)
        return rules
    }
    static let policy = PolicyRecord(pattern: "shop/*", version: .max, recorded: -1, rules: rules)
    static let noPolicy = PolicyRecord(pattern: "*", version: 1, recorded: .max, rules: nil)
    static let holdUntil = HoldRecord(
        name: "case 17", recorded: 5, content: .hold(patterns: ["a", "b*"], term: .until(.min)),
        reason: "because", source: "a law")
    static let holdByAge = HoldRecord(
        name: "pci", recorded: 5,
        content: .hold(patterns: ["*"], term: .age(CalendarSpan(1, .years))))
    static let holdEnd = HoldRecord(name: "pci", recorded: 6, content: .end(of: objectID(99)))
    static let acknowledgement = AcknowledgementRecord(
        series: "s", domain: domain, recorded: 7, snapshots: [objectID(100), objectID(101)])
}

extension Samples {
    private static func fields(
        _ name: String, _ bytes: [UInt8], _ again: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) -> Sample {
        Sample(name: name, shape: .wideFields, bytes: bytes, again: again)
    }

    static let wide: [Sample] = [
        fields("the fields of config", Array(config.bytesBeforeHash.dropFirst(8))) {
            try Array(
                Config(Array(config.bytesBeforeHash.prefix(8)) + $0).bytesBeforeHash.dropFirst(8))
        },
        fields("full bundle", bundle(.full), bundleAgain),
        fields("write bundle", bundle(.write), bundleAgain),
        fields("maintain bundle", bundle(.maintain), bundleAgain),
        fields("directory", directory.bytes) {
            try PackDirectory($0, body: directoryBody, what: "it").bytes
        },
        fields("small directory", smallDirectory.bytes) {
            try PackDirectory($0, body: 40..<57, what: "it").bytes
        },
        fields("index object", indexObject.bytes) { try IndexObject($0, what: "it").bytes },
        fields("head", head.bytes()) { try Head($0, what: "it").bytes() },
        fields("small head", smallHead.bytes()) { try Head($0, what: "it").bytes() },
        fields("head in a manifest", head.bytes(inManifest: true)) {
            try Head($0, inManifest: true, what: "it").bytes(inManifest: true)
        },
        fields("manifest", manifest.bytes) { try Manifest($0, what: "it").bytes },
        fields("small manifest", smallManifest.bytes) { try Manifest($0, what: "it").bytes },
        fields("record of a removal", forgotten.bytes) {
            try ForgottenRecord($0, what: "it").bytes
        },
        fields("record of a key", keyRecord.bytes) { try KeyRecord($0, what: "it").bytes },
        fields("rules", rules.bytes) { try RetentionRules($0, what: "it").bytes },
        fields("policy", policy.bytes) { try PolicyRecord($0, what: "it").bytes },
        fields("end of a policy", noPolicy.bytes) { try PolicyRecord($0, what: "it").bytes },
        fields("hold until a date", holdUntil.bytes) { try HoldRecord($0, what: "it").bytes },
        fields("hold by age", holdByAge.bytes) { try HoldRecord($0, what: "it").bytes },
        fields("end of a hold", holdEnd.bytes) { try HoldRecord($0, what: "it").bytes },
        fields("acknowledgement", acknowledgement.bytes) {
            try AcknowledgementRecord($0, what: "it").bytes
        },
    ]

    private static func body(_ counted: [UInt8]) -> [UInt8] {
        var rest = counted[...]
        let count = Int(parseLEB128(&rest))
        precondition(count == rest.count, "an entry is as long as it says")
        return Array(rest)
    }

    private static func entry(
        _ name: String, _ entry: CatalogEntry, isMember: Bool = false
    ) -> Sample {
        Sample(name: name, shape: .narrowFields, bytes: body(entry.bytes)) {
            body(try CatalogEntry($0, what: "it", isMember: isMember).bytes)
        }
    }

    private static let member: CatalogEntry = {
        var member = CatalogEntry(path: Array("shop/t.ibd".utf8), kind: 1)
        member.byteCount = 100_000
        member.holes = [0..<20_000, 60_000..<70_000]
        member.ranges = [1000..<31_000, 90_000..<130_000]
        return member
    }()

    static let narrow: [Sample] = [
        entry("catalog entry", entry), entry("link", link), entry("other name", otherName),
        entry("device", device), entry("member", member, isMember: true),
        entry("small catalog entry", CatalogEntry(path: [97], kind: 2)),
        Sample(name: "table entry", shape: .narrowFields, bytes: body(table.bytes)) {
            body(try TableEntry($0, what: "it").bytes)
        },
    ]

    static let fixed: [Sample] = [
        Sample(name: "config", shape: .fixed, bytes: config.bytesBeforeHash) {
            try Config($0).bytesBeforeHash
        },
        Sample(name: "key slot", shape: .fixed, bytes: slot.bytesBeforeHash) {
            try KeySlot($0, what: "it").bytesBeforeHash
        },
        Sample(name: "envelope", shape: .fixed, bytes: envelope().bytes) {
            var reader = ByteReader($0, what: "it")
            let envelope = try StoredEnvelope(&reader)
            try reader.finish()
            return envelope.bytes
        },
        Sample(
            name: "object header", shape: .fixed,
            bytes: ObjectHeader(.record, detail: 6, domain: domain, id: objectID(3)).bytes
        ) {
            var reader = ByteReader($0, what: "it")
            let header = try ObjectHeader(&reader, .record)
            try reader.finish()
            return header.bytes
        },
        Sample(name: "leaf", shape: .fixed, bytes: leaf.bytes) {
            try ListNode($0, what: "it").bytes
        },
        Sample(name: "interior node", shape: .fixed, bytes: interior.bytes) {
            try ListNode($0, what: "it").bytes
        },
        Sample(
            name: "tombstone", shape: .fixed, bytes: tombstone.bytesBeforeSignature + block(1, 64)
        ) {
            let (tombstone, signature) = try Tombstone.read($0, what: "it")
            return tombstone.bytesBeforeSignature + signature
        },
        Sample(name: "trailer", shape: .fixed, bytes: trailerBytes) {
            let trailer = try PackTrailer(
                tail: $0, fileBytes: PackTrailer(bodyBytes: 1000, directoryBytes: 300).fileBytes,
                what: "it")
            return trailer.bytesBeforeHash + $0.suffix(32)
        },
        Sample(name: "padded", shape: .fixed, bytes: Padding.pad(block(1, 300))) {
            Padding.pad(try Padding.unpad($0, what: "it"))
        },
    ]

    static let trailerBytes =
        PackTrailer(bodyBytes: 1000, directoryBytes: 300).bytesBeforeHash + block(1)
}
