import Sealing
import TestSupport
import Testing
import WireFormat

struct WireVectorTests {
    @Test func `padding is that of the vectors`() throws {
        try checkVectors("padded") { [("padded", Padding.pad($0["content"]))] }
        for vector in try VectorFile("padded").cases {
            #expect(
                try Padding.unpad(vector["expected padded"], what: vector.title)
                    == vector["content"])
        }
    }

    @Test func `config is that of the vectors`() throws {
        func cutting(_ bytes: [UInt8]) -> Config.Cutting {
            let sizes = numbers(bytes, 4, 4, 4)
            return Config.Cutting(minimum: sizes[0], average: sizes[1], maximum: sizes[2])
        }
        func config(_ vector: VectorCase) throws -> Config {
            Config(
                repository: vector.id("repository"), textCutting: cutting(vector["text cutting"]),
                generalCutting: cutting(vector["other cutting"]),
                consistency: try #require(Config.Consistency(rawValue: vector.byte("consistency"))),
                created: vector.signed("created"), rootCheck: vector.optionalBytes("root check"),
                cutKey: try cutKey(vector))
        }
        func keyring(_ root: [UInt8]) -> Keyring {
            Keyring(root: root.span.bytes.withUnsafeBytes { Secret(copying: $0) })
        }
        func cutKey(_ vector: VectorCase) throws -> [UInt8]? {
            guard vector.has("other root") else { return nil }
            return try CutKey.seal(
                of: keyring(vector["other root"]), for: keyring(vector["root"]),
                repository: vector["repository"], salt: vector["salt"])
        }
        try checkVectors("config") { vector in
            let content = try config(vector).bytesBeforeHash
            let box = try cutKey(vector).map { [(name: "cut key", value: $0)] } ?? []
            return box + [("object", content + SHA256.hash(content))]
        }
        for vector in try VectorFile("config").cases {
            let (content, hash) = try Config.split(vector["expected object"])
            #expect(SHA256.hash(content) == hash)
            #expect(try Config(content) == config(vector))
        }
    }

    @Test func `list nodes are those of the vectors`() throws {
        func node(_ vector: VectorCase) -> ListNode {
            var (entries, children): ([ListEntry], [ListNode.Child]) = ([], [])
            for (name, value) in vector.lines {
                switch name {
                case "chunk":
                    entries.append(
                        .chunk(
                            ChunkID(Array(value.dropFirst(4))), byteCount: number(value.prefix(4))))
                case "zeros": entries.append(.zeros(number(value)))
                case "again": entries.append(.again(number(value)))
                case "child":
                    children.append(
                        .init(
                            total: number(value.prefix(8)), id: ChunkID(Array(value.dropFirst(8)))))
                default: break
                }
            }
            let level = Int(vector.byte("level"))
            return level == 0 ? .leaf(entries) : .interior(level: level, children)
        }
        try checkVectors("list-node") { [("node", node($0).bytes)] }
        for vector in try VectorFile("list-node").cases {
            #expect(try ListNode(vector["expected node"], what: vector.title) == node(vector))
        }
    }

    /// The fields of an entry, without their length.
    private func body(_ entry: [UInt8]) throws -> [UInt8] {
        var reader = ByteReader(entry, what: "it")
        let body = try reader.counted(atMost: Limits.catalogEntryBytes)
        try reader.finish()
        return body
    }

    @Test func `catalog entries are those of the vectors`() throws {
        func time(_ bytes: [UInt8]) -> CatalogEntry.Time {
            .init(
                seconds: Int64(truncatingIfNeeded: number(bytes.prefix(8))),
                nanoseconds: UInt32(number(bytes.suffix(4))))
        }
        func entry(_ vector: VectorCase) -> CatalogEntry {
            var entry = CatalogEntry(path: vector["path"], kind: vector.byte("kind"))
            entry.checksum = vector.optionalBytes("checksum")
            entry.mode = UInt32(vector.number("mode"))
            (entry.user, entry.group) = (
                UInt32(vector.number("user")), UInt32(vector.number("group"))
            )
            (entry.userName, entry.groupName) = (
                vector.optionalBytes("user name") ?? [], vector.optionalBytes("group name") ?? []
            )
            entry.modified = vector.optionalBytes("modified").map(time)
            entry.changed = vector.optionalBytes("changed").map(time)
            if vector.has("inode") {
                (entry.device, entry.inode) = (
                    vector.number("inode device"), vector.number("inode")
                )
            }
            if vector.has("length") { entry.byteCount = vector.count("length") }
            entry.linkTarget = vector.optionalBytes("target")
            entry.hardLink = vector.optionalBytes("hard link")
            if vector.has("major") {
                entry.special = (UInt32(vector.number("major")), UInt32(vector.number("minor")))
            }
            entry.attributes = zip(vector.all("attribute name"), vector.all("attribute value")).map
            {
                .init(name: $0, value: $1)
            }
            if vector.has("reservation") {
                entry.reservation = .init(rawValue: vector.byte("reservation"))
            }
            entry.holes = vector.all("hole").map(range)
            if vector.has("range") { entry.ranges = vector.all("range").map(range) }
            return entry
        }
        try checkVectors("catalog-entry") { [("entry", entry($0).bytes)] }
        for vector in try VectorFile("catalog-entry").cases {
            #expect(
                try CatalogEntry(
                    try body(vector["expected entry"]), what: vector.title,
                    isMember: vector.has("range"))
                    == entry(vector))
        }
    }

    private func range(_ bytes: [UInt8]) -> Range<Int> {
        let (begin, count) = (number(bytes.prefix(8)), number(bytes.suffix(8)))
        return begin..<(begin + count)
    }

    @Test func `table entries are those of the vectors`() throws {
        func entry(_ vector: VectorCase) -> TableEntry {
            TableEntry(
                space: vector.text("database"), name: vector.text("name"),
                ranges: vector.all("range").map(range))
        }
        try checkVectors("table-entry") { [("entry", entry($0).bytes)] }
        for vector in try VectorFile("table-entry").cases {
            #expect(
                try TableEntry(try body(vector["expected entry"]), what: vector.title)
                    == entry(vector))
        }
    }
}
