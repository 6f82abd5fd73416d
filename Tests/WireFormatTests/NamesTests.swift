import Faults
import TestSupport
import Testing
import WireFormat

struct NamesTests {
    private static let id = "00112233445566778899aabbccddeeff"
    private static let domain = "0102030405060708"

    /// docs/format.md, section 2.
    private static let spellings: [(ObjectName, String)] = {
        let id = ObjectID(hex(Self.id))
        let domain = DomainID(hex(Self.domain))
        return [
            (.config, "config"),
            (.key(id), "keys/\(Self.id)"),
            (.pack(domain, id), "packs/\(Self.domain)/00/\(Self.id)"),
            (.pack(.shared, id), "packs/0000000000000000/00/\(Self.id)"),
            (.index(domain, id), "index/\(Self.domain)/\(Self.id)"),
            (.snapshot(domain, id), "snapshots/\(Self.domain)/\(Self.id)"),
            (.commit(domain, id), "commits/\(Self.domain)/\(Self.id)"),
            (.tombstone(.pack, id), "tombstones/packs/\(Self.id)"),
            (.tombstone(.snapshot, id), "tombstones/snapshots/\(Self.id)"),
            (.tombstone(.index, id), "tombstones/index/\(Self.id)"),
            (.record(.forgotten, id), "records/forgotten/\(Self.id)"),
            (.record(.policy, id), "records/policies/\(Self.id)"),
            (.record(.hold, id), "records/holds/\(Self.id)"),
            (.record(.acknowledgement, id), "records/acknowledgements/\(Self.id)"),
            (.record(.group, id), "records/groups/\(Self.id)"),
            (.record(.key, id), "records/keys/\(Self.id)"),
        ]
    }()

    @Test(arguments: spellings)
    func `every name has one spelling`(_ name: ObjectName, _ spelling: String) {
        #expect(name.description == spelling)
        #expect(ObjectName(spelling) == name)
    }

    @Test func `the kinds of records have the numbers and folders of the specification`() {
        let listed: [(UInt8, String)] = [
            (1, "forgotten"), (2, "policies"), (3, "holds"), (4, "acknowledgements"), (5, "groups"),
            (6, "keys"),
            (7, "tags"),
        ]
        for (number, folder) in listed { #expect(Record.Kind(rawValue: number)?.folder == folder) }
        #expect(Record.Kind.allCases.count == listed.count)
    }

    @Test func `no change of one character of a name is a spelling of the same name`() {
        let others = Array("0aA/.- \u{0}gé\u{ff10}\u{301}")
        for (name, spelling) in Self.spellings {
            let characters = Array(spelling)
            for index in characters.indices {
                var without = characters
                without.remove(at: index)
                #expect(ObjectName(String(without)) == nil)
                for other in others where other != characters[index] {
                    var changed = characters
                    changed[index] = other
                    // Another digit may be another object's name; then it is spelled that way.
                    let read = ObjectName(String(changed))
                    #expect(read == nil || (read != name && read?.description == String(changed)))
                    var longer = characters
                    longer.insert(other, at: index)
                    #expect(ObjectName(String(longer)) == nil, "\(String(longer))")
                }
            }
            #expect(ObjectName(spelling + "/") == nil)
            #expect(ObjectName("/" + spelling) == nil)
            #expect(ObjectName(spelling + "\n") == nil)
            #expect(ObjectName(spelling.uppercased()) == nil)
        }
    }

    @Test(arguments: [
        "", "/", "config/", "./config", "Config", "tmp/\(id)", "keys", "keys/", "keys/\(id)/\(id)",
        "packs/\(domain)/\(id)", "packs/\(domain)/01/\(id)", "packs/\(domain)/0/\(id)",
        "packs/01/00/\(id)",
        "index/\(id)", "index/\(domain)/00/\(id)", "tombstones/commits/\(id)",
        "tombstones/keys/\(id)",
        "records/\(id)", "records/nothing/\(id)", "commits/\(domain)/\(id).tmp", "keys/\(id)0",
        "keys//\(id)",
        "snapshots/\(domain)/..", "keys/0\u{0}112233445566778899aabbccddeeff",
        "keys/\u{ff10}0112233445566778899aabbccddeeff",
    ])
    func `what is no object's name is none`(_ text: String) { #expect(ObjectName(text) == nil) }

    @Test func `fixed bytes stand for themselves in memory, on disk and in hexadecimal`() {
        var random = SeededRandom(seed: announcedSeed())
        for _ in 0..<500 {
            let bytes = random.bytes(32)
            check(Digest32(bytes), bytes)
            check(ChunkID(Array(bytes.prefix(24))), Array(bytes.prefix(24)))
            check(ObjectID(Array(bytes.prefix(16))), Array(bytes.prefix(16)))
            check(DomainID(Array(bytes.prefix(8))), Array(bytes.prefix(8)))
        }
    }

    private func check<ID: FixedBytes>(_ id: ID, _ bytes: [UInt8]) {
        #expect(id.bytes == bytes)
        #expect(hex(id.description) == bytes)
        #expect(id.description == id.description.lowercased())
        #expect(ID(hexadecimal: id.description) == id)
        #expect(ID(hexadecimal: id.description.dropLast()) == nil)
        #expect(ID(hexadecimal: id.description + "00") == nil)
        #expect(ID(hexadecimal: id.description.dropLast() + "x") == nil)
        var greater = bytes
        guard let index = greater.lastIndex(where: { $0 < 255 }) else { return }
        greater[index] += 1
        #expect(id < ID(greater) && !(ID(greater) < id) && !(id < id) && id != ID(greater))
    }

    @Test func `ids sort by their bytes as they stand on disk`() {
        var random = SeededRandom(seed: announcedSeed())
        let ids = (0..<300).map { _ in ObjectID(random.bytes(16)) }
        let byText = ids.sorted { $0.description < $1.description }
        #expect(ids.sorted() == byText)
        #expect(
            ObjectID(hex("ff000000000000000000000000000000"))
                > ObjectID(hex("00ffffffffffffffffffffffffffffff")))
    }

    @Test func `the short form of an id is its first eight digits`() {
        #expect(ObjectID(hex(Self.id)).short == "00112233")
        #expect(DomainID.shared.description == "0000000000000000")
    }
}

struct PrologueTests {
    @Test func `every kind has its letter`() {
        let letters: [(Prologue.Kind, String)] = [
            (.config, "C"), (.keySlot, "K"), (.pack, "P"), (.envelope, "E"), (.index, "I"),
            (.manifest, "M"),
            (.head, "H"), (.tombstone, "T"), (.record, "R"),
        ]
        for (kind, letter) in letters {
            #expect(Prologue.bytes(kind) == Array("repo\(letter)".utf8) + [1, 1, 0])
        }
    }

