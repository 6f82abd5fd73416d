import TestSupport
import Testing
import WireFormat

/// Section 1 of docs/format.md, held against every object that has fields.
struct FieldsTests {
    private static let beyond: UInt16 = 99

    @Test(arguments: Samples.withFields)
    func `an unknown critical field refuses the object`(_ sample: Sample) {
        let foreign = RawField(number: Self.beyond, isCritical: true, value: [1])
        expectUnknown(sample.name) {
            _ = try sample.again(sample.joined(sample.fields + [foreign]))
        }
    }

    @Test(arguments: Samples.withFields)
    func `an unknown field that is not critical is ignored`(_ sample: Sample) throws {
        for value in [[], [1], block(1, 300)] {
            let foreign = RawField(number: Self.beyond, value: value)
            #expect(try sample.again(sample.joined(sample.fields + [foreign])) == sample.bytes)
        }
    }

    @Test(arguments: Samples.withFields)
    func `readers that know a field do not look at its critical bit`(_ sample: Sample) throws {
        let flipped = sample.fields.map {
            RawField(number: $0.number, isCritical: !$0.isCritical, value: $0.value)
        }
        #expect(try sample.again(sample.joined(flipped)) == sample.bytes)
    }

    @Test(arguments: Samples.withFields)
    func `a field out of order makes the object malformed`(_ sample: Sample) {
        for index in sample.fields.indices.dropFirst()
        where sample.fields[index].number != sample.fields[index - 1].number {
            var fields = sample.fields
            fields.swapAt(index, index - 1)
            expectMalformed("\(sample.name), field \(fields[index].number)") {
                _ = try sample.again(sample.joined(fields))
            }
        }
    }

    @Test(arguments: Samples.withFields)
    func `a field 0 makes the object malformed, whether it is critical or not`(_ sample: Sample) {
        for isCritical in [false, true] {
            let zero = RawField(number: 0, isCritical: isCritical, value: [])
            expectMalformed("\(sample.name), critical: \(isCritical)") {
                _ = try sample.again(sample.joined([zero] + sample.fields))
            }
        }
    }

    @Test(arguments: Samples.withFields)
    func `unknown fields may repeat, but stand in order, too`(_ sample: Sample) throws {
        func foreign(_ number: UInt16) -> RawField { RawField(number: number, value: [1]) }
        let two = [foreign(Self.beyond), foreign(Self.beyond), foreign(Self.beyond + 1)]
        #expect(try sample.again(sample.joined(sample.fields + two)) == sample.bytes)
        expectMalformed("backwards") {
            _ = try sample.again(sample.joined(sample.fields + two.reversed()))
        }
        expectMalformed("before known ones") {
            _ = try sample.again(sample.joined([foreign(Self.beyond)] + sample.fields))
        }
    }

    /// Numbers of the fields that may be repeated.
    private static let repeated: [String: Set<UInt16>] = [
        "index object": [1], "head": [18, 23], "head in a manifest": [18, 23], "manifest": [4],
        "small manifest": [4], "catalog entry": [13], "link": [13], "other name": [13],
        "device": [13], "member": [13],
        "small catalog entry": [13], "rules": [8], "hold until a date": [4], "hold by age": [4],
        "acknowledgement": [4],
    ]

    @Test(arguments: Samples.withFields)
    func `a field that stands twice makes the object malformed, unless it may`(_ sample: Sample) {
        for (index, field) in sample.fields.enumerated()
        where Self.repeated[sample.name]?.contains(field.number) != true {
            var fields = sample.fields
            fields.insert(field, at: index)
            expectMalformed("\(sample.name), field \(field.number)") {
                _ = try sample.again(sample.joined(fields))
            }
        }
    }

