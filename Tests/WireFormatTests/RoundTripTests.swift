import Testing
import WireFormat

extension Sample: CustomTestStringConvertible {
    var testDescription: String { name }
}

/// What is written reads as what it was.
struct RoundTripTests {
    @Test(arguments: Samples.all)
    func `what was decoded is written with the same bytes`(_ sample: Sample) throws {
        #expect(try sample.again(sample.bytes) == sample.bytes)
    }

    @Test func `samples that set every field write every field`() {
        let numbers = Dictionary(
            uniqueKeysWithValues: Samples.withFields.map {
                ($0.name, Set($0.fields.map { $0.number }))
            })
        let expected: [(String, ClosedRange<UInt16>)] = [
            ("the fields of config", 1...6), ("directory", 1...3), ("index object", 1...1),
            ("head", 1...26),
            ("head in a manifest", 2...26), ("manifest", 1...5), ("record of a removal", 1...7),
            ("record of a key", 1...5), ("table entry", 1...3), ("rules", 1...13),
            ("policy", 1...4), ("end of a policy", 1...3), ("end of a hold", 1...3),
            ("acknowledgement", 1...4),
        ]
        for (name, range) in expected { #expect(numbers[name] == Set(range), "\(name)") }
        let entries = ["catalog entry", "link", "other name", "device"].compactMap { numbers[$0] }
        #expect(entries.reduce([]) { $0.union($1) } == Set(1...15))
        #expect(numbers["hold until a date"] == [1, 2, 4, 5, 7, 8])
        #expect(numbers["hold by age"] == [1, 2, 4, 6])
        #expect(numbers["member"] == [1, 2, 3, 4, 9, 15, 16])
        #expect(numbers["full bundle"] == [1, 2, 3])
        #expect(numbers["write bundle"] == [1, 2, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16])
        #expect(numbers["maintain bundle"] == [1, 2, 5, 6, 7, 8, 9, 10, 16])
    }

    /// The exclamation marks of docs/format.md, table by table.
    @Test(arguments: [
        ("the fields of config", [1]), ("write bundle", [1, 2, 4, 5, 6, 7, 11, 12, 13, 14, 15]),
        ("full bundle", [1, 2, 3]), ("maintain bundle", [1, 2, 5, 6, 7, 8, 9, 10]),
        ("directory", [1, 3]),
        ("index object", [1]), ("head", [1, 2, 3, 6, 7, 10, 21, 22, 23]), ("manifest", [1, 4, 5]),
        ("record of a removal", [1, 2, 3]), ("record of a key", [1, 2]),
        ("rules", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), ("policy", [1, 2, 3, 4]),
        ("end of a policy", [1, 2, 3]), ("hold until a date", [1, 2, 4, 5]),
        ("hold by age", [1, 2, 4, 6]), ("end of a hold", [1, 2, 3]),
        ("acknowledgement", [1, 2, 3, 4]),
        ("catalog entry", [1, 2, 9]),
        ("link", [1, 2, 10]), ("other name", [1, 2, 11]), ("device", [1, 2]), ("table entry", []),
        ("member", [1, 2, 9, 16]),
    ])
    func `exactly the fields that the specification marks are critical`(
        _ name: String, _ critical: [UInt16]
    ) throws {
        let sample = try #require(Samples.withFields.first { $0.name == name })
        #expect(Set(sample.fields.filter { $0.isCritical }.map { $0.number }) == Set(critical))
    }

    @Test
    func `critical fields of what lies inside a manifest are as the specification marks them`()
        throws
    {
        let fields = RawField.parseWide(Samples.manifest.bytes)
        func critical(_ value: [UInt8]) -> [UInt16] {
            RawField.parseWide(value).filter { $0.isCritical }.map { $0.number }
        }
        #expect(
            fields.filter { $0.number == 4 }.map { critical($0.value) } == [
                [1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 2, 3, 4, 9],
            ])
        #expect(fields.filter { $0.number == 5 }.map { critical($0.value) } == [[1, 2]])
        #expect(
            fields.filter { $0.number == 2 || $0.number == 3 }.flatMap { critical($0.value) } == [])
    }

    @Test func `decoded values equal those that were encoded`() throws {
        #expect(try Config(Samples.config.bytesBeforeHash) == Samples.config)
        #expect(
            try PackDirectory(Samples.directory.bytes, body: Samples.directoryBody, what: "")
                == Samples.directory)
        #expect(try Head(Samples.head.bytes(), what: "") == Samples.head)
        #expect(try Head(Samples.smallHead.bytes(), what: "") == Samples.smallHead)
        #expect(try Manifest(Samples.manifest.bytes, what: "") == Samples.manifest)
        #expect(try Manifest(Samples.smallManifest.bytes, what: "") == Samples.smallManifest)
        #expect(try ListNode(Samples.leaf.bytes, what: "") == Samples.leaf)
        #expect(try ListNode(Samples.interior.bytes, what: "") == Samples.interior)
        #expect(try ForgottenRecord(Samples.forgotten.bytes, what: "") == Samples.forgotten)
        #expect(try KeyRecord(Samples.keyRecord.bytes, what: "") == Samples.keyRecord)
        let (tombstone, signature) = try Tombstone.read(
            Samples.tombstone.bytesBeforeSignature + block(7, 64), what: "")
        #expect(tombstone == Samples.tombstone)
        #expect(signature == block(7, 64))
    }

    @Test func `a slot keeps every part`() throws {
        let slot = Samples.slot
        let read = try KeySlot(slot.bytesBeforeHash, what: "")
        #expect(read.header == slot.header)
        #expect(slot.header.count == KeySlot.headerBytes)
        #expect(
            (read.secret, read.kind, read.log2N, read.r, read.p, read.created)
                == (.password, .write, 16, 8, 2, 1_700_000_000_000))
        #expect((read.repository, read.id) == (slot.repository, slot.id))
        #expect(
            [read.salt, read.commitment, read.ciphertext] == [
                slot.salt, slot.commitment, slot.ciphertext,
            ])
    }

    private func reread(_ entry: CatalogEntry) throws -> CatalogEntry {
        var bytes = entry.bytes[...]
        _ = parseLEB128(&bytes)
        return try CatalogEntry(Array(bytes), what: "")
    }

    @Test func `a catalog entry keeps every part`() throws {
        let entry = Samples.entry
        let read = try reread(entry)
        #expect(read == entry)
        #expect(read.path == entry.path)
        #expect((read.kind, read.mode, read.user, read.group) == (1, 0o7777, .max, 100))
        #expect([read.userName, read.groupName] == [entry.userName, entry.groupName])
        #expect([read.modified, read.changed] == [entry.modified, entry.changed])
        #expect((read.device, read.inode, read.byteCount) == (.max, .max, 1 << 50))
        #expect(read.attributes == entry.attributes)
        #expect(read.reservation == .unreadable)
        #expect(read.holes == entry.holes)
        #expect(try reread(Samples.link).linkTarget == Array("/etc/../x".utf8))
        #expect(try reread(Samples.otherName).hardLink == Array("srv/db/other".utf8))
        let device = try reread(Samples.device).special
        #expect(device?.major == .max && device?.minor == 7)
    }

    @Test(
        arguments: [
            (.full, [3]), (.write, [5, 6, 7, 11, 12, 13, 14, 15]),
            (.maintain, [5, 6, 7, 8, 9, 10]),
        ] as [(KeySlot.KeyKind, [UInt16])])
    func `a bundle says where the keys of its kind lie`(_ kind: KeySlot.KeyKind, _ keys: [UInt16])
        throws
    {
        let bytes = Samples.bundle(kind)
        let padded = Padding.pad(bytes)
        let content = try Padding.content(of: padded, what: "")
        #expect(content == 4..<(4 + bytes.count))
        for (holder, range) in [(bytes, nil), (padded, content)] {
            let read = try KeyBundle(holder, in: range, what: "")
            #expect(read.kind == kind && read.label == (kind == .full ? nil : "Grüße, 例"))
            #expect(read.domain == (kind == .write ? domain : nil))
            #expect(read.config == Samples.config.bytesBeforeHash)
            #expect(read.keys.keys.map { $0.rawValue }.sorted() == keys)
            for (key, place) in read.keys {
                #expect(
                    Array(holder[place]) == block(UInt8(key.rawValue), key == .cuts ? 16 : 32))
            }
        }
    }

    @Test func `a blank bundle holds no key`() throws {
        for kind: KeySlot.KeyKind in [.full, .write, .maintain] {
            let blank = KeyBundle.blank(kind, config: [1], domain: nil, label: nil)
            let places = try KeyBundle(blank, what: "").keys.values
            #expect(!places.isEmpty)
            #expect(places.allSatisfy { blank[$0].allSatisfy { $0 == 0 } })
        }
    }
}