    @Test func `another version or suite is refused as unknown, all else as malformed`() {
        for index in 0..<8 {
            for value in UInt8.min...UInt8.max where value != Prologue.bytes(.head)[index] {
                var bytes = Prologue.bytes(.head)
                bytes[index] = value
                let check = {
                    var reader = ByteReader(bytes, what: "it")
                    try Prologue.check(&reader, .head)
                }
                if index == 5 || index == 6 {
                    expectUnknown("\(index)", check)
                } else {
                    expectMalformed("\(index)", check)
                }
            }
        }
    }

    @Test func `an object under another's name or domain is refused`() throws {
        let header = ObjectHeader(.pack, detail: 1, domain: domain, id: objectID(1))
        func check(_ kind: Prologue.Kind, _ domain: DomainID, _ id: ObjectID) throws -> ObjectHeader
        {
            var reader = ByteReader(header.bytes, what: "it")
            return try ObjectHeader.check(&reader, kind, domain: domain, id: id)
        }
        #expect(header.bytes.count == ObjectHeader.byteCount)
        #expect(try check(.pack, domain, objectID(1)) == header)
        expectMalformed { _ = try check(.pack, .shared, objectID(1)) }
        expectMalformed { _ = try check(.pack, domain, objectID(2)) }
        expectMalformed { _ = try check(.head, domain, objectID(1)) }
    }

    @Test func `errors name the object and what to do`() {
        #expect(WireError.unknown("x").hint == "a later version of repo wrote it: use that one")
        #expect(WireError.malformed("x").hint == nil)
        #expect(WireError.unknown("x").exitCode == .unknownVersion)
        #expect(WireError.malformed("x").exitCode == .damage)
        #expect(
            ByteReader([], what: "packs/3f").malformed("no end").message
                == "packs/3f is malformed: no end")
    }
}

@Test func `digests that are equal are one in a set`() {
    var other = block(1)
    other[31] ^= 1
    #expect(Set([Digest32(block(1)), Digest32(block(1)), Digest32(other)]).count == 2)
}
