import TestSupport
import Testing
import WireFormat

/// Limits of the objects that have no suite of their own: at their edge accepted, beyond refused.
struct LimitsTests {
    @Test func `the limits are those of the specification`() {
        #expect(Limits.objectBytes == 67_108_864)
        #expect(Limits.packTargetBytes == 16_777_216)
        #expect(Limits.chunkBytes == 1_048_576 && Limits.frameRawBytes == 1_048_576)
        #expect(Limits.framesPerSegment == 1024)
        #expect(Limits.segmentPlaintextBytes == 2_097_152)
        #expect(Limits.baseRawBytes == 4_194_304 && Limits.piecesPerBase == 256)
        #expect(
            Limits.depth == 32 && Limits.closureFrames == 64 && Limits.closureBytes == 16_777_216)
        #expect(1 << Limits.zstdWindowLog == 8_388_608)
        #expect(Limits.nodeBytes == 65_536 && Limits.nodeLevel == 6)
        #expect(Limits.inlineListEntries == 256)
        #expect(Limits.inlineContentBytes == 65_536 && Limits.inlineSegmentBytes == 65_536)
        #expect(Limits.catalogEntryBytes == 1_048_576)
        #expect(Limits.fieldsPerObject == 1_000_000)
        #expect(Limits.keySlots == 64)
        #expect(Limits.nameBytes == 255 && Limits.passwordBytes == 1024)
        #expect(Limits.messagesPerEnvelope == 1_048_576 && Limits.envelopeBytes == 1_073_741_824)
    }

    @Test func `config has at most 64 KiB and room for a hash`() throws {
        let (content, hash) = try Config.split(block(1, 64 << 10))
        #expect(
            content == Array(block(1, 64 << 10).dropLast(32))
                && hash == Array(block(1, 64 << 10).suffix(32)))
        #expect(try Config.split(block(1, 41)).content.count == 9)
        for count in [0, 8, 40, 64 << 10 + 1] {
            expectMalformed("\(count)") { _ = try Config.split(block(1, count)) }
        }
    }

    @Test(
        arguments: [
            ((256, 257, 258), true), ((255, 257, 258), false), ((256, 256, 258), false),
            ((256, 257, 257), false),
            ((8192, 32768, 1 << 20), true), ((8192, 32768, 1 << 20 + 1), false), ((0, 0, 0), false),
            ((1000, 900, 2000), false),
        ] as [((Int, Int, Int), Bool)])
    func `cutting parameters make sense or are refused`(_ sizes: (Int, Int, Int), _ isGood: Bool)
        throws
    {
        let cutting = Config.Cutting(minimum: sizes.0, average: sizes.1, maximum: sizes.2)
        for isText in [true, false] {
            let config = Config(
                repository: objectID(1), textCutting: isText ? cutting : .text,
                generalCutting: isText ? .general : cutting, consistency: .strong, created: 0)
            if isGood {
                #expect(try Config(config.bytesBeforeHash) == config)
            } else {
                expectMalformed { _ = try Config(config.bytesBeforeHash) }
            }
        }
    }

    @Test func `a config made without sizes has those of the specification`() throws {
        let config = Config(repository: objectID(1), consistency: .strong, created: 0)
        #expect(config.textCutting == .init(minimum: 4096, average: 16384, maximum: 65536))
        #expect(config.generalCutting == .init(minimum: 8192, average: 32768, maximum: 131072))
    }

    @Test func `a slot has at most 64 KiB and room for what it must hold`() throws {
        #expect(try KeySlot.split(block(1, 64 << 10), what: "it").content.count == 64 << 10 - 32)
        for count in [0, 32, 88 + 32 + 4 + 32, 64 << 10 + 1] {
            expectMalformed("\(count)") { _ = try KeySlot.split(block(1, count), what: "it") }
        }
    }

    private func slot(_ secret: KeySlot.SecretKind, _ log2N: UInt8, _ r: UInt8, _ p: UInt8) throws {
        var slot = KeySlot(
            secret: secret, kind: .full, log2N: log2N, r: r, p: p, created: 0,
            repository: objectID(1),
            id: objectID(2), salt: block(1))
        slot.commitment = block(2)
        slot.ciphertext = block(3, 20)
        _ = try KeySlot(slot.bytesBeforeHash, what: "it")
    }

    @Test func `the cost of a password stays within its limits, and a key file has none`() throws {
        for log2N: UInt8 in 15...20 { for p: UInt8 in 1...4 { try slot(.password, log2N, 8, p) } }
        try slot(.keyFile, 0, 0, 0)
        for (log2N, r, p): (UInt8, UInt8, UInt8) in [
            (14, 8, 1), (21, 8, 1), (0, 8, 1), (255, 8, 1), (16, 7, 1), (16, 9, 1), (16, 0, 1),
            (16, 8, 0), (16, 8, 5),
            (0, 0, 0),
        ] { expectMalformed("\(log2N), \(r), \(p)") { try slot(.password, log2N, r, p) } }
        for (log2N, r, p): (UInt8, UInt8, UInt8) in [(16, 8, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)] {
            expectMalformed("\(log2N), \(r), \(p)") { try slot(.keyFile, log2N, r, p) }
        }
    }

    @Test
    func
        `a slot of an unknown kind is refused as unknown, one of a wrong length as malformed`()
    {
        let bytes = Samples.slot.bytesBeforeHash
        for (offset, value): (Int, UInt8) in [(8, 0), (8, 3), (9, 0), (9, 4)] {
            var changed = bytes
            changed[offset] = value
            expectUnknown("byte \(offset)") { _ = try KeySlot(changed, what: "it") }
        }
        for count: UInt32 in [0, 299, 301, 1 << 30, .max] {
            var changed = bytes
            changed.replaceSubrange(120..<124, with: little(count))
            expectMalformed("\(count)") { _ = try KeySlot(changed, what: "it") }
        }
    }

    private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test func `texts of a head have at most 255 bytes, and the series at least one`() throws {
        let set: [(String, WritableKeyPath<Head, String>)] = [("series", \.series)]
        let optional: [(String, WritableKeyPath<Head, String?>)] = [
            ("format", \.format), ("host", \.host), ("tool", \.tool), ("group", \.group),
        ]
        func check(_ what: String, _ change: (inout Head, String) -> Void) throws {
            var head = Samples.head
            change(&head, text(255))
            #expect(try Head(head.bytes(), what: "") == head, "\(what)")
            change(&head, text(254) + "é")
            expectMalformed(what) { _ = try Head(head.bytes(), what: "") }
        }
        for (what, path) in set { try check(what) { $0[keyPath: path] = $1 } }
        for (what, path) in optional { try check(what) { $0[keyPath: path] = $1 } }
        try check("tag") { $0.tags = ["a", $1] }
        var head = Samples.head
        head.series = ""
        expectMalformed("no series") { _ = try Head(head.bytes(), what: "") }
    }

    @Test func `labels have at most 255 bytes`() throws {
        func bundle(_ label: String) throws {
            let bytes = KeyBundle.blank(.full, config: [1], domain: nil, label: label)
            #expect(try KeyBundle(bytes, what: "").label == label)
        }
        try bundle(text(255))
        expectMalformed { try bundle(text(256)) }
        func record(_ label: String) throws {
            let record = KeyRecord(
                slot: objectID(1), kind: .full, domain: nil, label: label, created: 0)
            #expect(try KeyRecord(record.bytes, what: "") == record)
        }
        try record(text(255))
        expectMalformed { try record(text(256)) }
    }

    @Test func `positions and facts have at most 64 KiB each`() throws {
        let (most, tooMuch) = (text(64 << 10), text(64 << 10 + 1))
        func head(_ position: Head.Position) throws {
            var head = Samples.head
            head.position = position
            #expect(try Head(head.bytes(), what: "") == head)
        }
        try head(.init(file: most, gtid: most))
        expectMalformed { try head(.init(file: tooMuch)) }
        expectMalformed { try head(.init(gtid: tooMuch)) }
        func facts(_ facts: Manifest.Facts) throws { try changed { $0.facts = facts } }
        try facts(
            .init(
                tool: most, toolVersion: most, serverVersion: most, innerFormat: most,
                databases: [most], notes: [most]))
        expectMalformed { try facts(.init(tool: tooMuch)) }
        expectMalformed { try facts(.init(toolVersion: tooMuch)) }
        expectMalformed { try facts(.init(serverVersion: tooMuch)) }
        expectMalformed { try facts(.init(innerFormat: tooMuch)) }
        expectMalformed { try facts(.init(databases: ["a", tooMuch])) }
        expectMalformed { try facts(.init(notes: ["a", tooMuch])) }
    }

    private func changed(_ change: (inout Manifest) -> Void) throws {
        var manifest = Samples.manifest
        change(&manifest)
        #expect(try Manifest(manifest.bytes, what: "") == manifest)
    }

    @Test func `what a manifest says of its producer keeps to its limits`() throws {
        try changed {
            $0.producer = .init(
                program: text(4096), options: [text(4096)], standardError: block(1, 64 << 10))
        }
        expectMalformed { try changed { $0.producer = .init(program: text(4097)) } }
        expectMalformed { try changed { $0.producer = .init(options: ["a", text(4097)]) } }
        expectMalformed {
            try changed { $0.producer = .init(standardError: block(1, 64 << 10 + 1)) }
        }
        try changed { $0.streams[0].name = text(4096) }
        expectMalformed { try changed { $0.streams[0].name = text(4097) } }
    }

    @Test func `an inline list has at most 256 entries and is a leaf`() throws {
        let entry = ListEntry.chunk(chunkID(1), byteCount: 1)
        try changed { $0.streams[0].list = .inline(Array(repeating: entry, count: 256)) }
        expectMalformed {
            try changed { $0.streams[0].list = .inline(Array(repeating: entry, count: 257)) }
        }
        expectMalformed("an interior node") {
            try streamChanged { fields in
                fields[fields.firstIndex { $0.number == 5 }!].value = Samples.interior.bytes
            }
        }
    }

    @Test func `inline content has at most 64 KiB, its own length, and class list`() throws {
        func content(_ bytes: [UInt8], byteCount: Int) throws {
            try changed {
                $0.streams[2].list = .content(bytes)
                $0.streams[2].byteCount = byteCount
            }
        }
        try content(block(1, 64 << 10), byteCount: 64 << 10)
        try content([], byteCount: 0)
        expectMalformed { try content(block(1, 64 << 10 + 1), byteCount: 64 << 10 + 1) }
        expectMalformed { try content(block(1, 100), byteCount: 99) }
        expectMalformed { try content(block(1, 100), byteCount: 101) }
        expectMalformed { try changed { $0.streams[2].contentClass = .data } }
    }

    @Test func `inline segments have at most 64 KiB, and fill them`() throws {
        func inline(sealedBytes: Int, bytes: Int) throws {
            try changed { manifest in
                manifest.inline?.directory.segments[0].frames = [
                    .init(
                        codec: .raw, storedBytes: sealedBytes - 16,
                        chunks: [.init(id: chunkID(1), byteCount: sealedBytes - 16)])
                ]
                manifest.inline?.bytes = block(1, bytes)
            }
        }
        try inline(sealedBytes: 64 << 10, bytes: 64 << 10)
        expectMalformed { try inline(sealedBytes: 64 << 10 + 1, bytes: 64 << 10 + 1) }
        expectMalformed("one byte short") { try inline(sealedBytes: 17, bytes: 16) }
        expectMalformed("one byte behind them") { try inline(sealedBytes: 17, bytes: 18) }
    }

    @Test func `inline segments are of class data, and no base of each other`() throws {
        expectMalformed("class list") {
            try changed { $0.inline?.directory.envelopes = [Samples.envelope(.list)] }
        }
        func base(_ envelope: ObjectID) throws {
            try changed {
                $0.inline?.directory.baseSegments = [.init(envelope: envelope, number: 0)]
            }
        }
        try base(objectID(99))
        expectMalformed { try base(Samples.envelope().header.id) }
    }

    @Test func `a manifest has one to four streams, of one role each`() throws {
        expectMalformed { try changed { $0.streams = [] } }
        try changed { $0.streams[1].role = .members }
        expectMalformed {
            try changed {
                $0.streams[1].role = .data
                $0.streams[1].contentClass = .data
            }
        }
    }

    @Test func `the stream of the data is of class data, all others of class list`() throws {
        func stream(_ role: Manifest.Role, _ contentClass: ContentClass) throws {
            try changed { manifest in
                var stream = Samples.stream(role, .root(chunkID(2)), byteCount: 9)
                stream.contentClass = contentClass
                manifest.streams = [stream]
            }
        }
        try stream(.data, .data)
        expectMalformed("data") { try stream(.data, .list) }
        for role: Manifest.Role in [.tables, .catalog, .members] {
            try stream(role, .list)
            expectMalformed("\(role)") { try stream(role, .data) }
        }
    }

    @Test func `the head in a manifest does not hold the manifest's own hash`() {
        var fields = RawField.parseWide(Samples.manifest.bytes)
        fields[0].value = Samples.head.bytes()
        expectMalformed { _ = try Manifest(RawField.wide(fields), what: "it") }
    }

    @Test func `a writer's numbers begin at 1`() throws {
        var head = Samples.head
        head.sequence = 1
        #expect(try Head(head.bytes(), what: "") == head)
        head.sequence = 0
        expectMalformed { _ = try Head(head.bytes(), what: "") }
    }

    @Test func `only packs and records say something in the eighth byte of their headers`() throws {
        for kind: Prologue.Kind in [.pack, .record, .index, .manifest, .head] {
            func read(_ detail: UInt8) throws {
                let header = ObjectHeader(kind, detail: detail, domain: domain, id: objectID(3))
                var reader = ByteReader(header.bytes, what: "it")
                _ = try ObjectHeader.check(&reader, kind, domain: domain, id: objectID(3))
            }
            try read(0)
            if kind == .pack || kind == .record {
                try read(1)
            } else {
                expectMalformed("\(kind)") { try read(1) }
            }
        }
    }

    @Test func `an index object speaks of no pack that is longer than a pack can be`() throws {
        func pack(_ fileBytes: Int) throws {
            let packs = [
                IndexObject.Pack(
                    id: objectID(1), contentClass: .data, fileBytes: fileBytes, directory: [1])
            ]
            let read = try IndexObject(IndexObject(packs: packs).bytes, what: "it")
            #expect(read.packs.map { $0.fileBytes } == [fileBytes])
        }
        try pack(64 << 20)
        expectMalformed { try pack(64 << 20 + 1) }
    }

    /// The manifest with the fields of its first stream changed.
    private func streamChanged(_ change: (inout [RawField]) -> Void) throws {
        var fields = RawField.parseWide(Samples.manifest.bytes)
        let index = try #require(fields.firstIndex { $0.number == 4 })
        var stream = RawField.parseWide(fields[index].value)
        change(&stream)
        fields[index].value = RawField.wide(stream)
        _ = try Manifest(RawField.wide(fields), what: "it")
    }

    @Test func `a stream has one list, one checksum and a known role and class`() throws {
        try streamChanged { _ in }
        let root = RawField(number: 6, isCritical: true, value: chunkID(1).bytes)
        let content = RawField(number: 9, isCritical: true, value: [])
        expectMalformed("no list") { try streamChanged { $0.removeAll { $0.number == 5 } } }
        expectMalformed("two lists") { try streamChanged { $0.insert(root, at: 5) } }
        expectMalformed("a list and content") { try streamChanged { $0.append(content) } }
        for number: UInt16 in 1...4 {
            expectMalformed("field \(number)") {
                try streamChanged { $0.removeAll { $0.number == number } }
            }
        }
        for (number, value): (UInt16, UInt8) in [(1, 0), (1, 5), (2, 2), (2, 255)] {
            expectUnknown("field \(number)") {
                try streamChanged { fields in
                    fields[fields.firstIndex { $0.number == number }!].value = [value]
                }
            }
        }
        for count in [0, 47, 49] {
            expectMalformed("a checksum of \(count) bytes") {
                try streamChanged { fields in
                    fields[fields.firstIndex { $0.number == 4 }!].value = block(1, count)
                }
            }
        }
        expectMalformed("a length beyond a signed word") {
            try streamChanged { fields in
                fields[fields.firstIndex { $0.number == 3 }!].value = little(UInt64.max)
            }
        }
    }

    @Test func `an envelope of an unknown class or epoch is refused as unknown`() throws {
        func read(_ offset: Int, _ value: UInt8) throws {
            var bytes = Samples.envelope().bytes
            bytes[offset] = value
            var reader = ByteReader(bytes, what: "it")
            _ = try StoredEnvelope(&reader)
        }
        try read(8, 1)
        expectUnknown("class") { try read(8, 2) }
        expectUnknown("epoch") { try read(10, 1) }
        expectUnknown("epoch") { try read(11, 1) }
        for offset in [7, 9, 12, 13, 14, 15] {
            expectMalformed("byte \(offset)") { try read(offset, 1) }
        }
        #expect(Samples.envelope().bytes.count == 136)
        #expect(Samples.envelope().header.bytes.count == EnvelopeHeader.byteCount)
    }

    @Test func `a tombstone has 112 bytes, a known target and any reason`() throws {
        let bytes = Samples.tombstone.bytesBeforeSignature + block(1, 64)
        #expect(bytes.count == 112 && Tombstone.byteCount == 112)
        expectMalformed { _ = try Tombstone.read(bytes + [0], what: "it") }
        for target: UInt8 in [0, 4] {
            var changed = bytes
            changed[8] = target
            expectUnknown("target \(target)") { _ = try Tombstone.read(changed, what: "it") }
        }
        // What is signed holds the reason, so that it is kept as it is.
        for reason: UInt8 in [0, 4, 255] {
            var changed = bytes
            changed[9] = reason
            let (read, signature) = try Tombstone.read(changed, what: "it")
            #expect(read.reason.rawValue == reason)
            #expect(read.bytesBeforeSignature + signature == changed)
        }
        for offset in 10..<16 {
            var changed = bytes
            changed[offset] = 1
            expectMalformed("byte \(offset)") { _ = try Tombstone.read(changed, what: "it") }
        }
    }

    @Test func `a pack of an unknown class refuses the index object as unknown`() {
        let value = objectID(1).bytes + [2] + little(UInt64(9))
        expectUnknown {
            _ = try IndexObject(RawField.wide([RawField(number: 1, value: value)]), what: "it")
        }
        for count in 0..<25 {
            expectMalformed("\(count)") {
                let short = Array((objectID(1).bytes + [1] + little(UInt64(9))).prefix(count))
                _ = try IndexObject(RawField.wide([RawField(number: 1, value: short)]), what: "it")
            }
        }
    }
}