    /// Numbers of the fields marked *required*.
    @Test(arguments: [
        ("the fields of config", [1, 2, 3, 4]), ("full bundle", [1, 2]), ("directory", [1, 3]),
        ("head", [1, 2, 3, 7, 8, 9, 10, 13, 21, 22]),
        ("head in a manifest", [2, 3, 7, 8, 9, 10, 13, 21, 22]),
        ("manifest", [1, 4]), ("record of a removal", [1, 2, 3]), ("record of a key", [1, 2]),
        ("policy", [1, 2, 3]), ("hold until a date", [1, 2, 4]), ("acknowledgement", [1, 2, 3, 4]),
        ("small catalog entry", [1, 2]),
    ])
    func `a required field that is missing makes the object malformed, another does not`(
        _ name: String, _ required: [UInt16]
    ) throws {
        let sample = try #require(Samples.withFields.first { $0.name == name })
        for number in Set(sample.fields.map { $0.number }).sorted() {
            let without = sample.joined(sample.fields.filter { $0.number != number })
            // Bases stand in for indexes into them, and codecs for what they need.
            if name == "directory" && number == 2 { continue }
            if required.contains(number) {
                expectMalformed("\(name), field \(number)") { _ = try sample.again(without) }
            } else {
                #expect(throws: Never.self, "\(name), field \(number)") {
                    _ = try sample.again(without)
                }
            }
        }
    }

    /// Fields of one exact length.
    @Test(arguments: [
        ("the fields of config", [1, 2, 3, 4, 5, 6]), ("full bundle", [1, 3]),
        ("write bundle", [1, 4, 5, 6, 7, 11, 12, 13, 14, 15]), ("maintain bundle", [8, 9, 10]),
        ("head", [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24]),
        ("record of a removal", [1, 2, 3, 5, 6, 7]), ("record of a key", [1, 2, 3, 5]),
        ("rules", [1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13]), ("policy", [2, 3]),
        ("hold until a date", [2, 5]), ("hold by age", [2, 6]), ("end of a hold", [2, 3]),
        ("acknowledgement", [2, 3, 4]),
        ("catalog entry", [2, 3, 4, 6, 7, 8, 9, 14]), ("device", [12]),
    ])
    func `a value of the wrong length makes the object malformed`(
        _ name: String, _ numbers: [UInt16]
    ) throws {
        let sample = try #require(Samples.withFields.first { $0.name == name })
        for (index, field) in sample.fields.enumerated() where numbers.contains(field.number) {
            for value in [Array(field.value.dropLast()), field.value + [0], []] {
                var fields = sample.fields
                fields[index].value = value
                expectMalformed("\(name), field \(field.number) of \(value.count) bytes") {
                    _ = try sample.again(sample.joined(fields))
                }
            }
        }
    }

    @Test(
        arguments: [
            ("write bundle", [16]), ("head", [2, 16, 17, 18, 25]), ("record of a removal", [4]),
            ("record of a key", [4]), ("rules", [8, 10]), ("policy", [1]),
            ("hold until a date", [1, 4, 7, 8]), ("acknowledgement", [1]),
            ("table entry", [1, 2]),
        ] as [(String, [UInt16])])
    func `text that is not UTF-8 makes the object malformed`(_ name: String, _ numbers: [UInt16])
        throws
    {
        let sample = try #require(Samples.withFields.first { $0.name == name })
        for (index, field) in sample.fields.enumerated() where numbers.contains(field.number) {
            for broken in ["ff", "c3", "c080", "eda080", "f4908080", "61e282"] {
                var fields = sample.fields
                fields[index].value = hex(broken)
                expectMalformed("\(name), field \(field.number): \(broken)") {
                    _ = try sample.again(sample.joined(fields))
                }
            }
        }
    }

    @Test(
        arguments: [
            ("the fields of config", 4, [0, 3, 255]), ("full bundle", 1, [0, 4, 255]),
            ("head", 3, [0, 4, 255]),
            ("head", 10, [3, 255]), ("record of a key", 2, [0, 4]),
            ("rules", 11, [7, 255]), ("rules", 12, [0, 2]),
            ("small catalog entry", 2, [0, 8, 255]),
        ] as [(String, UInt16, [UInt8])])
    func `a value of an enumeration that is not known refuses the object as unknown`(
        _ name: String, _ number: UInt16, _ values: [UInt8]
    ) throws {
        let sample = try #require(Samples.withFields.first { $0.name == name })
        let index = try #require(sample.fields.firstIndex { $0.number == number })
        for value in values {
            var fields = sample.fields
            fields[index].value = [value]
            expectUnknown("\(name), field \(number) = \(value)") {
                _ = try sample.again(sample.joined(fields))
            }
        }
    }

    @Test func `rules keep something, spans have a known unit and are longer than nothing`() throws
    {
        let fields = RawField.parseWide(Samples.rules.bytes)
        func changed(_ number: UInt16, _ value: [UInt8]) -> [UInt8] {
            var changed = fields
            for index in fields.indices where fields[index].number == number {
                changed[index].value = value
            }
            return RawField.wide(changed)
        }
        for number: UInt16 in 1...6 {
            expectMalformed { _ = try RetentionRules(changed(number, [0, 0, 0, 0]), what: "") }
        }
        expectMalformed { _ = try RetentionRules(changed(11, [0]), what: "") }
        for number: UInt16 in [7, 9, 13] {
            expectMalformed { _ = try RetentionRules(changed(number, [3, 0, 0, 0, 0]), what: "") }
            for unit: UInt8 in [0, 7, 255] {
                expectUnknown("unit \(unit)") {
                    _ = try RetentionRules(changed(number, [unit, 1, 0, 0, 0]), what: "")
                }
            }
        }
    }

    @Test func `a hold ends in one way, and what ends one holds nothing`() throws {
        func hold(_ samples: HoldRecord...) -> [UInt8] {
            var fields: [RawField] = []
            for field in samples.flatMap({ RawField.parseWide($0.bytes) })
            where field.number == 4 || !fields.contains(where: { $0.number == field.number }) {
                fields.append(field)
            }
            return RawField.wide(fields.sorted { $0.number < $1.number })
        }
        expectMalformed { _ = try HoldRecord(hold(Samples.holdUntil, Samples.holdByAge), what: "") }
        for sample in [Samples.holdUntil, Samples.holdByAge] {
            expectMalformed { _ = try HoldRecord(hold(sample, Samples.holdEnd), what: "") }
        }
        let forever = HoldRecord(
            name: "x", recorded: 1, content: .hold(patterns: ["*"], term: .forever))
        #expect(try HoldRecord(forever.bytes, what: "") == forever)
    }

    @Test func `an acknowledgement names at most 10,000 snapshots`() throws {
        func read(_ count: Int) throws {
            let record = AcknowledgementRecord(
                series: "s", domain: .shared, recorded: 1,
                snapshots: (0..<count).map { objectID(UInt8(truncatingIfNeeded: $0)) })
            #expect(try AcknowledgementRecord(record.bytes, what: "") == record)
        }
        try read(10_000)
        expectMalformed { try read(10_001) }
    }

    @Test func `a reason that is not known is passed over`() throws {
        var fields = RawField.parseWide(Samples.forgotten.bytes)
        for value: UInt8 in [0, 4, 255] {
            fields[try #require(fields.firstIndex { $0.number == 7 })].value = [value]
            let record = try ForgottenRecord(RawField.wide(fields), what: "it")
            #expect(record.reason.rawValue == value && record.bytes == RawField.wide(fields))
        }
    }

    @Test func `evidence and flags that are not known are passed over`() throws {
        var fields = RawField.parseWide(Samples.head.bytes())
        fields[try #require(fields.firstIndex { $0.number == 11 })].value = [200]
        fields[try #require(fields.firstIndex { $0.number == 12 })].value = [
            0xff, 0xff, 0xff, 0xff,
        ]
        let head = try Head(RawField.wide(fields), what: "")
        #expect(head.evidence == .none)
        #expect(head.flags.contains([.shrunk, .timeGiven, .shrinkAllowed, .incompleteAllowed]))
    }

    @Test func `fields may be as many as the limit and not one more`() throws {
        let limit = Limits.fieldsPerObject
        let one = RawField.wide([RawField(number: 7, value: [])])
        let many = Array(repeatElement(one, count: limit).joined())
        #expect(throws: Never.self) { _ = try FieldReader(many, what: "it", known: 1...2) }
        expectMalformed { _ = try FieldReader(many + one, what: "it", known: 1...2) }
    }

    @Test func `a field that says it is longer than its object is refused`() {
        for length: UInt32 in [3, 1 << 20, .max] {
            let bytes = little(UInt16(1)) + little(length) + [1, 2]
            expectMalformed("\(length)") { _ = try FieldReader(bytes, what: "it", known: 1...2) }
        }
    }

    @Test func `repeated fields come in their order`() throws {
        let fields = (0..<5).map { RawField(number: 2, value: [$0]) }
        let reader = try FieldReader(RawField.wide(fields), what: "it", known: 1...2, repeated: [2])
        #expect(reader.all(2) == [[0], [1], [2], [3], [4]])
        #expect(reader.all(1) == [])
        #expect(reader.has(2) && !reader.has(1))
    }
}
